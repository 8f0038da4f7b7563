// Training a SentencePiece tokenizer: its cache, its limits, its sample.
#include <algorithm>
#include <filesystem>
#include <functional>
#include <sstream>

#include "support/catch.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/tiny_corpus.h"
#include "tokenizer/sentencepiece/train.h"
#include "tokenizer/tokenizer.h"

using namespace lmzoo;
using lmzoo::test::read_file;
using lmzoo::test::TempDir;
using lmzoo::test::write_file;
using test::error_of;
namespace fs = std::filesystem;

namespace {

using TokenizerPtr = std::shared_ptr<const Tokenizer>;

}  // namespace

TEST_CASE("training gives the same bits again, and is not repeated when it is cached") {
  const TempDir dir;
  const TextOptions corpus = test::tiny_corpus(dir);
  const TokenizerOptions options{.vocab_size = 480};
  int trainings = 0;
  const Progress progress = [&](std::string_view stage, double) {
    trainings += stage == "training the tokenizer";
  };
  const TokenizerPtr first = make_tokenizer(options, corpus, dir / "cache", progress);
  CHECK(trainings == 1);
  const TokenizerPtr second = make_tokenizer(options, corpus, dir / "cache", progress);
  CHECK(trainings == 1);
  const TokenizerPtr fresh = make_tokenizer(options, corpus, "", progress);
  CHECK(trainings == 2);
  CHECK(first->fingerprint() == second->fingerprint());
  CHECK(first->fingerprint() == fresh->fingerprint());

  // Other options or another text: another entry. A damaged entry is made again.
  make_tokenizer({.vocab_size = 479}, corpus, dir / "cache", progress);
  CHECK(trainings == 3);
  std::string entry;
  for (const auto& folder : fs::directory_iterator(dir / "cache")) {
    entry = folder.path();
    const std::string model = entry + "/spiece.model";
    write_file(model, read_file(model).substr(0, 1000));
  }
  CHECK(make_tokenizer(options, corpus, dir / "cache", progress)->fingerprint() == first->fingerprint());
  CHECK(trainings == 4);
  write_file(dir / "corpus.txt", test::tiny_corpus_text() + "one line more\n");
  make_tokenizer(options, corpus, dir / "cache", progress);
  CHECK(trainings == 5);
}

TEST_CASE("an impossible vocab_size is refused with the range, and its ends are possible") {
  const TempDir dir;
  const TextOptions corpus = test::tiny_corpus(dir);
  for (const auto algorithm : {PieceAlgorithm::unigram, PieceAlgorithm::bpe}) {
    const auto make = [&](int64_t size) {
      return make_tokenizer({.algorithm = algorithm, .vocab_size = size}, corpus, "");
    };
    const std::string high = error_of([&] { make(1'000'000); });
    CHECK_THAT(high,
               Catch::StartsWith(
                   "tokenizer.vocab_size is 1000000, more than this corpus has pieces for: legal is "));
    std::istringstream range(high.substr(high.find("legal is ") + 9));
    int64_t least = 0, most = 0;
    std::string to;
    range >> least >> to >> most;
    INFO(high);
    CHECK(make(least)->vocabulary().size == least);
    CHECK(make(most)->vocabulary().size == most);
    const std::string low = error_of([&] { make(least - 1); });
    CHECK_THAT(low, Catch::Contains("too few for special tokens, 256 bytes, every character"));
    CHECK_THAT(low, Catch::EndsWith("legal is " + std::to_string(least) + " or more"));
    CHECK_THAT(error_of([&] { make(50); }),
               Catch::EndsWith("legal is " + std::to_string(least) + " or more"));
  }
}

TEST_CASE("the training sample is uniform, bounded, in order, and cuts long documents at spaces") {
  SentenceSample sample(1000);
  for (int i = 0; i < 1000; ++i) {
    sample.add("sentence " + std::to_string(1000 + i));
  }
  const auto kept = sample.take();
  CHECK(kept.size() == 1000 / 13);
  CHECK(std::is_sorted(kept.begin(), kept.end()));
  // 76 of 1,000: about half of them in the first half (5 standard deviations are 22).
  const auto half = std::lower_bound(kept.begin(), kept.end(), "sentence 1500") - kept.begin();
  CHECK(std::abs(half - 38) < 22);

  SentenceSample whole(1 << 20);
  std::string words, unbroken;
  for (int i = 0; i < 3000; ++i) {
    words += "word ";
    unbroken += "\u4E16";
  }
  whole.add(words);
  whole.add(unbroken);
  std::string together;
  for (const std::string& sentence : whole.take()) {
    CHECK(sentence.size() <= 4096);
    CHECK((sentence.starts_with("word") || sentence.starts_with(" word") || sentence.starts_with("\u4E16")));
    together += sentence;
  }
  CHECK(together == words + unbroken);
}
