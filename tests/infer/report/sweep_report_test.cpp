#include <cmath>

#include "infer/report/sweep.h"
#include "support/catch.h"

using namespace lmzoo;

namespace {

SweepOutcome two_cells() {
  return {
      .cells = {{.name = "lr=1", .overrides = {{"lr", "1"}}}, {.name = "lr=2", .overrides = {{"lr", "2"}}}},
      .runs = {{.cell = 0, .seed = 1, .folder = "s/lr=1/seed-1"},
               {.cell = 0, .seed = 2, .folder = "s/lr=1/seed-2"},
               {.cell = 1, .seed = 1, .folder = "s/lr=2/seed-1"},
               {.cell = 1, .seed = 2, .folder = "s/lr=2/seed-2"}},
      .measured = {MeasuredRun{8, {{"f1", 0.5}, {"loss", 2}}},
                   MeasuredRun{6, {{"f1", 0.75}, {"loss", std::nan("")}}},
                   MeasuredRun{8, {{"f1", 1}}},
                   std::nullopt}};
}

}  // namespace

TEST_CASE("a sweep's table has a row a cell, with the deviation where there are two runs") {
  const html::Table table = cell_table(two_cells());
  CHECK(table.head == std::vector<std::string>{"cell", "runs", "f1", "loss"});
  REQUIRE(table.rows.size() == 2);
  CHECK(table.rows[0] == std::vector<std::string>{"lr=1", "2", "0.625 ± 0.18", "2"});
  CHECK(table.rows[1] == std::vector<std::string>{"lr=2", "1", "1", "–"});
}

TEST_CASE("a sweep's runs are shown one by one, failed ones too") {
  const html::Table table = run_table(two_cells());
  REQUIRE(table.rows.size() == 4);
  CHECK(table.rows[1] == std::vector<std::string>{"lr=1", "2", "6", "0.75", "–"});
  CHECK(table.rows[3] == std::vector<std::string>{"lr=2", "2", "failed", "–", "–"});
}

TEST_CASE("a sweep as JSON has null for what is no number") {
  const Json json = to_json(two_cells());
  CHECK(json["cells"][0]["set"]["lr"] == "1");
  CHECK(json["cells"][0]["runs"][1]["loss"].is_null());
  CHECK(json["cells"][0]["metrics"]["f1"]["mean"] == 0.625);
  CHECK(json["cells"][0]["metrics"]["loss"]["count"] == 1);
  CHECK(json["cells"][0]["metrics"]["loss"]["deviation"].is_null());
  CHECK(json["cells"][1]["runs"][1]["failed"] == true);
}
