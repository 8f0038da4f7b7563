// The decoding state of models with attention: for every layer the keys and values of all positions read so
// far, in memory that is taken ahead and grows by doubling, so that an append writes the new positions and
// moves no other. An encoder-decoder's state holds the keys and values of its sources besides.
//
//   step = state.begin(added)     where the new positions go
//   for each layer                attention writes its keys and values, then reads all of them
//   state.finish(step)            only now they count: an append that fails changes nothing
//
// Legend: n sequences, M new positions, Hk key heads, Dh head width, C room for positions, S longest source.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/decoding_state.h"
#include "nn/kernels/attention_stored.h"

namespace lmzoo {

// Where the positions of one append go. Made once, for all layers.
struct AppendStep {
  Sequences added;                 // n over M
  std::vector<int64_t> prefix;     // as NewPositions
  std::vector<int64_t> lengths{};  // [n] after it
  int64_t end = 0;                 // the longest of them
  bool is_first = false;           // nothing was read before
  Tensor owners{}, positions{};    // [M] int64: sequence, and position in it
};

// Keys and values of one layer. Row i is sequence i's.
class KeyStore {
 public:
  void write(const AppendStep& step, int64_t capacity, const Tensor& new_keys, const Tensor& new_values);

  Tensor keys, values;  // [n or more, Hk, C, Dh]; undefined before the first append
};

// Keys and values of the sources in one layer. Never written again, so copies share them.
struct SourceKeys {
  Tensor keys, values;  // [n, Hk, S, Dh]; undefined without cross-attention
};

// Of all layers; both empty without cross-attention.
struct DecodingSources {
  std::vector<SourceKeys> layers{};
  std::vector<int64_t> lengths{};  // [n]
};

// One layer's part of an append.
struct LayerAppend {
  const AppendStep& step;
  int64_t capacity;
  KeyStore& own;
  StoredKeys sources;
  AttentionMasks* source_masks = nullptr;  // of all layers, on an accelerator
};

class AttentionState final : public DecodingState {
 public:
  AttentionState(const DecodingPlan& plan, int64_t layers, DecodingSources sources = {});

  std::unique_ptr<DecodingState> copy() const override;
  bool can_truncate() const override { return true; }

  AppendStep begin(const NewPositions& added) const;
  LayerAppend layer(size_t i, const AppendStep& step);
  void finish(const AppendStep& step);

  const KeyStore& keys(size_t layer) const { return layers_.at(layer); }  // tests: where they stand

 private:
  AttentionState(const AttentionState&) = default;
  void move(std::span<const int64_t> order) override;
  void move_sources(std::span<const int64_t> order);
  void forget(std::span<const int64_t> lengths) override;

  int64_t capacity_;
  std::vector<KeyStore> layers_;
  std::vector<int64_t> prefix_;  // [n] first positions that saw each other; empty: none did
  DecodingSources sources_;
  std::vector<int64_t> source_of_;  // [n] which source each sequence is written for
};

}  // namespace lmzoo
