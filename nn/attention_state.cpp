#include "nn/attention_state.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include <ATen/ops/tensor.h>

namespace lmzoo {
namespace {

Tensor indexes(std::span<const int64_t> values, at::Device device) {
  return at::tensor(std::vector<int64_t>(values.begin(), values.end()), on_cpu(at::kLong))
      .to(device, /*non_blocking=*/true);
}

// Room for `rows` sequences of `capacity` positions; the first `length` positions of each are kept.
void resize(Tensor& store, int64_t rows, int64_t capacity, int64_t length) {
  const Tensor larger = store.new_empty({rows, store.size(1), capacity, store.size(3)});
  const int64_t kept = std::min(rows, store.size(0));
  larger.narrow(0, 0, kept).narrow(2, 0, length).copy_(store.narrow(0, 0, kept).narrow(2, 0, length));
  store = larger;
}

struct Moves {
  std::vector<int64_t> from, to;
};

// Rows `to` become what rows `from` were, of `count` rows then.
void move_rows(Tensor& store, const Moves& moves, int64_t count, int64_t length) {
  if (count > store.size(0)) {
    resize(store, count, store.size(2), length);
  }
  Tensor filled = store.narrow(2, 0, length);
  const Tensor rows = filled.index_select(0, indexes(moves.from, store.device()));
  filled.index_copy_(0, indexes(moves.to, store.device()), rows);
}

std::vector<int64_t> picked(const std::vector<int64_t>& values, std::span<const int64_t> order) {
  std::vector<int64_t> chosen;
  for (const int64_t from : order) {
    chosen.push_back(values[static_cast<size_t>(from)]);
  }
  return chosen;
}

}  // namespace

void KeyStore::write(const AppendStep& step,
                     int64_t capacity,
                     const Tensor& new_keys,
                     const Tensor& new_values) {
  const auto put = [&](Tensor& store, const Tensor& rows) {  // rows [M, Hk, Dh]
    const int64_t count = step.added.count();
    if (!store.defined()) {
      store = rows.new_empty({count, rows.size(1), std::max(capacity, step.end), rows.size(2)});
    } else if (store.size(2) < step.end) {
      resize(store, store.size(0), std::max(step.end, 2 * store.size(2)), store.size(2));
    }
    store.transpose(1, 2).index_put_({step.owners, step.positions}, rows);
  };
  put(keys, new_keys);
  put(values, new_values);
}

AttentionState::AttentionState(const DecodingPlan& plan, int64_t layers, DecodingSources sources)
    : DecodingState(plan.sequences),
      capacity_(plan.capacity),
      layers_(static_cast<size_t>(layers)),
      sources_(std::move(sources)),
      source_of_(static_cast<size_t>(plan.sequences)) {
  std::iota(source_of_.begin(), source_of_.end(), 0);
}

std::unique_ptr<DecodingState> AttentionState::copy() const {
  std::unique_ptr<AttentionState> other(new AttentionState(*this));
  for (KeyStore& layer : other->layers_) {
    if (layer.keys.defined()) {
      resize(layer.keys, sequences(), layer.keys.size(2), longest());
      resize(layer.values, sequences(), layer.values.size(2), longest());
    }
  }
  return other;
}

AppendStep AttentionState::begin(const NewPositions& added) const {
  check_fit(added.sequences);
  if (!added.prefix.empty() && std::ssize(added.prefix) != sequences()) {
    throw std::logic_error("decoding: every sequence needs a prefix, or none has one");
  }
  AppendStep step{.added = added.sequences, .prefix = added.prefix};
  step.is_first = longest() == 0;
  std::vector<int64_t> owners, positions;
  for (int64_t i = 0; i < sequences(); ++i) {
    const int64_t before = lengths()[static_cast<size_t>(i)];
    step.lengths.push_back(before + added.sequences.length(i));
    step.end = std::max(step.end, step.lengths.back());
    for (int64_t t = before; t < step.lengths.back(); ++t) {
      owners.push_back(i);
      positions.push_back(t);
    }
    const bool holds_prefix =
        added.prefix.empty() || added.prefix[static_cast<size_t>(i)] <= step.lengths.back();
    if (!added.prefix.empty() && (!step.is_first || !holds_prefix)) {
      throw std::logic_error("decoding: a prefix must be read at once, and first");
    }
  }
  step.owners = indexes(owners, added.ids.device());
  step.positions = indexes(positions, added.ids.device());
  return step;
}

LayerAppend AttentionState::layer(size_t i, const AppendStep& step) {
  StoredKeys sources;
  if (!sources_.layers.empty()) {
    const SourceKeys& of_layer = sources_.layers.at(i);
    sources = {of_layer.keys, of_layer.values, sources_.lengths};
  }
  return {.step = step, .capacity = capacity_, .own = layers_.at(i), .sources = sources};
}

void AttentionState::finish(const AppendStep& step) {
  if (step.is_first) {
    prefix_ = step.prefix;
  }
  advance(step.added);
}

void AttentionState::move(std::span<const int64_t> order) {
  std::vector<int64_t> from, to;  // rows that change
  for (int64_t i = 0; i < std::ssize(order); ++i) {
    if (order[static_cast<size_t>(i)] != i) {
      from.push_back(order[static_cast<size_t>(i)]);
      to.push_back(i);
    }
  }
  for (KeyStore& layer : layers_) {
    for (Tensor* store : {&layer.keys, &layer.values}) {
      if (store->defined()) {
        move_rows(*store, {from, to}, std::ssize(order), longest());
      }
    }
  }
  move_sources(order);
  prefix_ = prefix_.empty() ? prefix_ : picked(prefix_, order);
}

// Beams of one source exchange nothing.
void AttentionState::move_sources(std::span<const int64_t> order) {
  std::vector<int64_t> source_of = picked(source_of_, order);
  const bool same = std::ranges::equal(
      source_of, std::span(source_of_).first(std::min(source_of.size(), source_of_.size())));
  for (SourceKeys& layer : sources_.layers) {
    if (!same) {
      const Tensor rows = indexes(order, layer.keys.device());
      layer = {layer.keys.index_select(0, rows), layer.values.index_select(0, rows)};
    }
  }
  sources_.lengths = sources_.layers.empty() ? sources_.lengths : picked(sources_.lengths, order);
  source_of_ = std::move(source_of);
}

void AttentionState::forget(std::span<const int64_t> lengths) {
  for (size_t i = 0; i < prefix_.size(); ++i) {
    if (lengths[i] > 0 && lengths[i] < prefix_[i]) {
      throw std::logic_error("decoding: positions of a prefix saw what would be forgotten");
    }
    prefix_[i] = std::min(prefix_[i], lengths[i]);
  }
}

}  // namespace lmzoo
