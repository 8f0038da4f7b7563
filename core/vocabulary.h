// What models and objectives need to know of a tokenizer: how many ids there are and which of them are
// special.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace lmzoo {

struct Vocabulary {
  int64_t size = 0;  // ids are in [0, size)
  std::optional<int64_t> pad, unk, bos, eos, cls, sep, mask;
  std::vector<int64_t> sentinels;  // <extra_id_0>, <extra_id_1>, ... in this order (T5: descending ids)

  bool is_special(int64_t id) const {
    for (const auto& special : {pad, bos, eos, cls, sep, mask}) {
      if (special == id) {
        return true;
      }
    }
    for (const int64_t sentinel : sentinels) {
      if (sentinel == id) {
        return true;
      }
    }
    return false;
  }

  bool operator==(const Vocabulary&) const = default;
};

}  // namespace lmzoo
