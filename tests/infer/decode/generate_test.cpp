#include "infer/decode/generate.h"

#include "base/check.h"
#include "infer/ask/fill_mask.h"
#include "support/catch.h"
#include "support/fake_models.h"

using namespace lmzoo;

namespace {

constexpr int64_t kVocab = 12;
int64_t successor(int64_t id) { return (id + 1) % kVocab; }

GenerateOptions greedy(int64_t max_tokens) {
  GenerateOptions options;
  options.max_tokens = max_tokens;
  options.sampling.temperature = 0;
  return options;
}

Stream stream() { return Stream({.seed = 1, .epoch = 0, .sample = 0, .purpose = Purpose::sampling}); }

}  // namespace

TEST_CASE("greedy generation follows the model, with a cache and without") {
  test::SuccessorModel model(Architecture::decoder_only, kVocab, successor);
  Stream draws = stream();
  GenerateOptions options = greedy(4);
  CHECK(generate(model, {.source = {}, .context = {3, 5}}, options, draws) ==
        std::vector<int64_t>{6, 7, 8, 9});
  CHECK(model.computed == 2 + 3);  // the prompt once, then one position a token
  options.cache = false;
  model.computed = 0;
  CHECK(generate(model, {.source = {}, .context = {3, 5}}, options, draws) ==
        std::vector<int64_t>{6, 7, 8, 9});
  CHECK(model.computed == 2 + 3 + 4 + 5);
}

TEST_CASE("generation ends before a stop token and never gives a forbidden one") {
  test::SuccessorModel model(Architecture::decoder_only, kVocab, successor);
  Stream draws = stream();
  GenerateOptions options = greedy(10);
  options.stop = {8};
  CHECK(generate(model, {.source = {}, .context = {5}}, options, draws) == std::vector<int64_t>{6, 7});
  options.stop.clear();
  options.forbidden = {6};
  CHECK(generate(model, {.source = {}, .context = {5}}, options, draws).front() != 6);
}

TEST_CASE("prompts of any lengths are written together, and one that ends makes room") {
  test::SuccessorModel model(Architecture::decoder_only, kVocab, successor);
  const std::vector<Prompt> prompts{{.context = {3, 5}}, {.context = {7}}, {.context = {0, 0, 2}, .room = 1}};
  std::vector<Stream> draws(3, stream());
  GenerateOptions options = greedy(5);
  options.stop = {9};
  const std::vector<std::vector<int64_t>> expected{{6, 7, 8}, {8}, {3, 4}};
  CHECK(generate(model, prompts, options, draws) == expected);
  CHECK(model.computed == 6 + 3 + 1 + 1);  // the prompts, then three, one and one that were not at their end
  model.computed = 0;
  options.cache = false;
  CHECK(generate(model, prompts, options, draws) == expected);
  CHECK(model.computed == 6 + (3 + 2 + 4) + 4 + 5);
  std::vector<Stream> few(2, stream());
  CHECK_THROWS_AS(generate(model, prompts, options, few), std::logic_error);
}

TEST_CASE("a batch draws for each prompt what it draws for it alone") {
  test::SuccessorModel model(Architecture::decoder_only, kVocab, successor);
  GenerateOptions options = greedy(12);
  options.sampling.temperature = 5;
  options.stop = {11};
  std::vector<Prompt> prompts;
  std::vector<Stream> draws;
  const auto stream_of = [](uint64_t i) {
    return Stream({.seed = 1, .sample = i, .purpose = Purpose::sampling});
  };
  for (int64_t i = 0; i < 6; ++i) {
    prompts.push_back({.context = std::vector<int64_t>(static_cast<size_t>(i + 1), i)});
    draws.push_back(stream_of(static_cast<uint64_t>(i)));
  }
  const std::vector<std::vector<int64_t>> together = generate(model, prompts, options, draws);
  for (size_t i = 0; i < prompts.size(); ++i) {
    Stream own = stream_of(i);
    CHECK(generate(model, prompts[i], options, own) == together[i]);
  }
}

TEST_CASE("every new token is shown as it is made") {
  test::SuccessorModel model(Architecture::decoder_only, kVocab, successor);
  Stream draws = stream();
  std::vector<int64_t> seen;
  const std::vector<int64_t> made = generate(
      model, {.source = {}, .context = {0}}, greedy(3), draws, [&](int64_t id) { seen.push_back(id); });
  CHECK(seen == made);
}

TEST_CASE("an encoder-decoder continues its start symbol") {
  test::SuccessorModel model(Architecture::encoder_decoder, kVocab, successor);
  Stream draws = stream();
  CHECK(generate(model, {.source = {7, 1}, .context = {0}}, greedy(3), draws) ==
        std::vector<int64_t>{1, 2, 3});
}

TEST_CASE("too long a request states both lengths") {
  test::SuccessorModel model(Architecture::decoder_only, kVocab, successor);
  Stream draws = stream();
  CHECK_THROWS_WITH(generate(model, {.source = {}, .context = {1, 2}}, greedy(40), draws),
                    "the prompt has 2 tokens and 40 more are asked for, but the model takes at most 32");
  CHECK_THROWS_WITH(generate(model, {.source = {}, .context = {}}, greedy(4), draws),
                    "the prompt has no token");
}

TEST_CASE("the same stream draws the same text") {
  test::SuccessorModel model(Architecture::decoder_only, kVocab, successor);
  GenerateOptions options = greedy(20);
  options.sampling.temperature = 5;
  Stream a = stream();
  Stream b = stream();
  CHECK(generate(model, {.source = {}, .context = {1}}, options, a) ==
        generate(model, {.source = {}, .context = {1}}, options, b));
}

TEST_CASE("a score is the sum of log-probabilities, and knows whether greedy would have said the same") {
  test::SuccessorModel model(Architecture::decoder_only, kVocab, successor);
  const Score right = score(model, {.source = {}, .context = {3}}, std::vector<int64_t>{4, 5});
  const double each = 10 - std::log(std::exp(10.0) + (kVocab - 1));
  CHECK(right.log_probability == Approx(2 * each).epsilon(1e-3));
  CHECK(right.greedy);
  const Score wrong = score(model, {.source = {}, .context = {3}}, std::vector<int64_t>{4, 7});
  CHECK(wrong.log_probability == Approx(2 * each - 10));
  CHECK_FALSE(wrong.greedy);
}

TEST_CASE(
    "spans are cut at sentinels; one that was never written is empty, and a repeated one means the last") {
  // sentinels 99, 98, 97; the text asked for 99 and 98
  CHECK(spans_of({99, 5, 6, 98, 7, 97}, {99, 98}, {99, 98, 97}) ==
        std::vector<std::vector<int64_t>>{{5, 6}, {7}});
  CHECK(spans_of({4, 98, 7}, {99, 98}, {99, 98, 97}) == std::vector<std::vector<int64_t>>{{}, {7}});
  CHECK(spans_of({99, 5, 99, 6}, {99}, {99}) == std::vector<std::vector<int64_t>>{{6}});
}
