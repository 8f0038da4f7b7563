#include "train/loop/device_batches.h"

#include <utility>

#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

namespace lmzoo {
namespace {

// Through c10's interface of any device: the program does not link LibTorch's CUDA part.
class StreamCopier final : public BatchCopier {
 public:
  explicit StreamCopier(at::Device device)
      : device_(device),
        streams_(device.type()),
        side_(streams_.getStreamFromGlobalPool(device)),
        given_(device.type()),
        copied_(device.type()) {}

  Batch begin(const Batch& batch) override {
    given_.record(streams_.getStream(device_));
    given_.block(side_);
    const c10::StreamGuard on_side(side_);
    Batch copy = batch.to(device_);
    copied_.record(side_);
    return copy;
  }

  // The copy's memory belongs to the side stream, which LibTorch's allocator gives it back to as soon as the host drops
  // the batch, whether or not a step still reads it: begin() waits for those steps, so no record_stream is needed.
  void finish() override { copied_.block(streams_.getStream(device_)); }

 private:
  at::Device device_;
  c10::impl::VirtualGuardImpl streams_;
  c10::Stream side_;
  c10::Event given_;   // to the stream of steps before the last copy
  c10::Event copied_;  // the last copy
};

}  // namespace

BatchesAhead::BatchesAhead(BatchSource& source, std::unique_ptr<BatchCopier> copier)
    : source_(source), copier_(std::move(copier)) {}

Batch BatchesAhead::next() {
  if (!ahead_) {
    if (failure_) {
      std::rethrow_exception(std::exchange(failure_, nullptr));
    }
    ahead_ = copier_->begin(source_.next());
  }
  copier_->finish();
  Batch given = std::move(*ahead_);
  ahead_.reset();
  state_ = source_.state();
  begin_next();
  return given;
}

void BatchesAhead::begin_next() {
  try {
    ahead_ = copier_->begin(source_.next());
  } catch (...) {
    failure_ = std::current_exception();  // perhaps nobody asks for that batch
  }
}

Json BatchesAhead::state() const { return ahead_ || failure_ ? state_ : source_.state(); }

void BatchesAhead::restore(const Json& state) {
  source_.restore(state);
  ahead_.reset();
  failure_ = nullptr;
}

void BatchesAhead::begin_phase(int64_t phase, const Json& before, bool same_text) {
  source_.begin_phase(phase, before, same_text);
  ahead_.reset();
  failure_ = nullptr;
}

std::unique_ptr<BatchSource> read_ahead(BatchSource& source, at::Device device) {
  return device.is_cpu() ? nullptr
                         : std::make_unique<BatchesAhead>(source, std::make_unique<StreamCopier>(device));
}

}  // namespace lmzoo
