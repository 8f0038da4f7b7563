#include "nn/block.h"

#include <numeric>
#include <optional>
#include <string>

#include "base/check.h"
#include "nn/kernels/attention_device.h"

namespace lmzoo {
namespace {

NormOptions norm_options(const BlockOptions& o) {
  return {.kind = o.norm, .width = o.attention.width, .eps = o.norm_eps, .weights = o.norm_weights};
}

}  // namespace

Block::Block(const BlockOptions& options) : options_(options) {
  const auto new_norm = [&](const char* name) {
    return register_module(name, std::make_shared<Norm>(norm_options(options)));
  };
  const bool sandwich = options.norm_order == NormOrder::sandwich;
  if (options.entry_norm) {
    attention_norm = new_norm("attention_norm");
  } else if (!reads_normed()) {
    throw std::logic_error("only a norm before attention can be left out");
  }
  attention = register_module("attention", std::make_shared<SelfAttention>(options.attention));
  attention_out_norm = sandwich ? new_norm("attention_out_norm") : nullptr;
  if (options.cross) {
    cross_norm = new_norm("cross_norm");
    cross_attention = register_module("cross_attention", std::make_shared<CrossAttention>(options.attention));
    cross_out_norm = sandwich ? new_norm("cross_out_norm") : nullptr;
  }
  feed_forward_norm = new_norm("feed_forward_norm");
  feed_forward = register_module("feed_forward", std::make_shared<FeedForward>(options.feed_forward));
  feed_forward_out_norm = sandwich ? new_norm("feed_forward_out_norm") : nullptr;
}

// Whether sublayers read the norm of the stream instead of the stream.
bool Block::reads_normed() const {
  return options_.norm_order == NormOrder::pre || options_.norm_order == NormOrder::sandwich;
}

Normed Block::forward(Normed x, const SelfView& self, const CrossView* cross, const Norm* next) const {
  const auto before = [&](const std::shared_ptr<Norm>& norm) {
    return reads_normed() ? norm.get() : nullptr;
  };
  const Norm* last = before(feed_forward_norm);
  const Branch mixed = attention->forward(x.normed, self);
  if (self.choice != nullptr) {
    x.stream = x.stream.index_select(0, self.choice->rows);
  }
  x = add(x, mixed, {attention_norm.get(), attention_out_norm.get(), cross_norm ? before(cross_norm) : last});
  if (cross_attention) {
    const Branch across = self.append != nullptr ? cross_attention->append(x.normed, *self.append)
                                                 : cross_attention->forward(x.normed, *cross);
    x = add(x, across, {cross_norm.get(), cross_out_norm.get(), last});
  }
  return add(
      x, feed_forward->forward(x.normed), {feed_forward_norm.get(), feed_forward_out_norm.get(), next});
}

// The residual sum and the norms after it.
Normed Block::add(const Normed& x, Branch branch, const Around& norms) const {
  const NormOrder order = options_.norm_order;
  if (const Norm* of_branch = order == NormOrder::branch ? norms.own : norms.out) {
    const Tensor whole = branch.bias.defined() ? branch.x + branch.bias : branch.x;
    branch = {.x = of_branch->forward(whole), .bias = {}};
  }
  const ResidualUpdate update{.x = branch.x,
                              .bias = branch.bias,
                              .residual = x.stream,
                              .dropout = is_training() ? options_.dropout : 0};
  if (order == NormOrder::post) {
    const Normed normed = dropout_add_norm(update, norms.own->kernel(), NormPlacement::post);
    return norms.next == nullptr ? normed : Normed{normed.stream, norms.next->forward(normed.stream)};
  }
  if (norms.next != nullptr) {
    return dropout_add_norm(update, norms.next->kernel(), NormPlacement::pre);
  }
  const Tensor sum = dropout_add(update);
  return {.stream = sum, .normed = sum};
}

StackOptions uniform_stack(int64_t layers, const BlockOptions& block) {
  return {.blocks = std::vector<BlockOptions>(static_cast<size_t>(layers), block)};
}

StackOptions shared_stack(int64_t layers, int64_t groups, const BlockOptions& block) {
  check(layers % groups == 0, "{} layers cannot share {} blocks evenly", layers, groups);
  StackOptions options = uniform_stack(groups, block);
  for (int64_t layer = 0; layer < layers; ++layer) {
    options.order.push_back(static_cast<size_t>(layer / (layers / groups)));
  }
  return options;
}

Stack::Stack(const StackOptions& options) : order_(options.order) {
  if (order_.empty()) {
    order_.resize(options.blocks.size());
    std::iota(order_.begin(), order_.end(), size_t{0});
  }
  for (const BlockOptions& block : options.blocks) {
    blocks.push_back(
        register_module("block" + std::to_string(blocks.size()), std::make_shared<Block>(block)));
  }
  const BlockOptions& last = options.blocks.at(order_.back());
  if (last.norm_order != NormOrder::post) {
    final_norm = register_module("final_norm", std::make_shared<Norm>(norm_options(last)));
  }
}

std::vector<ModelPart> Stack::parts(const std::string& name, PartInput input) const {
  std::vector<ModelPart> all;
  for (size_t i = 0; i < blocks.size(); ++i) {
    const std::string block = name + ".block" + std::to_string(i);
    all.push_back({.name = block,
                   .kind = PartKind::block,
                   .prefixes = {block},
                   .input = input,
                   .stack = name,
                   .depth = static_cast<int64_t>(i)});
  }
  if (final_norm && final_norm->weight.defined()) {
    const std::string norm = name + ".final_norm";
    all.push_back({.name = norm, .kind = PartKind::head, .prefixes = {norm}, .input = input});
  }
  return all;
}

Tensor Stack::forward(const Tensor& embedded, SelfView self, const CrossView* cross) const {
  AttentionMasks self_masks, cross_masks;
  self.masks = &self_masks;
  std::optional<CrossView> across;
  if (cross != nullptr) {
    across.emplace(*cross);
    across->masks = &cross_masks;
  }
  const auto trace = [&](const Tensor& states) {
    if (self.trace != nullptr) {
      self.trace->hidden.push_back(states);
    }
  };
  trace(embedded);
  Normed x = enter(embedded);
  for (size_t layer = 0; layer < layers(); ++layer) {
    x = through(layer, x, self, across ? &*across : nullptr);
    trace(layer + 1 == layers() ? x.normed : x.stream);
  }
  return x.normed;
}

std::unique_ptr<AttentionState> Stack::start(const DecodingPlan& plan, const Tensor& memory) const {
  DecodingSources sources;
  for (size_t i = 0; i < layers(); ++i) {
    if (layer(i).cross_attention) {
      sources.layers.push_back(layer(i).cross_attention->keys_of(memory, plan.sources.sequences));
    }
  }
  for (int64_t i = 0; i < plan.sources.sequences.count() && !sources.layers.empty(); ++i) {
    sources.lengths.push_back(plan.sources.sequences.length(i));
  }
  return std::make_unique<AttentionState>(plan, static_cast<int64_t>(layers()), std::move(sources));
}

Tensor Stack::append(const Tensor& embedded,
                     SelfView self,
                     AttentionState& state,
                     const AppendStep& step) const {
  AttentionMasks self_masks, source_masks;
  self.masks = &self_masks;
  Normed x = enter(embedded);
  for (size_t layer = 0; layer < layers(); ++layer) {
    LayerAppend append = state.layer(layer, step);
    append.source_masks = &source_masks;
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
  AttentionMasks masks, last_masks;  // the last layer's queries are others
  SelfView view = self;
  view.masks = &masks;
  Normed x = enter(embedded);
  for (size_t layer = 0; layer + 1 < layers(); ++layer) {
    x = through(layer, x, view, nullptr);
  }
  view.masks = &last_masks;
  view.choice = &*choice;
  const Tensor states = through(layers() - 1, x, view, nullptr).normed;  // [K', D]
  return choice->wanted.defined() ? states.index_select(0, choice->wanted) : states;
}

Normed Stack::enter(const Tensor& embedded) const {
  const Norm* first = layer(0).entry();
  return {.stream = embedded, .normed = first == nullptr ? embedded : first->forward(embedded)};
}

// Layer `i` and the norm after it.
Normed Stack::through(size_t i, const Normed& x, const SelfView& self, const CrossView* cross) const {
  const Norm* next = i + 1 == layers() ? final_norm.get() : layer(i + 1).entry();
  return layer(i).forward(x, self, cross, next);
}

}  // namespace lmzoo
