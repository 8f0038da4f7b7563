// Questions are read as the run's texts were: so many a line, each behind its prefix.
#include "train/run/reading.h"

#include <algorithm>

#include "base/check.h"
#include "infer/ask/classify.h"
#include "infer/decode/run_prompt.h"
#include "infer/fresh_run.h"
#include "infer/vectors/embed.h"
#include "support/catch.h"

using namespace lmzoo;
using test::fresh_run;

TEST_CASE("a line has as many texts as the run was trained on, else it is refused") {
  LoadedRun run = fresh_run("regression");
  const auto value = [&](const std::string& line) {
    return classify(run.parts, *run.tokenizer, {line}).front().value.value();
  };
  CHECK_NOTHROW(value("an owl\ta fox"));
  CHECK_THROWS_WITH(value("an owl"),
                    "this run reads 2 texts a line, with tabs between, but there are 1 in 'an owl'");
  CHECK_THROWS_WITH(value("an owl\ta fox\t1.0"), Catch::Contains("but there are 3 in"));
  run.parts.reading.record.texts = 1;
  CHECK_NOTHROW(value("an owl"));
  CHECK_THROWS_WITH(value("an owl\tneg"),
                    Catch::StartsWith("this run reads 1 text a line, without a tab, but there are 2"));
  run.parts.reading.record.texts = 0;  // a published model does not say
  CHECK_NOTHROW(value("an owl"));
  CHECK_NOTHROW(value("an owl\ta fox"));
  CHECK_THROWS_WITH(value("a\tb\tc"), Catch::Contains("one text or two"));
}

TEST_CASE("a multiple choice asks for its texts and two choices") {
  const LoadedRun run = fresh_run("choices");
  const Classification asked = classify(run.parts, *run.tokenizer, {"owl\tan owl flies\ta fox runs"}).front();
  REQUIRE(asked.classes.size() == 2);
  CHECK((asked.classes[0].first == "an owl flies" || asked.classes[0].first == "a fox runs"));
  CHECK_THROWS_WITH(classify(run.parts, *run.tokenizer, {"owl\tan owl flies"}),
                    Catch::Contains("at least 2 choices"));
}

TEST_CASE("a question has the prefix of the training texts, whoever asks") {
  LoadedRun pair = fresh_run("regression");
  const auto value = [&](const std::string& line) {
    return classify(pair.parts, *pair.tokenizer, {line}).front().value.value();
  };
  const double by_hand = value("the owl an owl\tthe fox a fox"), plain = value("an owl\ta fox");
  pair.parts.reading.prefix = {"the owl ", "the fox "};
  CHECK(value("an owl\ta fox") == by_hand);
  CHECK(plain != by_hand);

  const auto embedded = [&] { return embed_by_states(pair, {"an owl"}, {}, {}).vectors; };
  const Tensor behind = embedded();
  pair.parts.reading.prefix = {};
  CHECK_FALSE(behind.equal(embedded()));
  CHECK(behind.equal(embed_by_states(pair, {"the owl an owl"}, {}, {}).vectors));

  for (const std::string model : {"t5", "gpt"}) {
    LoadedRun writer = fresh_run("text_to_text", {"model.type=" + model});
    writer.parts.reading.prefix = {};
    const Prompt asked_by_hand = prompt_of(writer, "mood: an owl");
    writer.parts.reading.prefix = {"mood: "};
    CHECK(prompt_of(writer, "an owl").source == asked_by_hand.source);
    CHECK(prompt_of(writer, "an owl").context == asked_by_hand.context);
  }
  LoadedRun continues = fresh_run("gpt");
  const Prompt by_text = prompt_of(continues, "once an owl");
  continues.parts.reading.prefix = {"once "};
  CHECK(prompt_of(continues, "an owl").context == by_text.context);
}

TEST_CASE("a published decoder goes on from what its tokenizer writes before a text") {
  LoadedRun run = fresh_run("gpt");
  run.config.config.data.train.files.clear();
  run.parts.vocabulary.inputs = InputTemplate{.before = {3}, .between = {}, .after = {4}};
  settle_reading(run.parts, run.config.config);
  std::vector<int64_t> framed{3};
  for (const int64_t id : run.tokenizer->encode("an owl")) {
    framed.push_back(id);
  }
  CHECK(prompt_of(run, "an owl").context == framed);
  framed.push_back(4);
  CHECK(read_texts(run.parts, *run.tokenizer, {"an owl"}, {}).front().ids == framed);
}

TEST_CASE("a decoder that writes behind sources reads a text as one, from both sides") {
  const LoadedRun run = fresh_run("text_to_text", {"model.type=gpt"});
  const std::string text = run.parts.reading.text("an owl");
  const ReadText read = read_texts(run.parts, *run.tokenizer, {text}, {}).front();
  const Prompt prompt = prompt_of(run, "an owl");
  CHECK(read.ids == prompt.context);
  CHECK(prompt.prefix == std::ssize(read.ids));
  std::vector<Tensor> states;
  const auto last_layer = [&](size_t, const std::vector<Tensor>& layers) { states.push_back(layers.back()); };
  const ReadText other = read_texts(run.parts, *run.tokenizer, {text + " sleeps"}, {}).front();
  for_each_states(*run.parts.model, std::vector{read, other}, last_layer);
  CHECK_FALSE(states[0][1].equal(states[1][1]));  // an early position sees what comes later
}

TEST_CASE("what ends generation is the end symbol and what the run is asked to end at") {
  LoadedRun run = fresh_run("gpt");
  const int64_t eos = run.tokenizer->vocabulary().eos.value();
  CHECK(ends_of(run.parts) == std::vector<int64_t>{eos});
  run.parts.reading.ask.ends = {7, eos};
  CHECK(ends_of(run.parts) == std::vector<int64_t>{7, eos});
  const GenerateOptions options = text_only(run);
  CHECK(options.stop == std::vector<int64_t>{7, eos});
  CHECK(std::ranges::count(options.forbidden, 7) == 0);
  CHECK_THROWS_WITH(fresh_run("gpt", {"ask.ends=[7, 100000]"}),
                    Catch::Contains("ask.ends has 100000, but ids"));
}

TEST_CASE("a text is cut to what the run reads of one, and that is told") {
  LoadedRun run = fresh_run("bert");
  run.parts.reading.ask.max_length = 5;
  const EmbeddedTexts made = embed_by_states(run, {"the old owl sleeps here", "a"}, asked_so(run.parts), {});
  CHECK(made.cut == 1);
  const std::vector<int64_t> ids = run.tokenizer->encode("the old owl sleeps here");
  const ReadText cut =
      read_texts(run.parts, *run.tokenizer, {"the old owl sleeps here"}, asked_so(run.parts)).front();
  REQUIRE(cut.ids.size() == 5);
  CHECK(std::equal(ids.begin(), ids.begin() + 3, cut.ids.begin() + 1));
  CHECK(cut.ids.back() == run.parts.vocabulary.sep.value());
}
