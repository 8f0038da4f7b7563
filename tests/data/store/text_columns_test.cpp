// Records of columns: from TSV and JSONL, to ids, into a store and back.
#include "data/batches/windows.h"
#include "data/store/build_token_store.h"
#include "support/catch.h"
#include "support/files.h"
#include "text/source.h"

using namespace lmzoo;
using namespace lmzoo::test;
using Catch::Matchers::Contains;

namespace {

struct Row {
  RecordColumns columns;
  std::string text, label;
};

std::vector<Row> rows_of(const TextOptions& options) {
  std::vector<Row> rows;
  for_each_record(options, [&](const TextRecord& record) {
    REQUIRE(record.columns != nullptr);
    rows.push_back({*record.columns, std::string(record.text), std::string(record.label.value_or(""))});
    return true;
  });
  return rows;
}

std::string error_of(const TextOptions& options) {
  try {
    rows_of(options);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

using Texts = std::vector<std::string>;

std::shared_ptr<const TokenStore> store_of(const TextOptions& options, const TempDir& folder) {
  return build_token_store({.text = options,
                            .tokenizer = make_tokenizer({.type = TokenizerType::byte}, {}, ""),
                            .cache_dir = folder / "cache",
                            .classes = {}});
}

}  // namespace

TEST_CASE("columns: a pair, a number and prefixes from TSV and from JSONL") {
  TempDir dir;
  write_file(dir / "a.tsv", "s1\ts2\tscore\nthe owl\tan owl\t4.5\nx\ty\t-1e-2\n");
  write_file(dir / "a.jsonl",
             "{\"s1\": \"the owl\", \"s2\": \"an owl\", \"score\": 4.5}\n"
             "{\"s1\": \"x\", \"s2\": \"y\", \"score\": \"-0.01\"}\n");
  for (const std::string file : {"a.tsv", "a.jsonl"}) {
    TextOptions options{
        .files = {dir / file}, .text = {"s1", "s2"}, .prefix = {"a: ", "b: "}, .value = "score"};
    options.header = true;
    const auto rows = rows_of(options);
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].columns.texts == Texts{"a: the owl", "b: an owl"});
    CHECK(rows[0].text == "a: the owl\nb: an owl");
    CHECK(rows[0].columns.value == 4.5);
    CHECK(rows[1].columns.value == -0.01);
  }
}

TEST_CASE("columns: sets, tags, targets; classes of all kinds are found") {
  TempDir dir;
  write_file(
      dir / "a.jsonl",
      "{\"w\": [\"Ada\", \"wrote\"], \"t\": [\"B-PER\", \"O\"], \"c\": [\"b\", \"a\"], \"y\": \"yes\"}\n"
      "{\"w\": \"no one\", \"t\": \"O O\", \"c\": [], \"y\": \"no\"}\n");
  const auto tagged = rows_of({.files = {dir / "a.jsonl"}, .text = "w", .tags = "t"});
  CHECK(tagged[0].columns.words == Texts{"Ada", "wrote"});
  CHECK(tagged[0].columns.tags == Texts{"B-PER", "O"});
  CHECK(tagged[1].columns.words == Texts{"no", "one"});
  CHECK(class_names({.files = {dir / "a.jsonl"}, .text = "w", .tags = "t"}) == Texts{"B-PER", "O"});
  const TextOptions sets{.files = {dir / "a.jsonl"}, .text = "y", .labels = "c", .target = "y"};
  CHECK(rows_of(sets)[0].columns.labels == Texts{"b", "a"});
  CHECK(rows_of(sets)[1].columns.labels.empty());
  CHECK(rows_of(sets)[1].columns.target == "no");
  CHECK(class_names(sets) == Texts{"a", "b"});
  write_file(dir / "b.tsv", "text\tb,a\n");
  CHECK(rows_of({.files = {dir / "b.tsv"}, .labels = "2"})[0].columns.labels == Texts{"b", "a"});
}

TEST_CASE("columns: answers by their characters, by their text, or none") {
  TempDir dir;
  write_file(
      dir / "a.jsonl",
      "{\"q\": \"who?\", \"c\": \"\\u00e9\\u00e9 an owl, an owl\", \"a\": {\"text\": [\"an owl\", \"owl\"], "
      "\"start\": [11, 6]}}\n"
      "{\"q\": \"who?\", \"c\": \"x\", \"a\": {\"text\": [], \"start\": []}}\n");
  TextOptions options{
      .files = {dir / "a.jsonl"}, .text = {"q", "c"}, .answer = "a.text", .answer_start = "a.start"};
  const auto rows = rows_of(options);
  // Each é has two bytes.
  CHECK((rows[0].columns.answers == std::vector<ByteSpan>{{13, 19}, {8, 11}}));
  CHECK(rows[0].columns.texts == Texts{"who?", "éé an owl, an owl"});
  CHECK(rows[1].columns.answers.empty());
  CHECK(rows[1].columns.has_answer);
  options.answer_start.clear();
  CHECK((rows_of(options)[0].columns.answers == std::vector<ByteSpan>{{5, 11}, {8, 11}}));
}

TEST_CASE("columns: the right choice as a number, a letter or its text") {
  TempDir dir;
  write_file(dir / "a.tsv", "ctx\tred\tblue\t1\nctx\tred\tblue\tA\nctx\tred\tblue\tblue\n");
  const TextOptions options{.files = {dir / "a.tsv"}, .label = "4", .choices = {"2", "3"}};
  const auto rows = rows_of(options);
  CHECK(rows[0].columns.choices == Texts{"red", "blue"});
  CHECK(rows[0].columns.choice == 1);
  CHECK(rows[1].columns.choice == 0);
  CHECK(rows[2].columns.choice == 1);
  CHECK(rows[0].label.empty());
  CHECK(class_names(options).empty());
  write_file(dir / "b.jsonl",
             "{\"text\": \"ctx\", \"c\": {\"text\": [\"r\", \"b\", \"g\"]}, \"label\": 2}\n");
  CHECK(rows_of({.files = {dir / "b.jsonl"}, .label = "label", .choices = "c.text"})[0].columns.choice == 2);
}

TEST_CASE("columns: what is wrong in a record is named with file and line") {
  TempDir dir;
  const auto error = [&](const std::string& line, TextOptions options) {
    write_file(dir / "a.tsv", line + "\n");
    options.files = {dir / "a.tsv"};
    return error_of(options);
  };
  CHECK_THAT(error("a\tfour", {.value = "2"}),
             Contains("a.tsv:1") && Contains("`2` is 'four' but must be a number"));
  CHECK_THAT(error("a\tnan", {.value = "2"}), Contains("must be a number"));
  CHECK_THAT(error("a b\tO", {.tags = "2"}), Contains("has 2 words (`1`) but 1 tags (`2`)"));
  CHECK_THAT(error("q\tthe owl\tfox", {.text = {"1", "2"}, .answer = "3"}),
             Contains("answer 'fox' does not stand in the text"));
  CHECK_THAT(error("q\tthe owl\towl\t0", {.text = {"1", "2"}, .answer = "3", .answer_start = "4"}),
             Contains("answer 'owl' does not stand in the text at character 0"));
  CHECK_THAT(error("q\tthe owl\towl\t900000000000", {.text = {"1", "2"}, .answer = "3", .answer_start = "4"}),
             Contains("at character 900000000000"));
  CHECK_THAT(error("a\tx\ty\t2", {.label = "4", .choices = {"2", "3"}}),
             Contains("is '2' but must tell which of 2 choices is right"));
  CHECK_THAT(error("a\tx", {.text = {"1", "3"}}), Contains("has 2 columns, but column 3 is wanted"));
  write_file(dir / "a.txt", "a\n");
  CHECK_THAT(error_of({.files = {dir / "a.txt"}, .value = "2"}), Contains("columns are named"));
}

TEST_CASE("columns: a store gives back every part of a record") {
  TempDir dir;
  write_file(
      dir / "a.jsonl",
      "{\"q\": \"ab\", \"c\": \"cd e\", \"a\": \"d\", \"v\": 0.1, \"s\": [\"y\"], \"ch\": [\"f\", \"gh\"], "
      "\"l\": 1, "
      "\"t\": \"ij\"}\n"
      "{\"q\": \"k\", \"c\": \"\", \"a\": null, \"v\": -3, \"s\": [\"y\", \"x\"], \"ch\": [\"m\", \"n\", "
      "\"o\"], "
      "\"l\": 0, \"t\": \"\"}\n");
  const TextOptions options{.files = {dir / "a.jsonl"},
                            .text = {"q", "c"},
                            .label = "l",
                            .labels = "s",
                            .value = "v",
                            .choices = "ch",
                            .answer = "a",
                            .target = "t"};
  const auto store = store_of(options, dir);
  REQUIRE(store->has_columns());
  CHECK(store->classes() == Texts{"x", "y"});
  const Windows windows(store, {.kind = WindowKind::documents, .length = 1});
  REQUIRE(windows.size() == 2);
  const Sample first = windows.window(0).at(0);
  const auto size = [](const std::vector<int64_t>& ids) { return ids.size(); };
  CHECK(size(first.ids) == 2);
  REQUIRE(first.further_texts.size() == 1);
  CHECK(size(first.further_texts[0]) == 4);
  REQUIRE(first.choices.size() == 2);
  CHECK(size(first.choices[1]) == 2);
  CHECK(size(first.target) == 2);
  CHECK(first.value == 0.1);
  CHECK(first.label_set == std::vector<int64_t>{1});
  CHECK(first.label == 1);
  REQUIRE(first.passage);
  CHECK(first.passage->text == "cd e");
  CHECK((first.passage->ids == std::vector<ByteSpan>{{0, 1}, {1, 2}, {2, 3}, {3, 4}}));
  CHECK((first.passage->answers == std::vector<ByteSpan>{{1, 2}}));
  const Sample second = windows.window(1).at(0);
  CHECK(second.value == -3.0);
  CHECK(second.label_set == std::vector<int64_t>{0, 1});
  CHECK(second.choices.size() == 3);
  CHECK(second.passage->answers.empty());
  CHECK(second.target.empty());
  CHECK_THROWS_WITH(Windows(store, {.kind = WindowKind::packed, .length = 8}), Contains("must be documents"));
}

TEST_CASE("columns: words that a tokenizer would join are kept apart by a space") {
  TempDir dir;
  write_file(dir / "a.tsv", "ab c\tX Y\nd\tX\n");
  const auto store = store_of({.files = {dir / "a.tsv"}, .tags = "2"}, dir);
  const Sample sample = store->sample(0);
  CHECK(sample.ids.size() == 4);  // a b space c
  CHECK(sample.word_starts == std::vector<int64_t>{0, 2});
  CHECK(sample.tags == std::vector<int64_t>{0, 1});
  CHECK(store->sample(1).tags == std::vector<int64_t>{0});
}

TEST_CASE("sentences: the lines of a document, of paragraphs and of jsonl, are known in its ids") {
  TempDir dir;
  write_file(dir / "a.txt", "ab\nc\n\nd e\n \nf\n\n\n");
  write_file(dir / "a.jsonl", "{\"text\": \"ab\\n \\nc\\n\"}\n{\"text\": \"d e\"}\n{\"text\": \"f\"}\n");
  for (const auto& [file, format] :
       {std::pair{"a.txt", TextFormat::paragraphs}, std::pair{"a.jsonl", TextFormat::automatic}}) {
    const auto store =
        store_of({.files = {dir / file}, .format = format, .sentences = SentenceEnds::lines}, dir);
    REQUIRE(store->documents() == 3);
    const Sample first = store->sample(0);
    CHECK(first.ids.size() == 4);  // a b, and c behind a space
    CHECK(first.sentence_starts == std::vector<int64_t>{0, 2});
    CHECK(store->sample(1).sentence_starts == std::vector<int64_t>{0});
    // However short a window is, a document of sentences is read whole.
    const Windows windows(store, {.kind = WindowKind::documents, .length = 2});
    REQUIRE(windows.size() == 3);
    CHECK(windows.window(0).at(0).ids == first.ids);
  }
  const std::string plain =
      token_store_path({.text = {.files = {dir / "a.jsonl"}},
                        .tokenizer = make_tokenizer({.type = TokenizerType::byte}, {}, ""),
                        .cache_dir = "",
                        .classes = {}});
  CHECK(plain != token_store_path({.text = {.files = {dir / "a.jsonl"}, .sentences = SentenceEnds::lines},
                                   .tokenizer = make_tokenizer({.type = TokenizerType::byte}, {}, ""),
                                   .cache_dir = "",
                                   .classes = {}}));
}

TEST_CASE("sentences of what has none, or more than a text, are refused") {
  TempDir dir;
  write_file(dir / "a.txt", "ab\nc\n");
  write_file(dir / "a.jsonl", "{\"text\": \"ab\", \"value\": 1}\n");
  CHECK_THROWS_WITH(store_of({.files = {dir / "a.txt"}, .sentences = SentenceEnds::lines}, dir),
                    Contains("a document of format lines is one line; use paragraphs"));
  TextOptions numbers{.files = {dir / "a.jsonl"}, .value = "value"};
  numbers.sentences = SentenceEnds::lines;
  CHECK_THROWS_WITH(store_of(numbers, dir), Contains("sentences are those of one text"));
}
