#include "train/run/milestones.h"

#include <filesystem>

#include "data/stores.h"
#include "support/catch.h"
#include "support/errors.h"
#include "train/debug_configs.h"

using namespace lmzoo;
using namespace lmzoo::test;
using Catch::Matchers::Contains;

namespace {

// 10 documents of 6 tokens and 3 words, 4 of them a step.
std::vector<int64_t> milestones_of(const std::string& save_at, int64_t steps = 10) {
  const TempDir dir;
  write_atomically(dir / "tokens.bin", [](FileSink& sink) {
    TokenStoreWriter writer(sink, 100);
    for (int64_t i = 0; i < 10; ++i) {
      writer.add({{1, 2, 3, 4, 5, 6}, 12, -1});
    }
    writer.note({.words = 30});
    writer.finish({});
  });
  const Windows windows(std::make_shared<const TokenStore>(dir / "tokens.bin"), {.length = 8});
  return milestones(debug_config("gpt", {"train.batch_size=4", "train.save_at=" + save_at}), windows, steps);
}

}  // namespace

TEST_CASE("amounts of training become the steps after which they have been seen") {
  using Steps = std::vector<int64_t>;
  CHECK(milestones_of("{}").empty());
  CHECK(milestones_of("{steps: [7, 2, 7]}") == Steps{2, 7});
  CHECK(milestones_of("{words: [1, 12, 13, 60]}") == Steps{1, 2, 5});    // 12 words a step
  CHECK(milestones_of("{tokens: [24, 25, 240.0]}") == Steps{1, 2, 10});  // 24 tokens a step
  CHECK(milestones_of("{steps: [3], words: [36]}") == Steps{3});
}

TEST_CASE("an amount that a run does not reach is refused with what it reaches") {
  CHECK_THAT(error_of([] { milestones_of("{words: [121]}"); }),
             Contains("train.save_at.words") &&
                 Contains("121 words are not reached: the run sees 120 in its 10 steps"));
  CHECK_THAT(error_of([] { milestones_of("{steps: [0]}"); }), Contains("train.save_at.steps"));
}
