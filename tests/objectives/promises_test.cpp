// What objectives promise of their draws is kept, in all dialects, over a million tokens.
#include "objectives/promise_support.h"
#include "support/catch.h"

using namespace lmzoo;
using namespace lmzoo::test;

TEST_CASE("every objective keeps what it promises of its draws, over a million tokens") {
  constexpr uint64_t kTexts = 12'660;
  for (const Made& made : all_that_draw()) {
    Witness witness(objective_of(made));
    for (uint64_t number = 0; number < kTexts; ++number) {
      Stream stream = stream_of(number);
      witness.examples(numbered_text(number), numbered_place(number), stream);
    }
    CHECK(witness.tokens() > 999'000);
    CHECK(witness.states_promises());
    for (const WitnessedPromise& promise : witness.findings()) {
      INFO(made.objective << " " << witness.tokens() << " tokens, " << promise.name << ": expected "
                          << promise.finding.expected << ", seen " << promise.finding.seen << " of "
                          << promise.finding.cases << ", p " << promise.finding.p_value);
      CHECK(promise.finding.verdict == Verdict::holds);
    }
  }
}

TEST_CASE("an objective that draws nothing promises nothing") {
  const auto objective = make_objective("causal_lm",
                                        {},
                                        {.vocabulary = t5_vocabulary(),
                                         .architecture = Architecture::decoder_only,
                                         .sequence_length = 128,
                                         .classes = {}});
  Witness witness(objective);
  for (uint64_t number = 0; number < 10; ++number) {
    Stream stream = stream_of(number);
    witness.examples(numbered_text(number), {}, stream);
  }
  CHECK(!witness.draws());
  CHECK(witness.findings().empty());
}
