#include "objectives/parts/heads.h"

#include <ATen/ops/dropout.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/zeros.h>

#include "base/check.h"
#include "nn/init.h"
#include "nn/parameter.h"

namespace lmzoo {
namespace {

Tensor activated(const Tensor& x, HeadActivation activation) {
  switch (activation) {
    case HeadActivation::tanh:
      return x.tanh();
    case HeadActivation::relu:
      return x.relu();
    case HeadActivation::gelu:
      return at::gelu(x);
  }
  throw std::logic_error("no such activation");
}

}  // namespace

std::shared_ptr<Linear> new_head_map(int64_t in, int64_t out, bool bias) {
  constexpr double kStd = 0.02;
  auto map = std::make_shared<Linear>(LinearOptions{in, out, bias});
  if (draws_initial_weights()) {
    init::normal(*map, kStd);
  }
  return map;
}

namespace {
WantedRows one_of_each(const Sequences& sequences, const Tensor& rows) {
  return {.rows = rows.to(at::kLong),
          .counts = std::vector<int64_t>(static_cast<size_t>(sequences.count()), 1)};
}
}  // namespace

Tensor mean_pool(const Tensor& states, const Sequences& sequences) {
  // Padded rather than index_add, which on a GPU adds in another order every time. Sums need float32.
  const Tensor exact = states.scalar_type() == at::kDouble ? states : states.to(at::kFloat);
  return to_padded(exact, sequences).sum(1) / sequences.offsets().diff().unsqueeze(1);
}

WantedRows first_rows(const Sequences& sequences) {
  return one_of_each(sequences, sequences.offsets().narrow(0, 0, sequences.count()));
}

WantedRows last_rows(const Sequences& sequences) {
  return one_of_each(sequences, sequences.offsets().narrow(0, 1, sequences.count()) - 1);
}

Head::Head(const HeadOptions& options,
           const ObjectiveContext& context,
           int64_t outputs,
           std::string_view user)
    : options_(options) {
  check(options.pooling != Pooling::first || context.architecture != Architecture::decoder_only,
        "{}: pooling is first, but the first state of a decoder-only model has seen only one token; legal "
        "are last, mean",
        user);
  check(options.pooling != Pooling::pooler || context.pooler,
        "{}: pooling is pooler, but this model has none; of a bert set model.pooler, else take first, last "
        "or mean",
        user);
  if (options.dense) {
    dense_ = new_head_map(context.width, context.width);
  }
  output_ = new_head_map(context.width, outputs, options.output_bias);
}

void Head::register_in(Module& objective) {
  if (dense_ != nullptr) {
    objective.register_module("dense", dense_);
  }
  objective.register_module("output", output_);
}

Tensor Head::state(Model& model, const Inputs& inputs) const {
  if (options_.pooling == Pooling::mean) {
    return mean_pool(model.encode(inputs), inputs.sequences);
  }
  return pooled(model, model.encode_at(inputs, row_of_each(inputs.sequences)));
}

Tensor Head::state_of(Model& model, const Tensor& states, const Sequences& sequences) const {
  if (options_.pooling == Pooling::mean) {
    return mean_pool(states, sequences);
  }
  return pooled(model, states.index_select(0, row_of_each(sequences).rows));
}

WantedRows Head::row_of_each(const Sequences& sequences) const {
  return options_.pooling == Pooling::last ? last_rows(sequences) : first_rows(sequences);
}

Tensor Head::pooled(Model& model, const Tensor& rows) const {
  return options_.pooling == Pooling::pooler ? model.pool(rows) : rows;
}

Tensor Head::forward(const Tensor& state, bool is_training) const {
  Tensor x = state;
  if (dense_ != nullptr) {
    x = dense_->forward(options_.input_dropout ? at::dropout(x, options_.dropout, is_training) : x);
    x = activated(x, options_.activation);
  }
  return output_->forward(at::dropout(x, options_.dropout, is_training));
}

}  // namespace lmzoo
