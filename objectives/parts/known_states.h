// A model whose states of one batch are known, so that several losses of that batch cost one pass over it: an objective
// that asks it for states gets those, and everything else from the model itself.
#pragma once

#include "core/model.h"

namespace lmzoo {

class KnownStates final : public Model {
 public:
  // `states` [N, D]: what model.hidden() gave. Neither is copied, and the model must live as long.
  KnownStates(Model& model, Tensor states) : model_(model), states_(std::move(states)) {}

  std::vector<ModelPart> parts() const override { return model_.parts(); }
  Architecture architecture() const override { return model_.architecture(); }
  int64_t width() const override { return model_.width(); }
  int64_t embedding_width() const override { return model_.embedding_width(); }
  int64_t vocab_rows() const override { return model_.vocab_rows(); }
  int64_t max_length() const override { return model_.max_length(); }
  Tensor hidden(const Inputs&) override { return states_; }
  Projection project(const Tensor& rows) override { return model_.project(rows); }
  double train_flops(const SequenceLengths& lengths, double labeled) const override {
    return model_.train_flops(lengths, labeled);
  }

 private:
  Model& model_;
  Tensor states_;
};

}  // namespace lmzoo
