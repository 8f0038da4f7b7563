#include "nn/block.h"

#include <optional>
#include <string>

namespace lmzoo {

Block::Block(const BlockOptions& options) : options_(options) {
  const int64_t width = options.attention.width;
  const auto new_norm = [&] { return std::make_shared<Norm>(options.norm, width, options.norm_eps); };
  attention_norm = register_module("attention_norm", new_norm());
  attention = register_module("attention", std::make_shared<SelfAttention>(options.attention));
  if (options.cross) {
    cross_norm = register_module("cross_norm", new_norm());
    cross_attention = register_module("cross_attention", std::make_shared<CrossAttention>(options.attention));
  }
  feed_forward_norm = register_module("feed_forward_norm", new_norm());
  feed_forward = register_module("feed_forward", std::make_shared<FeedForward>(options.feed_forward));
}

Normed Block::forward(Normed x, const SelfView& self, const CrossView* cross, const Norm& next) const {
  const Norm& after_attention = cross_norm ? *cross_norm : *feed_forward_norm;
  const Branch mixed = attention->forward(x.normed, self);
  if (self.choice != nullptr) {
    x.stream = x.stream.index_select(0, self.choice->rows);
  }
  x = add(x, mixed, *attention_norm, after_attention);
  if (cross_attention) {
    const Branch across = self.append != nullptr ? cross_attention->append(x.normed, *self.append)
                                                 : cross_attention->forward(x.normed, *cross);
    x = add(x, across, *cross_norm, *feed_forward_norm);
  }
  return add(x, feed_forward->forward(x.normed), *feed_forward_norm, next);
}

// The residual sum and the norm after it: the sublayer's own (post-norm) or the next one's (pre-norm).
Normed Block::add(const Normed& x, const Branch& branch, const Norm& own, const Norm& next) const {
  const ResidualUpdate update{.x = branch.x,
                              .bias = branch.bias,
                              .residual = x.stream,
                              .dropout = is_training() ? options_.dropout : 0};
  return options_.pre_norm ? dropout_add_norm(update, next.kernel(), NormPlacement::pre)
                           : dropout_add_norm(update, own.kernel(), NormPlacement::post);
}

Stack::Stack(int64_t layers, const BlockOptions& options) : pre_norm_(options.pre_norm) {
  for (int64_t layer = 0; layer < layers; ++layer) {
    blocks.push_back(register_module("block" + std::to_string(layer), std::make_shared<Block>(options)));
  }
  if (pre_norm_) {
    final_norm = register_module(
        "final_norm", std::make_shared<Norm>(options.norm, options.attention.width, options.norm_eps));
  }
}

Tensor Stack::forward(const Tensor& embedded, const SelfView& self, const CrossView* cross) const {
  const auto trace = [&](const Tensor& states) {
    if (self.trace != nullptr) {
      self.trace->hidden.push_back(states);
    }
  };
  trace(embedded);
  Normed x = enter(embedded);
  for (size_t layer = 0; layer < blocks.size(); ++layer) {
    x = through(layer, x, self, cross);
    trace(layer + 1 == blocks.size() ? x.normed : x.stream);
  }
  return x.normed;
}

std::unique_ptr<AttentionState> Stack::start(const DecodingPlan& plan, const Tensor& memory) const {
  DecodingSources sources;
  for (const auto& block : blocks) {
    if (block->cross_attention) {
      sources.layers.push_back(block->cross_attention->keys_of(memory, plan.sources.sequences));
    }
  }
  for (int64_t i = 0; i < plan.sources.sequences.count() && !sources.layers.empty(); ++i) {
    sources.lengths.push_back(plan.sources.sequences.length(i));
  }
  return std::make_unique<AttentionState>(plan, std::ssize(blocks), std::move(sources));
}

Tensor Stack::append(const Tensor& embedded,
                     SelfView self,
                     AttentionState& state,
                     const AppendStep& step) const {
  Normed x = enter(embedded);
  for (size_t layer = 0; layer < blocks.size(); ++layer) {
    const LayerAppend append = state.layer(layer, step);
    self.append = &append;
    x = through(layer, x, self, nullptr);
  }
  state.finish(step);
  return x.normed;
}

Tensor Stack::forward_at(const Tensor& embedded, const SelfView& self, const WantedRows& wanted) const {
  const std::optional<RowChoice> choice =
      self.trace == nullptr ? choose_rows(wanted, self.sequences) : std::nullopt;
  if (!choice) {
    return forward(embedded, self, nullptr).index_select(0, wanted.rows);
  }
  Normed x = enter(embedded);
  for (size_t layer = 0; layer + 1 < blocks.size(); ++layer) {
    x = through(layer, x, self, nullptr);
  }
  SelfView last = self;
  last.choice = &*choice;
  const Tensor states = through(blocks.size() - 1, x, last, nullptr).normed;  // [K', D]
  return choice->wanted.defined() ? states.index_select(0, choice->wanted) : states;
}

Normed Stack::enter(const Tensor& embedded) const {
  return {.stream = embedded,
          .normed = pre_norm_ ? blocks.front()->attention_norm->forward(embedded) : embedded};
}

// Block `layer` and the norm after it.
Normed Stack::through(size_t layer, const Normed& x, const SelfView& self, const CrossView* cross) const {
  const bool last = layer + 1 == blocks.size();
  const Block& after = *blocks[last ? layer : layer + 1];
  const Norm& next = last && final_norm ? *final_norm : *after.attention_norm;
  return blocks[layer]->forward(x, self, cross, next);
}

}  // namespace lmzoo
