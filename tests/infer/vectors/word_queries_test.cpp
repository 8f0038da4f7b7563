// Questions to word vectors, against gensim (tests/golden/word_queries.py) and by hand.
#include <ATen/Context.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>

#include "infer/vectors/analogy.h"
#include "infer/vectors/neighbors.h"
#include "infer/vectors/similarity.h"
#include "infer/vectors/source.h"
#include "io/json.h"
#include "support/catch.h"
#include "support/files.h"

using namespace lmzoo;

namespace {

std::string file(const std::string& name) { return test::golden("word_queries/" + name); }
VectorTable golden_table() { return VectorTable(read_word_vectors(file("vectors.txt")).table); }

// Of unit vectors in the plane: word i stands at so many degrees.
VectorTable circle(const std::vector<std::pair<std::string, double>>& words) {
  WordVectors vectors{.words = {}, .values = {}, .width = 2};
  for (const auto& [word, degrees] : words) {
    vectors.words.push_back(word);
    vectors.values.push_back(static_cast<float>(3 * std::cos(degrees * M_PI / 180)));
    vectors.values.push_back(static_cast<float>(3 * std::sin(degrees * M_PI / 180)));
  }
  return VectorTable(std::move(vectors));
}

void check_same(const VectorTable& table, const std::vector<Neighbor>& found, const Json& expected) {
  REQUIRE(found.size() == expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    CHECK(table.word(found[i].row) == expected[i][0].get<std::string>());
    CHECK(found[i].cosine == Approx(expected[i][1].get<double>()).margin(1e-5));
  }
}

void check_scores(const AnalogyResult& result, const Json& expected) {
  const auto check_one = [](const AnalogyScore& score, const Json& wanted) {
    CHECK(score.correct == wanted["correct"].get<int64_t>());
    CHECK(score.known == wanted["known"].get<int64_t>());
  };
  for (size_t i = 0; i < result.sections.size(); ++i) {
    INFO(result.sections[i].section);
    CHECK(result.sections[i].section == expected[i]["section"].get<std::string>());
    check_one(result.sections[i], expected[i]);
  }
  check_one(result.semantic, expected[0]);
  check_one(result.syntactic, expected[1]);
  CHECK(result.total.correct == result.semantic.correct + result.syntactic.correct);
  CHECK(result.total.questions == 120);
}

}  // namespace

TEST_CASE("neighbors of words and sums are gensim's") {
  const Json expected = read_json(file("expected.json"));
  const VectorTable table = golden_table();
  const auto found =
      nearest(table, parse_queries(table, {"base0", "form5", "form3 - base3 + base7"}), {.count = 6});
  check_same(table, found[0], expected["neighbors"]["base0"]);
  check_same(table, found[1], expected["neighbors"]["form5"]);
  check_same(table, found[2], expected["sum"]);
}

TEST_CASE("analogies by addition and multiplication are gensim's, limited to frequent words or not") {
  const Json expected = read_json(file("expected.json"));
  const VectorTable table = golden_table();
  const AnalogySet set = read_analogies(file("questions.txt"));
  check_scores(evaluate_analogies(table, set, {}), expected["add"]);
  check_scores(evaluate_analogies(table, set, {.method = AnalogyMethod::mul, .epsilon = 1e-6}),
               expected["mul"]);
  check_scores(evaluate_analogies(table, set, {.candidates = 40}), expected["add_first_40"]);
  check_scores(evaluate_analogies(table, set, {.fold_case = false}), expected["add_exact_case"]);
  CHECK(expected["add"][0]["correct"] > 5);
}

TEST_CASE("one analogy gets gensim's answers") {
  const Json expected = read_json(file("expected.json"));
  const VectorTable table = golden_table();
  for (const AnalogyMethod method : {AnalogyMethod::add, AnalogyMethod::mul}) {
    const auto found = solve_analogy(
        table, {"base3", "form3", "base7"}, {.method = method, .epsilon = 1e-6, .fold_case = false}, 6);
    const Json& wanted = expected[method == AnalogyMethod::add ? "sum" : "product"];
    for (size_t i = 0; i < found.size(); ++i) {
      CHECK(table.word(found[i].row) == wanted[i][0].get<std::string>());
      if (method == AnalogyMethod::mul) {
        CHECK(found[i].score == Approx(wanted[i][1].get<double>()).epsilon(1e-4));
      }
    }
  }
}

TEST_CASE("the blocks of analogies answer what a plain search answers") {
  const int64_t words = 5000, width = 10;
  at::manual_seed(5);
  std::vector<std::string> names;
  for (int64_t i = 0; i < words; ++i) {
    names.push_back("w" + std::to_string(i));
  }
  const VectorTable table(names, at::randn({words, width}));
  AnalogySet set{.sections = {"all"}, .questions = {}};
  for (size_t i = 0; i < 300; ++i) {
    set.questions.push_back({{names[i], names[7 * i + 1], names[4999 - i], names[i + 400]}, 0});
  }
  for (const AnalogyMethod method : {AnalogyMethod::add, AnalogyMethod::mul}) {
    for (const int64_t candidates : {int64_t{0}, int64_t{4999}}) {
      const AnalogyOptions options{.method = method, .candidates = candidates};
      const AnalogyResult result = evaluate_analogies(table, set, options);
      for (size_t i = 0; i < set.questions.size(); ++i) {
        const auto& w = set.questions[i].words;
        if (result.answers[i] < 0) {
          CHECK((candidates > 0 && i == 0));  // its third word is the one that is cut off
          continue;
        }
        const auto plain = solve_analogy(table, {w[0], w[1], w[2]}, options, 2);
        const bool tie = plain[0].score - plain[1].score < 1e-5;  // rounding decides
        CHECK((result.answers[i] == plain[0].row || (tie && result.answers[i] == plain[1].row)));
      }
    }
  }
}

TEST_CASE("agreement with people's scores is gensim's") {
  const Json expected = read_json(file("expected.json"));
  const std::vector<WordPair> pairs = read_word_pairs(file("pairs.tsv"));
  const SimilarityResult result = evaluate_similarity(golden_table(), pairs, {});
  CHECK(pairs.size() == 50);
  CHECK(result.spearman == Approx(expected["spearman"].get<double>()).epsilon(1e-6));
  CHECK(result.pearson == Approx(expected["pearson"].get<double>()).epsilon(1e-6));
  CHECK(100.0 * static_cast<double>(50 - result.known) / 50 ==
        Approx(expected["unknown_percent"].get<double>()));
}

TEST_CASE("pairs are read as wordsim353, SimLex-999, MEN and their like write them") {
  const test::TempDir dir;
  const auto read = [&](const std::string& text) {
    test::write_file(dir / "pairs", text);
    return read_word_pairs(dir / "pairs");
  };
  for (const char* text :
       {"Word 1,Word 2,Human (mean)\ntiger,cat,7.35\nNew York,city,1\n",
        "word1\tword2\tPOS\tSimLex999\tconc\ntiger\tcat\tN\t7.35\t2\nNew York\tcity\tN\t1\t3\n",
        "# remark\ntiger;cat;7.35\n\nNew  York ; city ; 1\r\n"}) {
    const std::vector<WordPair> pairs = read(text);
    REQUIRE(pairs.size() == 2);
    CHECK(pairs[0].first == "tiger");
    CHECK(pairs[0].score == 7.35);
    CHECK(pairs[1].first == "New York");
    CHECK(pairs[1].second == "city");
    CHECK(pairs[1].score == 1);
  }
  CHECK(read("sun sunlight 50.000000\n").front().score == 50);
  CHECK_THROWS_WITH(read("a b 1\na b\n"),
                    Catch::Contains("pairs:2: expected two words and a number, but got 'a b'"));
  CHECK_THROWS_WITH(read("# nothing\n"), Catch::EndsWith("has no pair of words with a score"));
}

TEST_CASE("questions have four words") {
  const test::TempDir dir;
  test::write_file(dir / "q", ": capital  cities\nAthens Greece Oslo Norway\n\n: gram1\na b c d\na b c\n");
  CHECK_THROWS_WITH(read_analogies(dir / "q"), Catch::Contains("q:6: a question has four words"));
  test::write_file(dir / "q", ": capital  cities\nAthens Greece Oslo Norway\n\n: gram1\na b c d\n");
  const AnalogySet set = read_analogies(dir / "q");
  CHECK(set.sections == std::vector<std::string>{"capital cities", "gram1"});
  CHECK(set.questions.at(1).section == 1);
  test::write_file(dir / "q", "");
  CHECK_THROWS_WITH(read_analogies(dir / "q"), Catch::EndsWith("has no questions"));
}

TEST_CASE("a query names words that have vectors; of equal neighbors the more frequent is first") {
  const VectorTable table =
      circle({{"east", 0}, {"North", 90}, {"north", 90}, {"nearly", 10}, {"west", 180}});
  const auto found = nearest(table, parse_queries(table, {"NORTH", "east - west"}), {.count = 2});
  CHECK(found[0][0].row == 1);  // folded "north" is a row of its own and no answer; "North" is another word
  CHECK(table.word(found[1][0].row) == "nearly");
  CHECK(nearest(table, parse_queries(table, {"east"}), {.count = 9, .candidates = 3}).front().size() == 2);
  CHECK_THROWS_WITH(parse_queries(table, {"owl"}), "'owl' has no vector");
  CHECK_THROWS_WITH(parse_queries(table, {"east +"}),
                    Catch::Contains("a word must stand behind each + and -"));
  CHECK_THROWS_WITH(parse_queries(table, {" "}), Catch::Contains("has no word"));
}

TEST_CASE("a zero vector is nobody's neighbor, and words twice are refused") {
  const VectorTable table({"a", "zero", "b"}, at::tensor({1.0F, 0.0F, 0.0F, 0.0F, -1.0F, 0.0F}).view({3, 2}));
  const auto found = nearest(table, parse_queries(table, {"a"}), {.count = 3});
  CHECK(found[0][0].cosine == 0);
  CHECK(found[0][1].cosine == Approx(-1));
  CHECK_THROWS_WITH(VectorTable({"a", "a"}, at::ones({2, 1})), "the word 'a' stands twice");
}

TEST_CASE("a text's vector is the mean of its known words") {
  const VectorTable table = circle({{"east", 0}, {"north", 90}});
  const Tensor mean = mean_of_words(table, "East, (north) xyzzy");
  CHECK(mean[0].item<float>() == Approx(1.5));
  CHECK(mean[1].item<float>() == Approx(1.5));
  CHECK_FALSE(mean_of_words(table, "xyzzy").defined());
}
