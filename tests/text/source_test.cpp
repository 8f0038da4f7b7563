#include "text/source.h"

#include <algorithm>
#include <cstdlib>
#include <functional>

#include "support/catch.h"
#include "support/files.h"

using namespace lmzoo;
using lmzoo::test::TempDir;
using lmzoo::test::write_file;

namespace {

struct Row {
  std::string text;
  std::optional<std::string> label;
  int64_t line;
  bool operator==(const Row&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Row& row) {
  return out << "{" << row.text << " | " << row.label.value_or("(none)") << " | " << row.line << "}";
}

std::vector<Row> rows_of(const TextOptions& options, TextCounts* counts = nullptr) {
  std::vector<Row> rows;
  const TextCounts result = for_each_record(options, [&](const TextRecord& record) {
    std::optional<std::string> label;
    if (record.label) {
      label = std::string(*record.label);
    }
    rows.push_back({std::string(record.text), label, record.line});
    return true;
  });
  if (counts != nullptr) {
    *counts = result;
  }
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

}  // namespace

TEST_CASE("a document a line; blank lines are skipped and counted") {
  TempDir dir;
  write_file(dir / "a.txt", "one\n\n  \r\ntwo words\r\nlast without an end");
  TextCounts counts;
  const auto rows = rows_of({.files = {dir / "a.txt"}}, &counts);
  CHECK(rows == std::vector<Row>{{"one", {}, 1}, {"two words", {}, 4}, {"last without an end", {}, 5}});
  CHECK(counts.records == 3);
  CHECK(counts.bytes == 3 + 9 + 19);
  CHECK(counts.words == 1 + 2 + 4);
  CHECK(counts.blank == 2);
  CHECK(counts.invalid_bytes == 0);
}

TEST_CASE("a document a paragraph keeps its line ends inside") {
  TempDir dir;
  write_file(dir / "a.txt", "\n\nfirst\nparagraph\n\n\n \nsecond\n");
  const auto rows = rows_of({.files = {dir / "a.txt"}, .format = TextFormat::paragraphs});
  CHECK(rows == std::vector<Row>{{"first\nparagraph", {}, 3}, {"second", {}, 8}});
}

TEST_CASE("jsonl takes named fields; labels may be strings, integers or truth values") {
  TempDir dir;
  write_file(dir / "a.jsonl",
             "{\"body\": \"a \\u00e9\", \"y\": \"pos\"}\n\n{\"y\": 3, \"body\": "
             "\"b\"}\n{\"body\":\"c\",\"y\":true}\n");
  const auto rows = rows_of({.files = {dir / "a.jsonl"}, .text = "body", .label = "y"});
  CHECK(rows == std::vector<Row>{{"a \xC3\xA9", "pos", 1}, {"b", "3", 3}, {"c", "true", 4}});
}

TEST_CASE("tsv takes columns by number, or by name with a header") {
  TempDir dir;
  write_file(dir / "plain.tsv", "good film\t1\nbad \"film\"\t0\n");
  CHECK(rows_of({.files = {dir / "plain.tsv"}, .label = "2"}) ==
        std::vector<Row>{{"good film", "1", 1}, {"bad \"film\"", "0", 2}});
  write_file(dir / "named.tsv", "id\ttext\tclass\n7\thello\tA\n");
  CHECK(rows_of({.files = {dir / "named.tsv"}, .label = "class", .header = true}) ==
        std::vector<Row>{{"hello", "A", 2}});
  CHECK(rows_of({.files = {dir / "named.tsv"}, .text = "3", .header = true}) ==
        std::vector<Row>{{"A", {}, 2}});
}

TEST_CASE("globs are sorted, name no file twice, and refuse to match nothing") {
  TempDir dir;
  write_file(dir / "b.txt", "b\n");
  write_file(dir / "a.txt", "a\n");
  write_file(dir / "c.tsv", "c\n");
  write_file(dir / "[x].txt", "literal\n");
  CHECK(expand_files({.files = {dir / "[ab].txt", dir / "*.t{xt,sv}"}}) ==
        std::vector<std::string>{dir / "a.txt", dir / "b.txt", dir / "[x].txt", dir / "c.tsv"});
  CHECK(expand_files({.files = {dir / "[x].txt"}}) == std::vector<std::string>{dir / "[x].txt"});
  CHECK(error_of({.files = {dir / "*.gz"}}) == "files: no file matches " + (dir / "*.gz"));
  CHECK(error_of({.files = {dir / "none.txt"}}) == "files: " + (dir / "none.txt") + " does not exist");
  CHECK(error_of({.files = {}}) == "files: none is named; give at least one path or glob");
  CHECK_THAT(error_of({.files = {dir.path().string()}}), Catch::Contains("is a folder; give files"));
}

TEST_CASE("** is folders of any depth, none included, and a file with two names is read once") {
  TempDir dir;
  std::filesystem::create_directories(dir / "s/t");
  std::filesystem::create_directories(dir / ".hidden");
  for (const char* link : {"0", "s/0", "s/t/z"}) {  // to nothing: ends no search
    std::filesystem::create_symlink(dir / "nowhere", dir / link);
  }
  for (const char* name : {"a.txt", "s/b.txt", "s/t/c.txt", ".hidden/d.txt", "s/t/e.tsv"}) {
    write_file(dir / name, "x\n");
  }
  const std::vector<std::string> all{dir / "a.txt", dir / "s/b.txt", dir / "s/t/c.txt"};
  CHECK(expand_files({.files = {dir / "**/*.txt"}}) == all);
  CHECK(expand_files({.files = {dir / "s/**/**/*.txt"}}) == std::vector<std::string>{all[1], all[2]});
  CHECK(expand_files({.files = {dir / "**/t/*.{txt,tsv}"}}) ==
        std::vector<std::string>{all[2], dir / "s/t/e.tsv"});
  CHECK_THAT(error_of({.files = {dir / "**"}}), Catch::Contains("names folders"));
  CHECK_THAT(error_of({.files = {dir / "**/*.gz"}}), Catch::Contains("no file matches"));
  std::filesystem::create_symlink(dir / "a.txt", dir / "link.txt");
  std::filesystem::create_hard_link(dir / "a.txt", dir / "same.txt");
  CHECK(expand_files({.files = {dir / "*.txt"}}) == std::vector<std::string>{dir / "a.txt"});
}

TEST_CASE("what a file is called decides in any case, and .json and .csv must be told how") {
  TempDir dir;
  write_file(dir / "A.JSONL", "{\"text\": \"inside\"}\n");
  CHECK(rows_of({.files = {dir / "A.JSONL"}}).size() == 1);
  write_file(dir / "a.csv", "id,text\n");
  CHECK_THAT(error_of({.files = {dir / "a.csv"}}),
             Catch::Contains(".csv files are read when `format` says how"));
  CHECK(rows_of({.files = {dir / "a.csv"}, .format = TextFormat::lines}).size() == 1);
  write_file(dir / "a.json", "[{\"text\": \"x\"}]\n");
  CHECK_THAT(error_of({.files = {dir / "a.json"}}), Catch::Contains("jsonl, one object a line"));
}

TEST_CASE("a row of more cells than its header is refused where it stands") {
  TempDir dir;
  write_file(dir / "a.tsv", "text\tclass\nhello\tA\nan owl\tof\tB\n");
  CHECK_THAT(error_of({.files = {dir / "a.tsv"}, .label = "class", .header = true}),
             Catch::Contains("a.tsv:3: has 3 cells, but the header names 2 columns"));
}

TEST_CASE("gzip files read as what they hold") {
  TempDir dir;
  write_file(dir / "a.jsonl", "{\"text\": \"inside\"}\n");
  REQUIRE(std::system(("gzip " + (dir / "a.jsonl")).c_str()) == 0);
  CHECK(rows_of({.files = {dir / "a.jsonl.gz"}}) == std::vector<Row>{{"inside", {}, 1}});
}

TEST_CASE("broken UTF-8 and NUL are replaced and counted, or refused") {
  TempDir dir;
  write_file(dir / "a.txt",
             std::string("ok\na\xFF"
                         "b\0c\xE2\x82\n",
                         11));
  TextCounts counts;
  const auto rows = rows_of({.files = {dir / "a.txt"}}, &counts);
  REQUIRE(rows.size() == 2);
  CHECK(rows[1].text == "a\uFFFDb\uFFFDc\uFFFD");
  CHECK(counts.invalid_bytes == 3);
  CHECK(error_of({.files = {dir / "a.txt"}, .invalid_bytes = InvalidBytes::error}) ==
        (dir / "a.txt") +
            ":2: has 3 invalid UTF-8 sequences or NUL bytes; invalid_bytes: replace would put U+FFFD there");
  write_file(dir / "b.jsonl", "{\"text\": \"a\\u0000b\xFF\"}\n");
  CHECK(rows_of({.files = {dir / "b.jsonl"}}, &counts)[0].text == "a\uFFFDb\uFFFD");
  CHECK(counts.invalid_bytes == 2);
}

TEST_CASE("each mistake in a file is one line with file and line") {
  TempDir dir;
  const std::string tsv = dir / "a.tsv";
  write_file(tsv, "text\tlabel\nfine\tx\nonly text\n");
  CHECK(error_of({.files = {tsv}, .label = "label", .header = true}) ==
        tsv + ":3: has 1 columns, but column 2 is wanted");
  CHECK(error_of({.files = {tsv}, .label = "class", .header = true}) ==
        tsv + ":1: has no column `class`; the header names text, label");
  CHECK(error_of({.files = {tsv}, .text = "sentence"}) ==
        tsv +
            ": column `sentence` is named, but header is false: set header: true, or number the columns from "
            "1");
  write_file(tsv, "a\t\n");
  CHECK(error_of({.files = {tsv}, .label = "2"}) == tsv + ":1: the label, `2`, is empty");
  write_file(tsv, "text\ttext\na\tb\n");
  CHECK(error_of({.files = {tsv}, .header = true}) == tsv + ":1: the header names column `text` twice");

  const std::string jsonl = dir / "a.jsonl";
  write_file(jsonl, "{\"text\": \"a\"}\n{\"txt\": \"b\"}\n");
  CHECK(error_of({.files = {jsonl}}) == jsonl + ":2: has no field `text`; its fields are txt");
  write_file(jsonl, "{\"text\": 3}\n");
  CHECK(error_of({.files = {jsonl}}) == jsonl + ":1: field `text` is not a string");
  write_file(jsonl, "[1]\n");
  CHECK(error_of({.files = {jsonl}}) == jsonl + ":1: is not a JSON object such as {\"text\": \"...\"}");
  write_file(jsonl, "\n{\"text\": \n");
  CHECK_THAT(error_of({.files = {jsonl}}), Catch::StartsWith(jsonl + ":2:"));

  const std::string txt = dir / "a.txt";
  write_file(txt, "short\n" + std::string(100, 'x') + "\n");
  CHECK_THAT(error_of({.files = {txt}, .max_record_bytes = 50}), Catch::StartsWith(txt + ":2"));
  write_file(txt, "short\nshort\nshort\n");
  CHECK(error_of({.files = {txt}, .format = TextFormat::paragraphs, .max_record_bytes = 10}) ==
        txt + ":1: a paragraph of over max_record_bytes = 10 bytes");
  CHECK_THAT(error_of({.files = {txt}, .label = "2"}), Catch::Contains("have no labels: use jsonl or tsv"));
  for (const char* empty : {"", "\n \n\t\n"}) {
    write_file(txt, empty);
    CHECK(error_of({.files = {txt}}) == txt + ": there is no text in it");
    write_file(tsv, empty);
    CHECK(error_of({.files = {tsv}}) == tsv + ": there is no text in it");
  }
}

TEST_CASE("reading stops when the caller has enough, and tells how far it is") {
  TempDir dir;
  std::string text;
  for (int i = 0; i < 10'000; ++i) {
    text += "line " + std::to_string(i) + "\n";
  }
  write_file(dir / "a.txt", text);
  int seen = 0;
  for_each_record({.files = {dir / "a.txt"}}, [&](const TextRecord&) { return ++seen < 3; });
  CHECK(seen == 3);
  std::vector<double> shares;
  for_each_record(
      {.files = {dir / "a.txt"}},
      [](const TextRecord&) { return true; },
      [&](std::string_view, double share) { shares.push_back(share); });
  REQUIRE(shares.size() >= 3);
  CHECK(std::is_sorted(shares.begin(), shares.end()));
  CHECK(shares.back() <= 1.0);
}

TEST_CASE("the hash of a corpus follows contents and options, not names") {
  TempDir dir;
  const auto hash_of = [](const TextOptions& options) {
    ContentHash hash;
    add_to(hash, options);
    return hash.hex();
  };
  write_file(dir / "a.txt", "the same text\n");
  write_file(dir / "b.txt", "the same text\n");
  write_file(dir / "c.txt", "another text!\n");
  const std::string a = hash_of({.files = {dir / "a.txt"}});
  CHECK(a.size() == 32);
  CHECK(a == hash_of({.files = {dir / "b.txt"}}));
  CHECK(a != hash_of({.files = {dir / "c.txt"}}));
  CHECK(a != hash_of({.files = {dir / "a.txt", dir / "b.txt"}}));
  CHECK(a != hash_of({.files = {dir / "a.txt"}, .format = TextFormat::paragraphs}));
  CHECK(ContentHash().add("ab").add("c").hex() != ContentHash().add("a").add("bc").hex());
  CHECK(ContentHash().hex() == "99aa06d3014798d86001c324468d497f");  // XXH3 of 128 bits of nothing
  CHECK(ContentHash().add(std::string(16, '\0')).hex() != ContentHash().add(std::string(17, '\0')).hex());
}

TEST_CASE("the real tables of SST-2 and CoLA read with labels") {
  const auto sst = test::shared_data("sst2.dev.tsv");
  const auto cola = test::shared_data("cola.dev.tsv");
  if (!sst || !cola) {
    LMZOO_SKIP("../shared/data is absent");
  }
  TextCounts counts;
  rows_of({.files = {*sst}, .label = "2"}, &counts);
  CHECK(counts.records == 872);
  CHECK(counts.invalid_bytes == 0);
  rows_of({.files = {*cola}, .text = "4", .label = "2"}, &counts);
  CHECK(counts.records == 527);
}

TEST_CASE("braces that stand for more patterns than anybody means are refused before they are searched for") {
  TextOptions options;
  options.files = {"/nowhere/"};
  for (int i = 0; i < 30; ++i) {
    options.files[0] += "{a,b}";  // 2^30 patterns
  }
  CHECK_THROWS_WITH(expand_files(options), Catch::Contains("stand for over 1000 patterns"));
  options.files = {"/nowhere/{" + std::string(5000, ',') + "}"};
  CHECK_THROWS_WITH(expand_files(options), Catch::Contains("has 5011 bytes; at most 4096"));
  options.files = {"/nowhere/{a,b}{c,{d,e}}.txt"};
  CHECK_THROWS_WITH(expand_files(options), Catch::Contains("no file matches"));
}
