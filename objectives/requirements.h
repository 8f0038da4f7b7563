// What an objective needs of a run, refused at plan time in words that are the same for all.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/check.h"

namespace lmzoo {

// The id of a special token that `objective` cannot do without.
inline int64_t required_token(const std::optional<int64_t>& id,
                              std::string_view token,
                              std::string_view objective) {
  check(id.has_value(), objective, " needs a tokenizer with ", token, ", and this one has none");
  return *id;
}

inline void require_length(int64_t sequence_length, int64_t shortest, std::string_view objective) {
  check(sequence_length >= shortest,
        "data.sequence_length is ",
        sequence_length,
        " but ",
        objective,
        " needs at least ",
        shortest);
}

}  // namespace lmzoo
