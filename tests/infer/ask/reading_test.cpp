// Questions are read as the run's texts were: so many a line, each behind its prefix.
#include "train/run/reading.h"

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
