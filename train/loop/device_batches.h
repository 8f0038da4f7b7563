// Batches on the device that computes, one ahead of the step: while a GPU works on one, the host has the next collated,
// pinned and copied on a stream of its own, and nobody waits for anybody but for data.
//
//   stream of steps    step n-1 | step n ........................ | step n+1
//   stream of copies            | batch n+1 |
//
// A copy begins after what the steps' stream was given until then: the memory that it fills may have been a batch that
// an earlier step reads. The step that reads a copy begins after it.
#pragma once

#include <exception>
#include <memory>
#include <optional>

#include "train/loop/batch_source.h"

namespace lmzoo {

// Copies batches beside the computation. Calls alternate: begin(a), finish(), begin(b), finish(), ...
class BatchCopier {
 public:
  virtual ~BatchCopier() = default;
  virtual Batch begin(const Batch& batch) = 0;  // the copy, under way
  virtual void finish() = 0;                    // what is computed from now on finds it complete
};

// A source read one batch ahead. Its state is that after the last batch given, not after the one read ahead.
class BatchesAhead final : public BatchSource {
 public:
  BatchesAhead(BatchSource& source, std::unique_ptr<BatchCopier> copier);

  Batch next() override;
  Json state() const override;
  void restore(const Json& state) override;
  void begin_phase(int64_t phase, const Json& before, bool same_text) override;

 private:
  void begin_next();

  BatchSource& source_;
  std::unique_ptr<BatchCopier> copier_;
  std::optional<Batch> ahead_;
  std::exception_ptr failure_;  // of reading ahead: thrown when that batch is asked for
  Json state_;
};

// `source` for a GPU, copied on a side stream; nothing for the CPU, which reads batches where they are.
std::unique_ptr<BatchSource> read_ahead(BatchSource& source, at::Device device);

}  // namespace lmzoo
