#include "core/batch_part.h"

#include <algorithm>
#include <vector>

#include <ATen/ops/empty.h>

#include "core/device.h"

namespace lmzoo {
namespace {

Tensor listed(const std::vector<int64_t>& values, at::Device device) {
  const Tensor made = at::empty({std::ssize(values)}, on_cpu(at::kLong));
  std::ranges::copy(values, made.data_ptr<int64_t>());
  return sent(made, device);
}

// Chosen sequences of packed positions: which positions they are, and what becomes of each.
struct Choice {
  Sequences sequences;
  Tensor kept;     // [N'] positions of the whole
  Tensor renamed;  // [N] positions of the part; 0 for those that are not kept

  Choice(const Sequences& whole, const std::vector<int64_t>& chosen, at::Device device) {
    std::vector<int64_t> lengths, positions, names(static_cast<size_t>(whole.total()));
    for (const int64_t sequence : chosen) {
      lengths.push_back(whole.length(sequence));
      for (int64_t i = 0; i < whole.length(sequence); ++i) {
        names[static_cast<size_t>(whole.start(sequence) + i)] = std::ssize(positions);
        positions.push_back(whole.start(sequence) + i);
      }
    }
    sequences = Sequences(lengths).to(device);
    kept = listed(positions, device);
    renamed = listed(names, device);
  }
};

std::vector<int64_t> only(const std::vector<int64_t>& values, const std::vector<int64_t>& chosen) {
  std::vector<int64_t> some;
  for (const int64_t i : values.empty() ? std::vector<int64_t>{} : chosen) {
    some.push_back(values[static_cast<size_t>(i)]);
  }
  return some;
}

Tensor only(const Tensor& values, const Tensor& kept) {
  return values.defined() ? values.index_select(0, kept) : values;
}

Tensor renamed_rows(const Tensor& rows, const Tensor& names) {
  return names.index_select(0, rows.flatten()).view(rows.sizes());
}

}  // namespace

Batch part_of(const Batch& batch, std::span<const int64_t> examples, const SlotRange& range) {
  const Inputs& whole = batch.inputs;
  const at::Device device = whole.ids.device();
  std::vector<int64_t> firsts{0};  // the first sequence of each example
  for (const int64_t size : batch.group_sizes) {
    firsts.push_back(firsts.back() + size);
  }
  Batch part;
  std::vector<int64_t> chosen, numbers(static_cast<size_t>(whole.sequences.count()));
  for (const int64_t example : examples) {
    const auto e = static_cast<size_t>(example);
    for (int64_t sequence = firsts[e]; sequence < firsts[e + 1]; ++sequence) {
      numbers[static_cast<size_t>(sequence)] = std::ssize(chosen);
      chosen.push_back(sequence);
    }
    part.group_sizes.push_back(batch.group_sizes[e]);
    part.notes.push_back(batch.notes.empty() ? std::any() : batch.notes[e]);
  }
  const Choice sources(whole.sequences, chosen, device);
  part.inputs.ids = only(whole.ids, sources.kept);
  part.inputs.token_types = only(whole.token_types, sources.kept);
  part.inputs.sequences = sources.sequences;
  part.inputs.prefix = only(whole.prefix, chosen);
  part.tokens = sources.sequences.total();
  const bool decodes = whole.decoder_ids.defined();
  const Choice targets(
      decodes ? whole.decoder_sequences : Sequences(), decodes ? chosen : std::vector<int64_t>{}, device);
  if (decodes) {
    part.inputs.decoder_ids = only(whole.decoder_ids, targets.kept);
    part.inputs.decoder_sequences = targets.sequences;
    part.tokens += targets.sequences.total();
  }
  const Tensor sequence_names = listed(numbers, device);
  for (size_t s = 0; s < range.slots.size(); ++s) {
    SlotBatch slot = batch.slots[static_cast<size_t>(range.first) + s];
    const bool written = decodes && range.slots[s].predicts == Predicts::ids;
    const bool of_positions = range.slots[s].level == Level::position;
    const Tensor& names = !of_positions ? sequence_names : written ? targets.renamed : sources.renamed;
    slot.rows = renamed_rows(slot.rows, names);
    slot.counts = only(slot.counts, chosen);
    part.slots.push_back(std::move(slot));
  }
  return part;
}

}  // namespace lmzoo
