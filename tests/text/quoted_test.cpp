#include "text/quoted.h"

#include "support/catch.h"
#include "support/errors.h"
#include "support/files.h"
#include "text/source.h"

using namespace lmzoo;
using namespace lmzoo::test;
using Catch::Matchers::Contains;

namespace {

using Cells = std::vector<std::string>;

Cells cells_of(std::initializer_list<const char*> lines) {
  QuotedRow row;
  size_t left = lines.size();
  for (const char* line : lines) {
    const bool ended = row.add(line, {});
    CHECK(ended == (--left == 0));
  }
  return row.cells();
}

std::vector<std::pair<std::string, std::string>> texts_and_labels(const TextOptions& options,
                                                                  TextCounts& counts) {
  std::vector<std::pair<std::string, std::string>> found;
  counts = for_each_record(options, [&](const TextRecord& record) {
    found.emplace_back(record.text, *record.label);
    return true;
  });
  return found;
}

}  // namespace

TEST_CASE("cells between quotation marks hold tabs, lines and doubled marks") {
  CHECK(cells_of({"a\tb"}) == Cells{"a", "b"});
  CHECK(cells_of({"\"a\tb\"\tc"}) == Cells{"a\tb", "c"});
  CHECK(cells_of({R"("say ""so""")"}) == Cells{"say \"so\""});
  CHECK(cells_of({"x\t\"two", "lines\"\ty"}) == Cells{"x", "two\nlines", "y"});
  CHECK(cells_of({"\"a", "", "b\""}) == Cells{"a\n\nb"});
  CHECK(cells_of({"\"\"\t"}) == Cells{"", ""});
  CHECK(cells_of({"5\" pipe\tx"}) == Cells{"5\" pipe", "x"});  // a mark within a cell is a character
  CHECK_THAT(error_of([] { cells_of({"\"a\"b\tc"}); }), Contains("text behind a cell in quotation marks"));
}

TEST_CASE("a cell is told to be quoted as CSV does it only when the marks within are doubled") {
  CHECK(is_quoted("\"a b\""));
  CHECK(is_quoted(R"("say ""so""")"));
  CHECK(is_quoted("\"\""));
  CHECK_FALSE(is_quoted("\""));
  CHECK_FALSE(is_quoted(R"("one" and "two")"));
  CHECK_FALSE(is_quoted("a \"b\""));
}

// What pandas.DataFrame.to_csv(sep="\t", index=False) writes of such texts.
TEST_CASE("a table of pandas is read as it was written, or as it stands and told") {
  const TempDir dir;
  write_file(dir / "a.tsv",
             "text\tlabel\nplain\tx\n\"a\ttab\"\ty\n\"two\nlines\"\tx\n\"say \"\"so\"\"\"\ty\n");
  const TextOptions csv{
      .files = {dir / "a.tsv"}, .text = "text", .label = "label", .header = true, .quotes = Quotes::csv};
  TextCounts counts;
  CHECK(texts_and_labels(csv, counts) ==
        std::vector<std::pair<std::string, std::string>>{
            {"plain", "x"}, {"a\ttab", "y"}, {"two\nlines", "x"}, {"say \"so\"", "y"}});
  CHECK(counts.quoted == 3);

  write_file(dir / "b.tsv", "plain\tx\n\"say \"\"so\"\"\"\ty\n");
  const TextOptions plain{.files = {dir / "b.tsv"}, .text = "1", .label = "2"};
  CHECK(texts_and_labels(plain, counts)[1].first == R"("say ""so""")");
  CHECK(counts.quoted == 1);
}

TEST_CASE("a quoted cell that does not end is refused where it begins") {
  const TempDir dir;
  write_file(dir / "a.tsv", "one\tx\n\"two\tx\nthree\tx\n");
  TextOptions options{.files = {dir / "a.tsv"}, .text = "1", .label = "2", .quotes = Quotes::csv};
  TextCounts counts;
  CHECK_THAT(error_of([&] { texts_and_labels(options, counts); }),
             Contains("a.tsv:2: a cell in quotation marks begins here and does not end within"));
  options.max_record_bytes = 8;
  CHECK_THAT(error_of([&] { texts_and_labels(options, counts); }), Contains("a.tsv:2: "));
}

TEST_CASE("a file of two names is read once, and the second name is known") {
  const TempDir dir;
  write_file(dir / "a.txt", "one\n");
  std::filesystem::create_hard_link(dir / "a.txt", dir / "b.txt");
  const TextOptions both{.files = {dir / "a.txt", dir / "b.txt", dir / "a.txt"}};
  CHECK(expand_files(both) == Cells{dir / "a.txt"});
  const auto repeated = repeated_files(both);
  REQUIRE(repeated.size() == 2);
  CHECK(repeated[0] == std::pair<std::string, std::string>{dir / "b.txt", dir / "a.txt"});
  CHECK(repeated[1] == std::pair<std::string, std::string>{dir / "a.txt", dir / "a.txt"});
  CHECK(common_files({.files = {dir / "a.txt"}}, {.files = {dir / "b.txt"}}) == Cells{dir / "b.txt"});
}
