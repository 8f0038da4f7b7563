#include "train/run/text_notes.h"

#include "data/store/build_token_store.h"
#include "io/json.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/files.h"
#include "train/debug_configs.h"

using namespace lmzoo;
using namespace lmzoo::test;
using Catch::Matchers::Contains;
using Catch::Matchers::VectorContains;

namespace {

using Lines = std::vector<std::string>;

// A run of `text` on bytes, which a plan can encode before anything is trained.
struct Noted {
  TempDir dir;
  std::vector<std::string> changes;

  explicit Noted(const std::string& text, const std::string& data, std::vector<std::string> more = {}) {
    write_file(dir / "a", text);
    const std::string named = "{files: ['" + (dir / "a") + "']" + data + "}";
    changes = std::move(more);
    changes.insert(changes.end(),
                   {"data.train=" + named,
                    "data.valid=" + named,
                    "tokenizer={type: byte, sentinels: 0}",
                    "data.cache_dir=" + (dir / "cache")});
  }

  Plan plan(const std::string& name) const { return make_plan(debug_config(name, changes), registry()); }
  // Encodes as training does.
  std::vector<TextNotes> assembled(const std::string& name) const {
    return assemble(debug_config(name, changes), registry(), {.style = ProgressBar::Style::silent}).texts;
  }
};

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) {
    all += text;
  }
  return all;
}

}  // namespace

TEST_CASE("what is left out or replaced of a text is told before training, and after encoding the same") {
  const Noted run("one\n\n\xFF\xFEtwo\n  \nthree\n", "");
  const Lines expected{"train: 2 lines or records without text are left out",
                       "train: 2 places that are no UTF-8, or NUL, are read as U+FFFD"};
  const Lines before = run.plan("gpt").warnings;
  const auto notes = run.assembled("gpt");
  REQUIRE(notes.size() == 2);
  CHECK(to_lines(notes[0]) == expected);
  const Lines after = run.plan("gpt").warnings;
  for (const std::string& line : expected) {
    CHECK_THAT(before, VectorContains(line));
    CHECK_THAT(after, VectorContains(line));
  }
  CHECK(notes[1].name == "valid");
  CHECK(notes[1].read == notes[0].read);
}

TEST_CASE("a file of the training text that is evaluated, too, is told") {
  const Noted run("one\ntwo\n", "");
  CHECK_THAT(run.plan("gpt").warnings, VectorContains("valid: " + (run.dir / "a") + " is also trained on"));
}

TEST_CASE("texts that are longer than their window are counted, with the rule of their objective") {
  const std::string fits = "a day\tgood\n", cut = repeated("a long day ", 20) + "\tbad\n";
  const Noted rows(fits + cut + cut, ", format: tsv, text: '1', label: '2'", {"data.sequence_length=32"});
  CHECK(rows.assembled("classify")[0].cut.count == 2);
  CHECK(rows.assembled("classify")[0].cut.among == 3);
  const Noted targets("a\tb\na\t" + repeated("b", 99) + "\n" + repeated("a", 99) + "\tb\n",
                      ", format: tsv, text: '1', target: '2'",
                      {"data.sequence_length=32", "objective={type: text_to_text, target_length: 16}"});
  CHECK(targets.assembled("text_to_text")[0].cut.count == 2);
  const Noted lines(repeated("a", 99) + "\n", "", {"data.sequence_length=32"});
  CHECK(lines.assembled("gpt")[0].cut.count == 0);  // split, not cut
}

TEST_CASE("prompts that fill the window are told by the plan before and after the text is encoded") {
  const std::string prompt = repeated("a prompt ", 10);
  const Noted run(prompt + "\tyes\nshort\tno\n" + prompt + "\tno\n",
                  ", format: tsv, text: '1', target: '2'",
                  {"data.sequence_length=40", "objective={type: causal_lm, completion_only: true}"});
  const std::string line =
      "train: 2 of 3 samples have no label in their window, so nothing is learned from them";
  CHECK_THAT(run.plan("completion").warnings, VectorContains(line));
  const auto notes = run.assembled("completion");
  CHECK(notes[0].without_labels.count == 2);
  CHECK_THAT(run.plan("completion").warnings, VectorContains(line));
}

TEST_CASE("a text with unknown tokens has no bits per byte, and that is told") {
  const TempDir dir;
  write_file(dir / "train.txt", repeated("abc abd\n", 20));
  write_file(dir / "valid.txt", "abc\nxyz\n");
  const LoadedConfig loaded = debug_config("gpt",
                                           {"data.train.files=[" + (dir / "train.txt") + "]",
                                            "data.valid.files=[" + (dir / "valid.txt") + "]",
                                            "tokenizer={type: char}",
                                            "data.cache_dir=" + (dir / "cache")});
  const Assembled run = assemble(loaded, registry(), {.style = ProgressBar::Style::silent});
  CHECK(run.texts[0].read.unknown == 0);
  CHECK(run.texts[1].read.unknown == 3);
  CHECK(run.valid.front().bytes == 0);
  CHECK_THAT(to_lines(run.texts[1]).back(), Contains("3 of 6 tokens are unknown to the tokenizer"));
}

TEST_CASE("every count stands in the plan's JSON") {
  const Noted run("one\n\ntwo\n", "");
  const Json train = to_json(run.plan("gpt")).at("data").at("train");
  CHECK(train.at("blank") == 1);
  CHECK(train.at("invalid_bytes") == 0);
  CHECK(train.at("without_labels") == 0);
  CHECK(train.at("without_labels_among") == 2);
}
