// Objectives that read a second document: where it comes from, and that examples stay functions of their keys.
#include <ATen/ops/equal.h>

#include "data/batches/loader.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/files.h"
#include "tokenizer/vocabulary_of.h"
#include "train/debug_configs.h"
#include "train/run/assemble.h"

using namespace lmzoo;
using namespace lmzoo::test;
using Catch::Matchers::Contains;

namespace {

struct Data {
  TempDir dir;
  LoadedConfig loaded;
  std::shared_ptr<const Tokenizer> tokenizer;
  Parts parts;
  std::optional<Windows> windows;

  explicit Data(const std::string& name)
      : loaded(debug_config(name,
                            {"data.cache_dir=" + (dir / "cache"), "tokenizer={type: char, sentinels: 0}"})) {
    constexpr auto kSilent = ProgressBar::Style::silent;
    tokenizer = make_run_tokenizer(loaded, kSilent);
    const auto store =
        open_store(loaded, "data.train", loaded.config.data.train, tokenizer, std::nullopt, kSilent);
    parts = build_parts(loaded, registry(), vocabulary_of(*tokenizer), {});
    windows.emplace(make_windows(loaded, *parts.objective, parts.vocabulary, store));
  }

  std::vector<Batch> batches(const LoaderOptions& options, int64_t count) const {
    Loader loader(*windows, loader_steps(parts, *windows), options);
    std::vector<Batch> all;
    for (int64_t i = 0; i < count; ++i) {
      all.push_back(loader.next().value());
    }
    return all;
  }
};

}  // namespace

TEST_CASE("pairs are the same with any number of workers, and after a restored state") {
  const std::string name = GENERATE("next_sentence", "sentence_order");
  const Data data(name);
  const auto one = data.batches({.batch_size = 8, .seed = 3, .workers = 0}, 20);  // over an epoch's end
  const auto many = data.batches({.batch_size = 8, .seed = 3, .workers = 3, .prefetch = 5}, 20);
  for (size_t i = 0; i < one.size(); ++i) {
    REQUIRE(at::equal(one[i].inputs.ids, many[i].inputs.ids));
    REQUIRE(at::equal(one[i].slots[1].labels, many[i].slots[1].labels));
    REQUIRE(one[i].inputs.sequences.count() > 8);  // several pairs a document
  }
  Loader loader(
      *data.windows, loader_steps(data.parts, *data.windows), {.batch_size = 8, .seed = 3, .workers = 0});
  loader.restore({.epoch = 0, .position = 40});
  CHECK(at::equal(loader.next()->inputs.ids, one[5].inputs.ids));
}

TEST_CASE("a plan, a training and an evaluation of one document are refused where it is read") {
  const TempDir dir;
  write_file(dir / "one.txt", "a day.\na night.\n");
  write_file(dir / "two.txt", "a day.\na night.\n\nan owl.\n");
  const auto refusal = [&](const std::string& train, const std::string& valid) {
    const auto named = [&](const std::string& file) {
      return "{files: ['" + (dir / file) + "'], format: paragraphs, sentences: lines}";
    };
    const std::vector<std::string> changes{"data.train=" + named(train),
                                           "data.valid=" + named(valid),
                                           "tokenizer={type: byte}",
                                           "data.cache_dir=" + (dir / "cache")};
    const std::string planned =
        error_of([&] { make_plan(debug_config("next_sentence", changes), registry()); });
    const std::string assembled = error_of([&] {
      assemble(debug_config("next_sentence", changes), registry(), {.style = ProgressBar::Style::silent});
    });
    CHECK(planned == assembled);
    return assembled;
  };
  const std::string reason = "the text is one document, but what is learned from it needs others";
  CHECK_THAT(refusal("one.txt", "two.txt"), Contains("data.train: " + reason));
  CHECK_THAT(refusal("two.txt", "one.txt"), Contains("data.valid: " + reason));
  CHECK(refusal("two.txt", "two.txt") == "no error");
}

TEST_CASE("objectives that need sentences say how they are written, others refuse them") {
  CHECK_THAT(error_of([] { debug_plan("next_sentence", {"data.train.sentences=none"}); }),
             Contains("data.valid.sentences: is lines, but that of data.train is none"));
  const std::vector<std::string> none{"data.train.sentences=none", "data.valid.sentences=none"};
  CHECK_THAT(error_of([&] { debug_plan("next_sentence", none); }),
             Contains("next_sentence learns from sentences: set data.train.sentences to lines"));
  CHECK_THAT(error_of([] { debug_plan("next_sentence", {"objective={type: masked_lm}"}); }),
             Contains("masked_lm reads one text and neither other columns nor sentences"));
}
