#include "infer/report/report.h"

#include "support/catch.h"
#include "support/files.h"

using namespace lmzoo;

TEST_CASE("ticks are round and inside the range") {
  CHECK(html::ticks(0, 10, 5) == std::vector<double>{0, 2, 4, 6, 8, 10});
  CHECK(html::ticks(0.2, 1.1, 2) == std::vector<double>{0.5, 1.0});
  CHECK(html::ticks(5, 5, 3) == std::vector<double>{5});
}

TEST_CASE("numbers are short and integers grouped") {
  CHECK(html::number(1234567) == "1,234,567");
  CHECK(html::number(-1234) == "-1,234");
  CHECK(html::number(-123) == "-123");
  CHECK(html::number(3.14159) == "3.142");
  CHECK(html::number(std::nan("")) == "–");
  CHECK(html::number(-0.0) == "0");
  for (const double tick : html::ticks(-0.125, 0.875, 6)) {
    CHECK(html::number(tick) != "-0");
  }
}

TEST_CASE("a chart leaves out what is not finite and says when nothing is left") {
  CHECK(html::chart({.title = "Loss", .x_label = "step", .series = {{"a", {1, 2}, {NAN, INFINITY}}}}) ==
        "<p class=\"note\">Loss: nothing was logged.</p>");
  const std::string svg =
      html::chart({.title = "Loss", .x_label = "step", .series = {{"a", {1, 2, 3}, {1, NAN, 3}}}});
  CHECK(svg.find("nan") == std::string::npos);
  CHECK(svg.find("<svg") != std::string::npos);
}

TEST_CASE("a run's rows are read, and its page needs no network") {
  const test::TempDir folder;
  test::write_file(folder / "a <run>/config.yaml", "name: x\n");
  test::write_file(
      folder / "a <run>/metrics.jsonl",
      "{\"kind\": \"train\", \"step\": 1, \"loss\": 3.5, \"tokens\": 100, \"seconds\": 2, \"lr\": null}\n"
      "{\"kind\": \"eval\", \"step\": 1, \"loss\": 3.25, \"accuracy\": 0.5}\n");
  const RunRecord run = read_run(folder / "a <run>");
  CHECK(run.train.size() == 1);
  CHECK(run.eval.size() == 1);
  const html::Table table = summary({run});
  CHECK(table.rows[0] ==
        std::vector<std::string>{"a <run>", "–", "1", "100", "50", "3.5", "3.25", "–", "0.5"});
  const std::string page = report_page({run}, {});
  CHECK(page.find("a &lt;run&gt;") != std::string::npos);
  CHECK(page.find("<run>") == std::string::npos);
  for (const char* external : {"http://", "https://", "<script", "<link", "src="}) {
    CHECK(page.find(external) == std::string::npos);
  }
}

TEST_CASE("a folder without config.yaml and a damaged row are refused by name") {
  const test::TempDir folder;
  CHECK_THROWS_WITH(read_run(folder / "no"), Catch::Contains("is no run folder: it has no config.yaml"));
  test::write_file(folder / "run/config.yaml", "name: x\n");
  test::write_file(folder / "run/metrics.jsonl", "{\"kind\": \"train\", \"step\": 1}\n{\"kind\n");
  CHECK_THROWS_WITH(read_run(folder / "run"), Catch::Contains("metrics.jsonl:2"));
}

TEST_CASE("results of a suite come first, with their tables and samples") {
  const test::TempDir folder;
  test::write_file(
      folder / "results.json",
      R"({"title": "Suite", "tables": [{"title": "T", "note": "n", "head": ["a"], "rows": [["1"]]}],
                       "samples": [{"title": "S", "prompt": "p", "answer": "q"}]})");
  const Results results = read_results(folder / "results.json");
  CHECK(results.tables.at(0).table.rows.at(0).at(0) == "1");
  CHECK(results.samples.at(0).answer == "q");
  test::write_file(folder / "bad.json", R"({"title": 3})");
  CHECK_THROWS_WITH(read_results(folder / "bad.json"), Catch::Contains("title must be a text"));
}

TEST_CASE("a plain table aligns columns by characters, not bytes") {
  CHECK(plain_table({.head = {"run", "loss"}, .rows = {{"a", "–"}, {"long", "3.25"}}}) ==
        "run   loss\n"
        "a        –\n"
        "long  3.25\n");
}

TEST_CASE("folders of one name are told apart by the folders above them") {
  std::vector<RunRecord> runs(3);
  runs[0].folder = "/s/lr=1/seed-1";
  runs[1].folder = "/s/lr=2/seed-1";
  runs[2].folder = "/s/lr=2/seed-2";
  for (RunRecord& run : runs) {
    run.name = run.folder.substr(run.folder.rfind('/') + 1);
  }
  name_distinctly(runs);
  CHECK(runs[0].name == "lr=1/seed-1");
  CHECK(runs[1].name == "lr=2/seed-1");
  CHECK(runs[2].name == "seed-2");
}

TEST_CASE("a report opens with the picture of its results, a point a seed, and overlays its runs") {
  const test::TempDir folder;
  test::write_file(folder / "results.json",
                   R"({"pictures": [{"title": "Accuracy", "rows": [{"name": "tuned", "values": [0.5, 0.75]},
                                                              {"name": "scratch", "values": [0.25], "color": 1}]}]})");
  const Results results = read_results(folder / "results.json");
  std::vector<RunRecord> runs(3);
  for (size_t i = 0; i < runs.size(); ++i) {
    runs[i].name = i == 0 ? "first" : "second";
    runs[i].objective = i == 2 ? "masked_lm" : "classification";  // whose losses do not compare
    runs[i].eval = {Json{{"step", 1}, {"loss", 3}}, Json{{"step", 2}, {"loss", 2}}};
  }
  const std::string page = report_page(runs, results);
  const size_t picture = page.find("aria-label=\"Accuracy\""), table = page.find("<h2>Runs");
  REQUIRE(picture != std::string::npos);
  CHECK(picture < table);
  const std::string shown = page.substr(picture, page.find("</figure>", picture) - picture);
  size_t points = 0;
  for (size_t at = shown.find("<circle"); at != std::string::npos; at = shown.find("<circle", at + 1)) {
    ++points;
  }
  CHECK(points == 3);
  CHECK_THAT(page,
             Catch::Contains("Validation loss of each run: classification") &&
                 !Catch::Contains("of each run: masked_lm"));
  test::write_file(folder / "bad.json", R"({"pictures": [{"rows": [{"values": ["x"]}]}]})");
  CHECK_THROWS_WITH(read_results(folder / "bad.json"), Catch::Contains("list of numbers"));
}
