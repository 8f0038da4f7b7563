// Models whose answers are known, for tests of what is built on models.
#pragma once

#include <cstdint>
#include <functional>

#include <ATen/ops/eye.h>
#include <ATen/ops/zeros.h>

#include "core/model.h"

namespace lmzoo::test {

// A decoder whose most probable next token after `id` is next(id): hidden is one-hot, the projection the
// identity. As an encoder-decoder it ignores its source. Its decoding state holds nothing but lengths; counts
// the positions it computed.
class SuccessorModel final : public Model {
 public:
  SuccessorModel(Architecture architecture, int64_t vocab, std::function<int64_t(int64_t)> next)
      : architecture_(architecture), next_(std::move(next)) {
    identity_ = register_parameter("identity", 10 * at::eye(vocab));
  }

  Architecture architecture() const override { return architecture_; }
  int64_t width() const override { return identity_.size(0); }
  int64_t vocab_rows() const override { return identity_.size(0); }
  int64_t max_length() const override { return 32; }
  std::vector<ModelPart> parts() const override {
    return {{.name = "identity", .kind = PartKind::projection, .prefixes = {"identity"}}};
  }

  Tensor hidden(const Inputs& inputs) override {
    return states_of(architecture_ == Architecture::encoder_decoder ? inputs.decoder_ids : inputs.ids);
  }
  std::unique_ptr<DecodingState> start(const DecodingPlan& plan) override {
    return std::make_unique<State>(plan.sequences);
  }
  Tensor append(DecodingState& state, const NewPositions& added, const WantedRows& wanted) override {
    dynamic_cast<State&>(state).read(added.sequences);
    return states_of(added.ids).index_select(0, wanted.rows);
  }
  Tensor encode(const Inputs& inputs) override { return at::zeros({inputs.ids.size(0), width()}); }
  Projection project(const Tensor& rows) override { return {.rows = rows, .weight = identity_, .bias = {}}; }
  double train_flops(const SequenceLengths&, double) const override { return 0; }

  int64_t computed = 0;

 private:
  class State final : public DecodingState {
   public:
    explicit State(int64_t sequences) : DecodingState(sequences) {}
    std::unique_ptr<DecodingState> copy() const override { return std::make_unique<State>(*this); }
    void read(const Sequences& added) { advance(added); }

   private:
    void move(std::span<const int64_t>) override {}
  };

  Tensor states_of(const Tensor& ids) {  // [M] -> [M, D]
    computed += ids.size(0);
    Tensor states = at::zeros({ids.size(0), width()});
    for (int64_t t = 0; t < ids.size(0); ++t) {
      states[t][next_(ids[t].item<int64_t>())] = 1;
    }
    return states;
  }

  Architecture architecture_;
  std::function<int64_t(int64_t)> next_;
  Tensor identity_;
};

}  // namespace lmzoo::test
