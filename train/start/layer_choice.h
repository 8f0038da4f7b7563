// A model that begins with some blocks of one with more (Sanh et al. 2019, "DistilBERT", section 3: a student takes one
// layer of its teacher out of two). Which blocks there are the model says (Model::parts); an encoder-decoder chooses the
// same of both stacks.
//
//   layers: [0, 2, 4]   every: 2     of a model with 6 blocks, for one with 3:
//       model.stack.block1.attention.qkv.weight begins with model.stack.block2.attention.qkv.weight
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/model.h"
#include "train/start/warm_start.h"

namespace lmzoo {

class LayerChoice {
 public:
  // Of warm_start.layers or every; without either nothing is chosen and names stay. InputError when they cannot be chosen.
  LayerChoice(const Model& model, const WarmStartOptions& options);

  // The block there that each block here begins with; empty: the same.
  const std::vector<int64_t>& layers() const { return layers_; }
  // What a tensor here, "model.stack.block1.norm.weight", is called there.
  std::string source_of(const std::string& name) const;
  // Whether a tensor there is of a block with which none begins here.
  bool leaves_out(std::string_view name) const;

 private:
  // "model.stack.block12.norm.weight" -> 12, and where the number is.
  struct Place {
    size_t begin = 0, end = 0;
    int64_t block = 0;
  };
  std::optional<Place> place_of(std::string_view name) const;

  std::vector<int64_t> layers_;
  std::vector<std::string> stems_;  // "model.stack.block"
};

}  // namespace lmzoo
