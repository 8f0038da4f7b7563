// Options of low-rank additions (nn/low_rank.h), apart from what is done with them: adapter_config.json is read
// without a tensor.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fields.h"

namespace lmzoo {

// alpha / rank as in the paper, or alpha / √rank, which lets high ranks learn as fast as low ones
// (Kalajdzievski 2023, "A rank stabilization scaling factor for fine-tuning with LoRA").
enum class LoraScaling { rank, root_rank };
template <>
struct EnumNames<LoraScaling> {
  static constexpr std::pair<LoraScaling, std::string_view> values[] = {
      {LoraScaling::rank, "rank"}, {LoraScaling::root_rank, "root_rank"}};
};

struct LoraOptions {
  int64_t rank = 8;
  double alpha = 16;
  LoraScaling scaling = LoraScaling::rank;
  double dropout = 0;
  std::vector<std::string> targets = {"*.q", "*.v"};  // globs of adaptable_maps
  std::vector<std::string> train = {};                // globs of the model's own parameters that learn, too

  double scale() const {
    const auto r = static_cast<double>(rank);
    return alpha / (scaling == LoraScaling::rank ? r : std::sqrt(r));
  }

  static constexpr void fields(auto& self, auto& visit) {
    visit("rank", self.rank, "inner width of an addition", between(1, 65536));
    visit("alpha", self.alpha, "size of what is added: alpha / rank", more_than(0));
    visit("scaling", self.scaling, "alpha is divided by the rank, or by its root (rsLoRA)");
    visit("dropout", self.dropout, "of what an addition reads", half_open(0, 1));
    visit("targets",
          self.targets,
          "globs of linear maps: of qkv, q, k and v can be named apart, as in *.q; of gated maps gate and "
          "up; a "
          "head, which else learns whole, by objective. and its name");
    visit("train", self.train, "globs of the model's own parameters that are trained, too, as in *norm*");
  }
  bool operator==(const LoraOptions&) const = default;
};

}  // namespace lmzoo
