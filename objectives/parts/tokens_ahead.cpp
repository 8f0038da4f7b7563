#include "objectives/parts/tokens_ahead.h"

#include <cmath>

#include <fmt/format.h>

#include "nn/init.h"
#include "nn/parameter.h"
#include "nn/positions.h"
#include "objectives/parts/losses.h"

namespace lmzoo {
namespace {

BlockOptions head_block(const AheadOptions& options, int64_t width) {
  return {.attention = {.width = width,
                        .shape = head_shape({.width = width, .heads = options.heads}),
                        .dropout = options.dropout},
          .feed_forward = {.width = width,
                           .inner_width = options.ffn_width.value_or(4 * width),
                           .kind = FeedForwardKind::gelu_tanh},
          .dropout = options.dropout};
}

// As GPT-2's of one layer.
void draw_weights(Stack& head) {
  if (!draws_initial_weights()) {
    return;
  }
  constexpr double kStd = 0.02;
  init::block(*head.blocks.front(), {.std = kStd, .residual_std = kStd / std::sqrt(2.0)});
  init::identity(*head.final_norm);
}

}  // namespace

TokensAhead::TokensAhead(const AheadOptions& options, int64_t width, int64_t longest) : options_(options) {
  const BlockOptions block = head_block(options, width);
  positions_ =
      register_module("positions",
                      std::make_shared<Positions>(PositionOptions{.kind = PositionKind::rotary,
                                                                  .width = width,
                                                                  .head_width = block.attention.shape.width,
                                                                  .max_length = longest}));
  for (int64_t token = 2; token <= options.tokens; ++token) {
    auto head = std::make_shared<Stack>(uniform_stack(1, block));
    draw_weights(*head);
    heads_.push_back(register_module(fmt::format("token{}", token), std::move(head)));
  }
}

void TokensAhead::append_slots(std::vector<Slot>& slots) const {
  for (int64_t token = 2; token <= options_.tokens; ++token) {
    slots.push_back({.name = fmt::format("token_{}", token)});
  }
}

void TokensAhead::add_targets(Example& example) const {
  const Target next = example.targets.front();
  for (int64_t further = 1; further < std::min(options_.tokens, std::ssize(next.labels)); ++further) {
    example.targets.push_back({.slot = further,
                               .at = {next.at.begin(), next.at.end() - further},
                               .labels = {next.labels.begin() + further, next.labels.end()}});
  }
}

void TokensAhead::add_losses(
    Model& model, const Tensor& states, const Batch& batch, const EntropyTerms& terms, Losses& losses) {
  const Sequences& sequences = batch.inputs.sequences;
  const SelfView view{.sequences = sequences,
                      .mask = MaskKind::causal,
                      .rotations = {positions_->rotation(sequences.positions(), sequences.longest())}};
  for (size_t head = 0; head < heads_.size(); ++head) {
    const auto slot = static_cast<int64_t>(head + 1);
    if (batch.slots.at(head + 1).count() == 0) {
      continue;  // no sequence is as long
    }
    const Tensor own = heads_[head]->forward(states, view, /*cross=*/nullptr);  // [N, D]
    LossTerm term = language_model_loss(model, own, batch, slot, terms);
    term.weight = is_training() ? options_.weight : 0;
    losses.push_back(std::move(term));
  }
}

}  // namespace lmzoo
