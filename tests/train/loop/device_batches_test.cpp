#include "train/loop/device_batches.h"

#include <stdexcept>

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
