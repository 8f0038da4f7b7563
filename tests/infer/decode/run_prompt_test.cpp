// Texts as runs were trained to go on from them.
#include "infer/decode/run_prompt.h"

#include "infer/fresh_run.h"
#include "support/catch.h"

using namespace lmzoo;
using test::fresh_run;

namespace {

std::vector<int64_t> joined_ids(std::vector<int64_t> ids, const std::vector<int64_t>& more) {
  ids.insert(ids.end(), more.begin(), more.end());
  return ids;
}

// A decoder-only model that was trained to write targets behind sources.
LoadedRun prefix_run() { return fresh_run("text_to_text", {"model.type=gpt"}); }

}  // namespace

TEST_CASE("a continued text begins as texts do in training") {
  const LoadedRun stream = fresh_run("gpt");
  const std::vector<int64_t> text = stream.tokenizer->encode("an owl");
  const int64_t eos = stream.tokenizer->vocabulary().eos.value();
  CHECK(prompt_of(stream, "an owl").context == joined_ids({eos}, text));
  CHECK(prompt_of(stream, "an owl").prefix == 0);

  const LoadedRun plain = fresh_run("gpt", {"data.windows=documents"});
  CHECK(prompt_of(plain, "an owl").context == text);
  const LoadedRun begun = fresh_run("gpt", {"data.windows=documents", "objective.add_bos=true"});
  const int64_t bos = begun.tokenizer->vocabulary().bos.value();
  CHECK(begun.parts.objective->begins_with() == bos);
  CHECK(prompt_of(begun, "an owl").context == joined_ids({bos}, text));
  CHECK_THROWS_WITH(prompt_of(fresh_run("bert"), "an owl"),
                    "generate needs a decoder; use fill-mask for an encoder-only model");
}

TEST_CASE("a source is read by the encoder or, of a decoder-only model, from both sides") {
  const LoadedRun two = fresh_run("text_to_text");
  const Vocabulary& vocabulary = two.tokenizer->vocabulary();
  const std::vector<int64_t> source =
      joined_ids(two.tokenizer->encode("mood of: an owl"), {vocabulary.eos.value()});
  const Prompt across = prompt_of(two, "an owl");
  CHECK(across.source == source);
  CHECK(across.context == std::vector<int64_t>{vocabulary.pad.value()});
  CHECK(writes_answers(two));

  const LoadedRun one = prefix_run();
  const Prompt before = prompt_of(one, "an owl");
  CHECK(before.source.empty());
  CHECK(before.context == joined_ids({vocabulary.pad.value()}, source));
  CHECK(before.prefix == std::ssize(source) + 1);
  CHECK(writes_answers(one));
  CHECK_FALSE(writes_answers(fresh_run("gpt")));
}

TEST_CASE("texts of any lengths are continued in order, with the state and without, as each one alone") {
  const std::string name = GENERATE(as<std::string>(), "gpt", "t5", "prefix");
  INFO(name);
  const LoadedRun run = name == "prefix" ? prefix_run() : fresh_run(name);
  std::vector<std::string> texts;
  for (size_t i = 0; i < kPromptsAtOnce + 3; ++i) {
    texts.push_back(std::string("the old owl sleeps").substr(0, 3 + i % 9));
  }
  GenerateOptions options = text_only(run);
  options.max_tokens = 6;
  const auto continued = [&](std::span<const std::string> some, size_t first) {
    std::vector<std::vector<int64_t>> all;
    continue_texts(
        run,
        some,
        options,
        {.stream =
             [&](size_t i) { return Stream({.seed = 4, .sample = first + i, .purpose = Purpose::sampling}); },
         .result =
             [&](size_t i, const Continuation& made) {
               CHECK(i == all.size());
               all.push_back(made.ids);
             }});
    return all;
  };
  const std::vector<std::vector<int64_t>> together = continued(texts, 0);
  REQUIRE(together.size() == texts.size());
  for (const size_t i : {size_t{0}, size_t{7}, texts.size() - 1}) {
    CHECK(continued(std::span(texts).subspan(i, 1), i).front() == together[i]);
  }
  options.cache = false;
  CHECK(continued(texts, 0) == together);
}
