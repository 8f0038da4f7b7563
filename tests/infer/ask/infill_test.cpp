#include "infer/ask/infill.h"

#include "infer/decode/run_prompt.h"
#include "infer/fresh_run.h"
#include "objectives/parts/middle.h"
#include "support/catch.h"

using namespace lmzoo;
using test::fresh_run;

namespace {

GenerateOptions a_few(const LoadedRun& run) {
  GenerateOptions options;
  options.max_tokens = 5;
  options.sampling.temperature = 0;
  options.stop = ends_of(run.parts);
  return options;
}

Infilling filled(const LoadedRun& run, const std::string& text) {
  Stream stream({});
  return infill(run, text, a_few(run), stream);
}

}  // namespace

TEST_CASE("a gap is asked for as fill_in_the_middle was learned, and its middle stands in the text") {
  const double spm_share = GENERATE(0.0, 1.0);
  const LoadedRun run = fresh_run("fill_in_the_middle", {"objective.spm_share=" + std::to_string(spm_share)});
  const Tokenizer& tokenizer = *run.tokenizer;
  MiddleTokens tokens = run.parts.objective->fills_in().value();
  CHECK(tokens.prefix == tokenizer.vocabulary().sentinels[0]);
  CHECK(tokens.suffix_first == (spm_share == 1));
  Stream stream({});
  GenerateOptions options = a_few(run);
  options.forbidden = {tokens.prefix, tokens.suffix, tokens.middle};
  const std::vector<int64_t> middle =
      generate(*run.parts.model,
               {.context = before_middle(tokenizer.encode("the old "), tokenizer.encode(" sleeps"), tokens)},
               options,
               stream);
  const Infilling made = filled(run, "the old <extra_id_0> sleeps");
  CHECK(made.target == middle);
  REQUIRE(made.spans == std::vector<std::string>{tokenizer.decode(middle)});
  CHECK(made.text == "the old " + made.spans[0] + " sleeps");
}

TEST_CASE("a run that fills one gap refuses none and two, and other runs say who fills gaps") {
  const LoadedRun run = fresh_run("fill_in_the_middle");
  CHECK_THROWS_WITH(filled(run, "the owl sleeps"), "the text has no <extra_id_0> to fill");
  CHECK_THROWS_WITH(filled(run, "the <extra_id_0> owl <extra_id_1>"),
                    "the text has several gaps, but fill_in_the_middle fills one, <extra_id_0>");
  CHECK_THROWS_WITH(filled(fresh_run("gpt"), "the <extra_id_0> owl"),
                    Catch::Contains("or a decoder-only model trained with fill_in_the_middle"));
}

TEST_CASE("a decoder-only model that writes targets reads a text as a source in windows of a stream, too") {
  const LoadedRun run = fresh_run("ul2");
  CHECK(run.config.config.data.windows == WindowKind::stream);
  CHECK(writes_answers(run));
  const Prompt prompt = prompt_of(run, "an owl");
  CHECK(prompt.prefix == std::ssize(prompt.context));
  CHECK(prompt.context.back() == run.tokenizer->vocabulary().eos.value());
}
