#include "train/loop/device_batches.h"

#include <stdexcept>
#include <utility>

#include <c10/core/impl/DeviceGuardImplInterface.h>

#include "support/catch.h"
#include "train/fakes.h"

using namespace lmzoo;
using namespace lmzoo::test;

namespace {

// Writes down what it is asked, and marks its copies.
class NotingCopier final : public BatchCopier {
 public:
  explicit NotingCopier(std::string& notes) : notes_(notes) {}
  Batch begin(const Batch& batch) override {
    notes_ += "begin ";
    Batch copy = batch;
    copy.tokens += 1000;
    return copy;
  }
  void finish() override { notes_ += "finish "; }

 private:
  std::string& notes_;
};

// The streams of a device that nobody has (LibTorch keeps a place for one): writes down what each is given. Stream 0 is
// that of the steps, 1 the first of the pool; events are lettered as they come.
class NotedStreams final : public c10::impl::DeviceGuardImplInterface {
 public:
  static inline std::string notes;
  static inline int64_t current = 0;
  static constexpr c10::DeviceType kType = c10::DeviceType::PrivateUse1;

  c10::DeviceType type() const override { return kType; }
  c10::Device exchangeDevice(c10::Device) const override { return {kType, 0}; }
  c10::Device getDevice() const override { return {kType, 0}; }
  void setDevice(c10::Device) const override {}
  void uncheckedSetDevice(c10::Device) const noexcept override {}
  c10::DeviceIndex deviceCount() const noexcept override { return 1; }
  c10::Stream getStream(c10::Device device) const override { return stream(device, current); }
  c10::Stream getStreamFromGlobalPool(c10::Device device, bool) const override { return stream(device, 1); }
  c10::Stream exchangeStream(c10::Stream next) const override {
    return stream(next.device(), std::exchange(current, next.id()));
  }
  void record(void** event, const c10::Stream& on, c10::DeviceIndex, c10::EventFlag) const override {
    *event = *event != nullptr ? *event : reinterpret_cast<void*>(++events_ + 'a' - 1);
    notes += "record " + name(*event) + " on " + std::to_string(on.id()) + ", ";
  }
  void block(void* event, const c10::Stream& on) const override {
    notes += std::to_string(on.id()) + " waits for " + name(event) + ", ";
  }

 private:
  static c10::Stream stream(c10::Device device, int64_t id) {
    return c10::Stream(c10::Stream::UNSAFE, device, id);
  }
  static std::string name(void* event) {
    return std::string(1, static_cast<char>(reinterpret_cast<intptr_t>(event)));
  }
  static inline intptr_t events_ = 0;
};

// Batches without a tensor: that device has no memory either.
class EmptyBatches final : public BatchSource {
 public:
  Batch next() override {
    NotedStreams::notes += "batch, ";
    return {};
  }
  Json state() const override { return {}; }
  void restore(const Json&) override {}
};

}  // namespace

TEST_CASE("a batch is given when its copy is finished and the next one's has begun") {
  TinyBatches source, expected;
  std::string notes;
  BatchesAhead ahead(source, std::make_unique<NotingCopier>(notes));
  CHECK(ahead.next().tokens == expected.next().tokens + 1000);
  CHECK(notes == "begin finish begin ");
  CHECK(ahead.next().tokens == expected.next().tokens + 1000);
  CHECK(notes == "begin finish begin finish begin ");
}

TEST_CASE("the state is that after the batch given, not after the one read ahead") {
  TinyBatches source, expected;
  std::string notes;
  BatchesAhead ahead(source, std::make_unique<NotingCopier>(notes));
  CHECK(ahead.state() == expected.state());
  ahead.next();
  expected.next();
  CHECK(ahead.state() == expected.state());
  ahead.restore({{"next", 5}});
  expected.restore({{"next", 5}});
  CHECK(ahead.state() == expected.state());
  CHECK(ahead.next().samples == expected.next().samples);
  CHECK(ahead.state() == expected.state());
}

TEST_CASE("what fails while reading ahead fails when it is asked for") {
  TinyBatches source;
  source.die_at = 1;
  std::string notes;
  BatchesAhead ahead(source, std::make_unique<NotingCopier>(notes));
  CHECK_NOTHROW(ahead.next());
  CHECK(ahead.state() == Json({{"next", 1}}));
  CHECK_THROWS_AS(ahead.next(), std::runtime_error);
}

TEST_CASE(
    "a copy waits for the steps that may read its memory, and the step that reads it waits for the copy") {
  static NotedStreams streams;
  const c10::impl::DeviceGuardImplRegistrar registrar(NotedStreams::kType, &streams);
  EmptyBatches source;
  const auto ahead = read_ahead(source, c10::Device(NotedStreams::kType, 0));
  const std::string copied = "batch, record a on 0, 1 waits for a, record b on 1, ";
  ahead->next();
  CHECK(NotedStreams::notes == copied + "0 waits for b, " + copied);
  NotedStreams::notes.clear();
  ahead->next();
  CHECK(NotedStreams::notes == "0 waits for b, " + copied);
  CHECK(NotedStreams::current == 0);
}

TEST_CASE("the CPU reads batches where they are") {
  TinyBatches source;
  CHECK(read_ahead(source, at::kCPU) == nullptr);
}
