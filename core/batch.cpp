#include "core/batch.h"

#include <algorithm>
#include <stdexcept>

#include <ATen/ops/empty.h>

#include "base/check.h"
#include "core/device.h"

namespace lmzoo {

Sequences::Sequences(std::span<const int64_t> lengths) {
  starts_.reserve(lengths.size() + 1);
  for (const int64_t length : lengths) {
    check(length >= 1, "a sequence has length {} but must have at least 1 token", length);
    starts_.push_back(starts_.back() + length);
    longest_ = std::max(longest_, length);
  }
  positions_ = at::empty({total()}, on_cpu(at::kLong));
  owners_ = at::empty({total()}, on_cpu(at::kLong));
  offsets_ = at::empty({static_cast<int64_t>(starts_.size())}, on_cpu(at::kInt));
  auto* position = positions_.data_ptr<int64_t>();
  auto* owner = owners_.data_ptr<int64_t>();
  for (int64_t i = 0; i < count(); ++i) {
    for (int64_t t = 0; t < length(i); ++t) {
      *position++ = t;
      *owner++ = i;
    }
  }
  std::transform(starts_.begin(), starts_.end(), offsets_.data_ptr<int32_t>(), [](int64_t start) {
    return static_cast<int32_t>(start);
  });
}

Sequences Sequences::uniform(int64_t count, int64_t length) {
  return Sequences(std::vector<int64_t>(static_cast<size_t>(count), length));
}

Sequences Sequences::to(at::Device device) const {
  Sequences moved = *this;
  if (positions_.defined()) {
    moved.positions_ = sent(positions_, device);
    moved.owners_ = sent(owners_, device);
    moved.offsets_ = sent(offsets_, device);
  }
  return moved;
}

Tensor to_padded(const Tensor& packed, const Sequences& sequences) {
  std::vector<int64_t> shape = packed.sizes().vec();
  shape[0] = sequences.longest();
  shape.insert(shape.begin(), sequences.count());
  if (sequences.is_uniform()) {
    return packed.reshape(shape);
  }
  return packed.new_zeros(shape).index_put({sequences.owners(), sequences.positions()}, packed);
}

Tensor to_packed(const Tensor& padded, const Sequences& sequences) {
  if (sequences.is_uniform()) {
    return padded.flatten(0, 1);
  }
  return padded.index({sequences.owners(), sequences.positions()});
}

std::pair<Tensor, Sequences> packed_ids(std::span<const std::vector<int64_t>> lists) {
  std::vector<int64_t> lengths;
  for (const std::vector<int64_t>& list : lists) {
    lengths.push_back(std::ssize(list));
  }
  const Sequences sequences(lengths);
  const Tensor ids = at::empty({sequences.total()}, on_cpu(at::kLong));
  auto* next = ids.data_ptr<int64_t>();
  for (const std::vector<int64_t>& list : lists) {
    next = std::copy(list.begin(), list.end(), next);
  }
  return {ids, sequences};
}

std::vector<int64_t> count_rows(const Tensor& rows, const Sequences& sequences) {
  std::vector<int64_t> counts(static_cast<size_t>(sequences.count()));
  const auto row_at = rows.accessor<int64_t, 1>();
  int64_t sequence = 0;
  for (int64_t i = 0; i < rows.numel(); ++i) {
    const int64_t row = row_at[i];
    while (sequence < sequences.count() && row >= sequences.start(sequence) + sequences.length(sequence)) {
      ++sequence;
    }
    if (sequence == sequences.count() || row < sequences.start(sequence)) {
      throw std::logic_error("count_rows: a row is out of order or out of the sequences");
    }
    ++counts[static_cast<size_t>(sequence)];
  }
  return counts;
}

Inputs Inputs::to(at::Device device) const {
  Inputs out = *this;
  out.ids = sent(ids, device);
  out.token_types = sent(token_types, device);
  out.sequences = sequences.to(device);
  out.decoder_ids = sent(decoder_ids, device);
  out.decoder_sequences = decoder_sequences.to(device);
  return out;
}

SlotBatch SlotBatch::to(at::Device device) const {
  SlotBatch out = *this;
  out.rows = sent(rows, device);
  out.labels = sent(labels, device);
  out.values = sent(values, device);
  out.weights = sent(weights, device);
  return out;
}

Batch Batch::to(at::Device device) const {
  Batch out = *this;
  out.inputs = inputs.to(device);
  for (SlotBatch& slot : out.slots) {
    slot = slot.to(device);
  }
  return out;
}

}  // namespace lmzoo
