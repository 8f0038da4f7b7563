// Writing by filling masks.
#include "infer/decode/denoise.h"

#include <algorithm>

#include <ATen/ops/eye.h>
#include <ATen/ops/zeros.h>

#include "infer/decode/run_prompt.h"
#include "infer/fresh_run.h"
#include "support/catch.h"

using namespace lmzoo;
using test::fresh_run;

namespace {

using Ids = std::vector<int64_t>;

// Says id 10 + position at every place, the surer the further right; and counts how often it is asked.
class SureOfTheRight final : public Model {
 public:
  explicit SureOfTheRight(int64_t vocabulary) : vocabulary_(vocabulary) {
    register_parameter("weight", at::zeros({1}));
  }
  Architecture architecture() const override { return Architecture::encoder_only; }
  int64_t width() const override { return vocabulary_; }
  int64_t vocab_rows() const override { return vocabulary_; }
  int64_t max_length() const override { return 16; }
  std::vector<ModelPart> parts() const override { return {{.name = "all", .prefixes = {"weight"}}}; }
  double train_flops(const SequenceLengths&, double) const override { return 0; }

  Tensor hidden(const Inputs& inputs) override {
    const int64_t length = inputs.ids.size(0);
    Tensor states = at::zeros({length, vocabulary_});
    const auto* ids = inputs.ids.const_data_ptr<int64_t>();
    seen.emplace_back(ids, ids + length);
    for (int64_t i = 0; i < length; ++i) {
      states[i][10 + i] = 2.0 + 0.5 * static_cast<double>(i);
    }
    return states;
  }
  Projection project(const Tensor& rows) override {
    return {.rows = rows, .weight = at::eye(vocabulary_), .bias = {}};
  }

  std::vector<Ids> seen;

 private:
  int64_t vocabulary_;
};

Stream greedy_stream() { return Stream({.purpose = Purpose::sampling}); }
const SamplingOptions kGreedy{.temperature = 0, .top_k = {}, .top_p = {}};

}  // namespace

TEST_CASE("the surest masks are filled first, so many a step, and what was there stays") {
  SureOfTheRight model(40);
  Stream stream = greedy_stream();
  const Ids filled =
      fill_masks(model, {2, 4, 7, 4, 4, 4, 4, 3}, {.mask = 4, .steps = 2, .sampling = kGreedy}, stream);
  CHECK(filled == Ids{2, 11, 7, 13, 14, 15, 16, 3});
  REQUIRE(model.seen.size() == 2);
  CHECK(model.seen[1] == Ids{2, 4, 7, 4, 4, 15, 16, 3});  // floor(5/2) of the right
}

TEST_CASE("more steps than masks are one mask a step, and without masks nothing is asked") {
  SureOfTheRight model(40);
  Stream stream = greedy_stream();
  const Ids filled = fill_masks(model, {2, 4, 4, 3}, {.mask = 4, .steps = 100, .sampling = kGreedy}, stream);
  CHECK(filled == Ids{2, 11, 12, 3});
  CHECK(model.seen.size() == 2);
  CHECK(fill_masks(model, {2, 3}, {.mask = 4, .steps = 3}, stream) == Ids{2, 3});
  CHECK(model.seen.size() == 2);
}

TEST_CASE("neither the mask nor what is forbidden is written, and too long a text is refused") {
  SureOfTheRight model(40);
  for (uint64_t seed = 0; seed < 50; ++seed) {
    Stream stream({.seed = seed, .purpose = Purpose::sampling});
    const DenoiseOptions options{.mask = 4, .steps = 3, .sampling = {}, .forbidden = {0, 1, 2, 3, 12}};
    for (const int64_t id : fill_masks(model, Ids(8, 4), options, stream)) {
      CHECK((id > 4 && id != 12));
    }
  }
  Stream stream = greedy_stream();
  CHECK_THROWS_WITH(fill_masks(model, Ids(17, 4), {.mask = 4}, stream),
                    "the text and what is to be written have 17 tokens, but the model takes at most 16");
}

TEST_CASE("a masked_diffusion run continues texts by filling masks behind them") {
  const LoadedRun run = fresh_run("masked_diffusion");
  GenerateOptions options = text_only(run);
  options.max_tokens = 12;
  options.stop.clear();
  options.forbidden.push_back(run.parts.vocabulary.eos.value());
  std::vector<Continuation> made;
  const std::vector<std::string> texts{"an owl", "a"};
  const ContinueUse use{
      .stream = [](size_t i) { return Stream({.sample = i, .purpose = Purpose::sampling}); },
      .result = [&](size_t, const Continuation& each) { made.push_back(each); }};
  continue_texts(run, texts, options, use);
  REQUIRE(made.size() == 2);
  CHECK(made[0].ids.size() == 12);
  CHECK(made[0].text == "an owl" + run.tokenizer->decode(made[0].ids));
  CHECK(std::ranges::none_of(made[0].ids, [&](int64_t id) { return run.parts.vocabulary.is_special(id); }));
  options.steps = 3;
  continue_texts(run, texts, options, use);
  CHECK(made.at(3).ids.size() == 12);

  const LoadedRun other = fresh_run("gpt");
  CHECK_THROWS_WITH(
      continue_texts(other, texts, options, use),
      "steps are of models that fill masks (masked_diffusion), and this one writes from left to right");
  options.steps.reset();
  CHECK_THROWS_WITH(continue_texts(fresh_run("bert"), texts, options, use),
                    "generate needs a decoder; use fill-mask for an encoder-only model");
}
