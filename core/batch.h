// A batch is packed: its sequences stand one after the other in flat tensors, so no position is padding and
// none is computed (docs/decisions/001-packed-batches.md).
//
// Legend: n sequences, N source (or only) positions in all, M decoder positions in all, K labeled positions,
//         D width, V vocabulary.
#pragma once

#include <any>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "core/tensor.h"

namespace lmzoo {

// Where each sequence of a packed tensor begins and ends. Attention never crosses a sequence. Immutable.
class Sequences {
 public:
  Sequences() = default;
  // Sequences of these lengths, in order; every length is at least 1.
  explicit Sequences(std::span<const int64_t> lengths);
  // `count` sequences of one length.
  static Sequences uniform(int64_t count, int64_t length);

  int64_t count() const { return static_cast<int64_t>(starts_.size()) - 1; }  // n
  int64_t total() const { return starts_.back(); }                            // N
  int64_t longest() const { return longest_; }
  bool is_uniform() const { return count() * longest_ == total(); }
  int64_t start(int64_t i) const { return starts_[i]; }
  int64_t length(int64_t i) const { return starts_[i + 1] - starts_[i]; }
  std::span<const int64_t> starts() const { return starts_; }  // [n+1]

  // Derived tensors, made on the CPU once and kept; `to` moves them.
  Tensor positions() const { return positions_; }  // [N] int64: 0, 1, ... within each sequence
  Tensor owners() const { return owners_; }        // [N] int64: index of the sequence of each position
  Tensor offsets() const { return offsets_; }  // [n+1] int32: starts, the form of varlen attention kernels
  Sequences to(at::Device device) const;

 private:
  std::vector<int64_t> starts_{0};
  int64_t longest_ = 0;
  Tensor positions_, owners_, offsets_;
};

// Packed [N, ...] -> padded [n, longest, ...] (zeros elsewhere) and back; for models that want rows.
Tensor to_padded(const Tensor& packed, const Sequences& sequences);
Tensor to_packed(const Tensor& padded, const Sequences& sequences);

// Lists of ids one after the other, on the CPU: [N] int64.
std::pair<Tensor, Sequences> packed_ids(std::span<const std::vector<int64_t>> lists);

// Filled when given: what `lmzoo forward --hidden --attention` writes.
struct Trace {
  bool want_attention = false;
  std::vector<Tensor> hidden;  // embedding output, then every layer's: [N, D] (decoder layers for an enc-dec)
  std::vector<Tensor> attention;  // per layer: probabilities [n, H, longest, longest], zero outside sequences
};

// What a model reads. Undefined tensors are absent.
struct Inputs {
  Tensor ids;                   // [N] int64
  Tensor token_types;           // [N] int64, for models that have them
  Sequences sequences;          // n over N
  std::vector<int64_t> prefix;  // [n] or empty: so many first positions are visible to their whole sequence
  Tensor decoder_ids;           // [M] int64, encoder-decoder only
  Sequences decoder_sequences;  // n over M
  Trace* trace = nullptr;       // not owned

  Inputs to(at::Device device) const;
};

// Rows of hidden()'s output that somebody reads, in the order of the sequences.
struct WantedRows {
  Tensor rows;                  // [K] int64
  std::vector<int64_t> counts;  // [n]: so many of them are of each sequence; empty: nobody counted
};

// How many of `rows` ([K] int64 on the CPU, in the order of the sequences) each sequence has: [n].
std::vector<int64_t> count_rows(const Tensor& rows, const Sequences& sequences);

// The targets of one slot (core/example.h).
//
// Legend: K targets, r rows that each reads, w labels or numbers of each.
struct SlotBatch {
  // Level::position: [K] of hidden()'s output (of encode()'s, when an encoder-decoder predicts no ids), [K, r] when
  // r > 1. Level::sequence: [K] sequences. Level::group: [K], the first sequence of each group.
  Tensor rows{};
  std::vector<int64_t> counts{};  // [n] Level::position: so many rows are of each sequence
  Tensor labels{};                // [K], or [K, w] when w > 1; empty for numbers
  Tensor values{};                // [K, w] float: numbers; undefined for others
  Tensor weights{};               // [K] float; undefined: all 1
  double total = 0;               // of the weights: what the slot's loss is divided by

  int64_t count() const { return values.defined() ? values.size(0) : labels.size(0); }  // K
  WantedRows wanted() const { return {rows.flatten(), counts}; }
  SlotBatch to(at::Device device) const;
};

// A micro-batch: inputs, and what is predicted of them. Nobody infers a loss mask from ids.
struct Batch {
  Inputs inputs;
  std::vector<SlotBatch> slots;      // of the objective, in its order
  std::vector<int64_t> group_sizes;  // [examples]: so many sequences, one after the other, are of each
  std::vector<std::any> notes;       // [examples], or empty: the objective's own
  std::vector<uint64_t> samples;     // ids of the windows in it, for error messages
  std::vector<int64_t> corpora{};  // [texts of the run]: so many of the windows are of each; empty: one text
  int64_t tokens = 0;              // positions computed (N + M)

  Batch to(at::Device device) const;
};

}  // namespace lmzoo
