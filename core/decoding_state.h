// What a model keeps of the sequences that it is writing. The model makes it (Model::start) and extends it
// (Model::append); to everybody else it is opaque, so that the keys and values of attention, the state of a
// recurrent model, beams and speculation are one interface.
//
//   state = model.start({.sequences = 3, .capacity = 64});
//   model.append(*state, {.ids = prompts, .sequences = ...}, last_rows);   every sequence reads one id or more
//   state->reorder({0, 0, 2});           beams: the first sequence twice; the second has left
//   saved = state->copy();               ... and state = std::move(saved) goes back to here
//   state->truncate({12, 12, 9});        forgets what was read after these positions, where the model can
//
// Legend: n sequences, M new positions of all of them, K wanted rows.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/batch.h"

namespace lmzoo {

// What is to be written.
struct DecodingPlan {
  int64_t sequences = 0;  // n
  int64_t capacity = 0;  // positions that the longest will have, as far as known: memory for so many is taken
                         //   at once, and for more when there are more
  Inputs sources{};      // encoder-decoder only: what each sequence is written for (ids, sequences)
};

// What is read next: at least one id of every sequence.
struct NewPositions {
  Tensor ids;           // [M] int64
  Sequences sequences;  // n over M
  std::vector<int64_t>
      prefix{};  // [n] or empty: so many first positions are visible to their whole sequence;
                 //   all of them are among the first ids that a state reads
};

class DecodingState {
 public:
  virtual ~DecodingState() = default;
  DecodingState& operator=(const DecodingState&) = delete;

  int64_t sequences() const { return std::ssize(lengths_); }     // n
  std::span<const int64_t> lengths() const { return lengths_; }  // [n] positions read so far
  int64_t longest() const;

  // Sequence i becomes what sequence order[i] is. Any order, with repeats and omissions.
  void reorder(std::span<const int64_t> order);

  // A state of its own that goes on from here.
  virtual std::unique_ptr<DecodingState> copy() const = 0;

  // Sequence i keeps its first lengths[i] positions. std::logic_error where the model cannot.
  virtual bool can_truncate() const { return false; }
  void truncate(std::span<const int64_t> lengths);

 protected:
  explicit DecodingState(int64_t sequences) : lengths_(static_cast<size_t>(sequences)) {}
  DecodingState(const DecodingState&) = default;

  // The model has read them: one count for each sequence of the state, else std::logic_error.
  void advance(const Sequences& added);
  void check_fit(const Sequences& added) const;

 private:
  // Arguments are legal; lengths() still are those of before.
  virtual void move(std::span<const int64_t> order) = 0;
  virtual void forget(std::span<const int64_t>) {}

  std::vector<int64_t> lengths_;
};

}  // namespace lmzoo
