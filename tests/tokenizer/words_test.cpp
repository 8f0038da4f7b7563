// Splitting, counting, phrases and the tokenizer of words.
#include "tokenizer/words/words.h"

#include <atomic>
#include <filesystem>

#include "base/check.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/mutants.h"
#include "text/words/parallel_text.h"

using namespace lmzoo;
using lmzoo::test::read_file;
using lmzoo::test::TempDir;
using lmzoo::test::write_file;
using test::error_of;

namespace {

using Words = std::vector<std::string>;
using Ids = std::vector<int64_t>;

Words split(std::string_view text, WordRules rules = {}) {
  Words words;
  WordSplitter splitter(rules, text);
  for (std::string_view word; splitter.next(word);) {
    words.emplace_back(word);
  }
  return words;
}

TextOptions corpus(const TempDir& dir, const std::string& text, const std::string& name = "corpus.txt") {
  write_file(dir / name, text);
  return {.files = {dir / name}};
}

std::map<std::string, int64_t> counted(const WordCounts& counts) {
  std::map<std::string, int64_t> all;
  for (int64_t i = 0; i < counts.words.size(); ++i) {
    all.emplace(counts.words.word(i), counts.counts[static_cast<size_t>(i)]);
  }
  return all;
}

std::shared_ptr<const Tokenizer> words_of(const TempDir& dir,
                                          const std::string& text,
                                          TokenizerOptions options = {}) {
  options.type = TokenizerType::words;
  return make_tokenizer(options, corpus(dir, text), "");
}

}  // namespace

TEST_CASE("words are what stands between Unicode spaces, in lower case when wanted") {
  CHECK(split(" The\tQuick\u00A0 \u00C9t\u00E9\u3000\u0416uk\n") ==
        Words{"the", "quick", "\u00E9t\u00E9", "\u0436uk"});
  CHECK(split("The \u00C9t\u00E9", {.lower = false}) == Words{"The", "\u00C9t\u00E9"});
  CHECK(split("").empty());
  CHECK(split(" \u2003 \n").empty());
}

TEST_CASE("punctuation is kept, split off or dropped, and joins within words stay") {
  const std::string text = "The (well-known) dog's 1,000 -- tricks, U.S. a/b x--y";
  CHECK(split(text) ==
        Words{"the", "(well-known)", "dog's", "1,000", "--", "tricks,", "u.s.", "a/b", "x--y"});
  CHECK(split(text, {.punctuation = Punctuation::split}) == Words{"the",
                                                                  "(",
                                                                  "well-known",
                                                                  ")",
                                                                  "dog's",
                                                                  "1,000",
                                                                  "-",
                                                                  "-",
                                                                  "tricks",
                                                                  ",",
                                                                  "u.s",
                                                                  ".",
                                                                  "a",
                                                                  "/",
                                                                  "b",
                                                                  "x",
                                                                  "-",
                                                                  "-",
                                                                  "y"});
  CHECK(split(text, {.punctuation = Punctuation::drop}) ==
        Words{"the", "well-known", "dog's", "1,000", "tricks", "u.s", "a", "b", "x", "y"});
}

TEST_CASE("any number of threads counts the same words, and the same as reading in order") {
  TempDir dir;
  std::string text =
      "\xEF\xBB\xBF"
      "first line\r\n\n";
  for (int i = 0; i < 200'000; ++i) {
    text += "w" + std::to_string(i % 977) +
            (i % 7 == 0      ? "\n"
             : i % 1000 == 3 ? " \xFF"
                               "bad\n"
                             : " ");
  }
  const CountRequest one{.text = corpus(dir, text), .rules = {}, .threads = 1};
  CountRequest four = one;
  four.threads = 4;
  const auto expected = counted(count_words(one, {}));
  CHECK(counted(count_words(four, {})) == expected);
  CountRequest in_order = one;
  in_order.text.invalid_bytes = InvalidBytes::error;  // these files are not read in parallel
  CHECK_THROWS_AS(count_words(in_order, {}), InputError);
  std::map<std::string, int64_t> slow;
  for_each_record(one.text, [&](const TextRecord& record) {
    for (const std::string& word : split(record.text)) {
      ++slow[word];
    }
    return true;
  });
  CHECK(slow == expected);
  CHECK(expected.at("first") == 1);
  CHECK(expected.count("\uFFFD"
                       "bad") == 1);
}

TEST_CASE("records of one reader reach all threads: the counts are those of plain lines") {
  TempDir dir;
  std::string lines, json;
  for (int i = 0; i < 60'000; ++i) {
    std::string line;
    for (int j = 0; j < 10; ++j) {
      line += "word" + std::to_string((i * 31 + j * 17) % 1009) + " ";
    }
    lines += line + "\n";
    json += "{\"text\": \"" + line + "\"}\n";
  }
  const auto expected = counted(count_words({.text = corpus(dir, lines), .rules = {}, .threads = 1}, {}));
  CountRequest request{.text = corpus(dir, json, "corpus.jsonl"), .rules = {}};
  for (const int threads : {1, 2, 3, 8}) {
    request.threads = threads;
    CHECK(counted(count_words(request, {})) == expected);
  }
}

TEST_CASE("a failure of the reader or of a worker ends the reading, and is told") {
  TempDir dir;
  std::string json;
  for (int i = 0; i < 400'000; ++i) {
    json += "{\"text\": \"some words here\"}\n";
  }
  const TextOptions good = corpus(dir, json, "good.jsonl");
  // One of them, whichever has its second record: on a busy machine a worker may never get one.
  std::atomic<int> records = 0;
  CHECK_THROWS_WITH(for_each_record_in_parallel(
                        good, 3, [&](int, std::string_view) { check(++records < 2, "a worker has enough"); }),
                    "a worker has enough");
  const TextOptions bad = corpus(dir, json + "{\"text\": \n", "bad.jsonl");
  CHECK_THROWS_WITH(for_each_record_in_parallel(bad, 3, [](int, std::string_view) {}),
                    Catch::Contains("bad.jsonl:400001"));
}

TEST_CASE(
    "memory of counting is bounded: rare words are forgotten, frequent ones keep nearly all of their count") {
  TempDir dir;
  std::string text;
  for (int i = 0; i < 50'000; ++i) {
    text += "once" + std::to_string(i) + (i % 10 == 0 ? " often\n" : i % 50 == 1 ? " seldom " : " ");
  }
  CountRequest request{.text = corpus(dir, text), .rules = {}, .threads = 1};
  const WordCounts exact = count_words(request, {});
  CHECK(exact.words.size() == 50'002);
  CHECK(exact.missed == 0);
  request.most_entries = 1000;
  for (const int threads : {1, 3}) {
    request.threads = threads;
    const WordCounts bounded = count_words(request, {});
    CHECK(bounded.words.size() <= 1000);
    CHECK(bounded.missed > 0);
    const auto counts = counted(bounded);
    REQUIRE(counts.contains("often"));
    CHECK(counts.at("often") <= 5000);
    CHECK(counts.at("often") + bounded.missed >= 5000);
    // A tokenizer of such counts tells so, and still does when it is saved and loaded.
    WordTable table{.words = select_words(bounded, 100, 0), .rules = {}, .phrases = {}, .sentinels = 0};
    make_words_tokenizer(std::move(table))->save(dir / "saved");
    CHECK_THAT(read_file(dir / "saved/lmzoo_tokenizer.json"),
               Catch::Contains("\"missed\": " + std::to_string(bounded.missed)));
    load_tokenizer(dir / "saved")->save(dir / "again");
    CHECK(read_file(dir / "again/lmzoo_tokenizer.json") == read_file(dir / "saved/lmzoo_tokenizer.json"));
  }
}

TEST_CASE("words come by count, ties by their bytes; ids of words come first") {
  TempDir dir;
  const auto words = words_of(dir, "b a c a\nd a b\n", {.sentinels = 2, .min_count = 1});
  CHECK(words->vocabulary().size == 4 + 7 + 2);
  CHECK(*words->vocabulary().counts == std::vector<int64_t>{3, 2, 1, 1});
  CHECK(words->encode("A d zebra b") == Ids{0, 3, *words->vocabulary().unk, 1});
  CHECK(words->decode(Ids{0, 3, *words->vocabulary().unk, 1}) == "a d <unk> b");
  CHECK(words->piece(2) == "c");
  CHECK(words->id_of("b") == 1);
  CHECK(words->id_of("zebra") == std::nullopt);
  CHECK(words->encode_marked("a [MASK] b") == Ids{0, *words->vocabulary().mask, 1});
}

TEST_CASE("rare words and those beyond max_words are unknown") {
  TempDir dir;
  const std::string text = "a a a b b c c d\n";
  CHECK(words_of(dir, text, {.min_count = 2})->vocabulary().counts->size() == 3);
  CHECK(words_of(dir, text, {.min_count = 1, .max_words = 2})->vocabulary().counts->size() == 2);
  CHECK(error_of([&] { words_of(dir, text, {.min_count = 4}); }) ==
        "min_count is 4, but none of the 4 different words occurs so often; the most frequent, `a`, occurs 3 "
        "times");
}

TEST_CASE("a run of over 1000 bytes is no word, and loses nothing around it") {
  TempDir dir;
  const std::string giant(5000, 'x');
  const auto words = words_of(dir, "a " + giant + " b\na " + giant + "\n", {.min_count = 1});
  CHECK(words->vocabulary().counts->size() == 2);
  CHECK(words->encode("a " + giant + " b") == Ids{0, *words->vocabulary().unk, 1});
}

TEST_CASE("phrases join frequent pairs, pass by pass") {
  TempDir dir;
  std::string text;
  for (int i = 0; i < 50; ++i) {
    text += "new york city w" + std::to_string(i) + "\n" + "old w" + std::to_string(i + 50) + "\n";
  }
  const CountRequest request{.text = corpus(dir, text), .rules = {}, .threads = 2};
  const Phrases one = learn_phrases(request, {.passes = 1, .threshold = 2, .min_count = 5});
  std::vector<std::string_view> line{"a", "new", "york", "city", "new", "york"};
  one.join(line);
  CHECK(Words(line.begin(), line.end()) == Words{"a", "new_york", "city", "new_york"});
  const Phrases two = learn_phrases(request, {.passes = 2, .threshold = 2, .min_count = 5});
  line = {"new", "york", "city", "old"};
  two.join(line);
  CHECK(Words(line.begin(), line.end()) == Words{"new_york_city", "old"});
  const Phrases again = Phrases::parse(two.text(), "phrases.tsv");
  CHECK(again.text() == two.text());
  const auto words =
      words_of(dir, text, {.min_count = 5, .phrases = PhraseOptions{.passes = 2, .threshold = 2}});
  CHECK(words->encode("New York City old").size() == 2);
  words->save(dir / "saved");
  CHECK(load_tokenizer(dir / "saved")->encode("New York City old") == words->encode("New York City old"));
}

TEST_CASE("a saved tokenizer of words is the same again; words.tsv is a word and its count a line") {
  TempDir dir;
  const auto words = words_of(
      dir, "B b (a)\n", {.sentinels = 0, .lower = false, .punctuation = Punctuation::split, .min_count = 1});
  words->save(dir / "saved");
  CHECK(read_file(dir / "saved/words.tsv") == "(\t1\n)\t1\nB\t1\na\t1\nb\t1\n");
  const auto loaded = load_tokenizer(dir / "saved");
  CHECK(loaded->fingerprint() == words->fingerprint());
  CHECK(loaded->encode("(B)") == words->encode("(B)"));
}

TEST_CASE("a damaged words.tsv is refused with its line") {
  TempDir dir;
  words_of(dir, "a b b\n", {.min_count = 1})->save(dir / "saved");
  const std::string path = dir / "saved/words.tsv";
  const auto error_with = [&](const std::string& text) {
    write_file(path, text);
    return error_of([&] { load_tokenizer(dir / "saved"); });
  };
  CHECK(error_with("b\t2\nb\t1\n").find(":2: the word `b` is listed twice") != std::string::npos);
  CHECK(error_with("b\tmany\n").find(":1: the count `many`") != std::string::npos);
  CHECK(error_with("b 2\n").find(":1: is not `word TAB count`") != std::string::npos);
  CHECK(error_with("b\t2\na\t1").find(":2: is not") != std::string::npos);
  CHECK(error_with("\xFF\t2\n").find(":1: the word is no UTF-8") != std::string::npos);
  CHECK(error_with("").find("has no words") != std::string::npos);
  const std::string good = "alpha\t20\nbeta\t10\ngamma\t3\n";
  const auto tried = test::read_mutants(good, 2000, [&](const std::string& bytes) {
    write_file(path, bytes);
    load_tokenizer(dir / "saved")->encode("alpha beta");
  });
  CHECK(tried.refused > 0);
}

TEST_CASE("options of words are refused elsewhere, and others here") {
  CHECK(error_of([] {
          make_tokenizer({.type = TokenizerType::byte, .min_count = 2}, {}, "");
        }).find("min_count has no effect there") != std::string::npos);
  CHECK(error_of([] { planned_vocabulary({.max_words = 2}); }).find("max_words has no effect there") !=
        std::string::npos);
  CHECK(error_of([] {
          planned_vocabulary({.type = TokenizerType::words, .vocab_size = 200});
        }).find("vocab_size has no effect there") != std::string::npos);
}
