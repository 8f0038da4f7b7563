// Character n-grams, against fastText's as gensim has them (tests/golden/ngrams.py).
#include "base/words/ngrams.h"

#include "io/json.h"
#include "support/catch.h"
#include "support/files.h"

using namespace lmzoo;

TEST_CASE("n-grams are hashed as fastText does, with its signed bytes") {
  const Json golden = read_json(test::golden("ngrams.json"));
  for (const auto& [text, hash] : golden["hashes"].items()) {
    INFO(text);
    CHECK(ngram_hash(text) == hash.get<uint32_t>());
  }
  for (const Json& expected : golden["cases"]) {
    const NgramOptions options{.min = expected["min"].get<int64_t>(),
                               .max = expected["max"].get<int64_t>(),
                               .buckets = expected["buckets"].get<int64_t>()};
    const auto word = expected["word"].get<std::string>();
    INFO(word << " " << options.min << " to " << options.max);
    std::vector<int32_t> buckets;
    append_ngrams(word, options, buckets);
    CHECK(buckets == expected["rows"].get<std::vector<int32_t>>());
  }
}

TEST_CASE("the example of ngrams.h is what is made") {
  std::vector<int32_t> wanted, got;
  const NgramOptions options{.min = 3, .max = 4};
  for (const char* ngram : {"<wh", "<whe", "whe", "wher", "her", "here", "ere", "ere>", "re>"}) {
    wanted.push_back(static_cast<int32_t>(ngram_hash(ngram) % 2'000'000));
  }
  append_ngrams("where", options, got);
  CHECK(got == wanted);
}

TEST_CASE("a table has the n-grams of every word; a short word has none") {
  WordIndex words;
  words.add("owl");
  words.add("a");
  words.add("bat");
  const NgramTable table(words, {.min = 4, .max = 5});
  CHECK(table.buckets(0).size() == 3);  // <owl owl> <owl>
  CHECK(table.buckets(1).empty());
  CHECK(table.buckets(2).size() == 3);
}
