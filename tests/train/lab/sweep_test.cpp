#include "train/lab/sweep.h"

#include <cmath>

#include "base/error.h"
#include "support/catch.h"
#include "support/files.h"
#include "train/saved/checkpoint.h"

using namespace lmzoo;
using Catch::Matchers::Contains;

TEST_CASE("seeds are a list or a range") {
  CHECK(parse_seeds("7") == std::vector<int64_t>{7});
  CHECK(parse_seeds("3,1") == std::vector<int64_t>{3, 1});
  CHECK(parse_seeds("1-3,9") == std::vector<int64_t>{1, 2, 3, 9});
  for (const char* wrong :
       {"", "a", "1,", "1,,2", "-1", "3-1", "1-", "1.5", "0-5000", "1 2", "99999999999999999999"}) {
    INFO(wrong);
    CHECK_THROWS_AS(parse_seeds(wrong), InputError);
  }
  CHECK_THROWS_WITH(parse_seeds("1,2,1"), "--seeds has 1 twice");
}

TEST_CASE("an axis is a key and its values; commas in brackets belong to a value") {
  const GridAxis axis = parse_axis("data.train.files=[a.txt,b.txt],[c.txt]");
  CHECK(axis.key == "data.train.files");
  CHECK(axis.values == std::vector<std::string>{"[a.txt,b.txt]", "[c.txt]"});
  for (const char* wrong : {"", "lr", "=1", "lr=", "lr=1,,2", "lr=1,1"}) {
    INFO(wrong);
    CHECK_THROWS_AS(parse_axis(wrong), InputError);
  }
}

TEST_CASE("cells are all combinations, the last axis fastest") {
  const auto cells = sweep_cells({parse_axis("a=1,2"), parse_axis("b=x,y")}, {});
  REQUIRE(cells.size() == 4);
  CHECK(cells[1].name == "a=1, b=y");
  CHECK(cells[2].overrides[0].value == "2");
  CHECK(sweep_cells({}, {}).size() == 1);
  CHECK_THROWS_WITH(sweep_cells({parse_axis("a=1"), parse_axis("a=2")}, {}), Contains("a is set twice"));
  CHECK_THROWS_WITH(sweep_cells({parse_axis("a=1")}, {{"a", "3"}}), Contains("a is set twice"));
  CHECK_THROWS_WITH(sweep_cells({parse_axis("seed=1")}, {}), Contains("--seeds"));
  CHECK_THROWS_WITH(sweep_cells({}, {{"seed", "1"}}), Contains("--seeds"));
}

TEST_CASE("each run has a folder of its own, with a name that every file system takes") {
  const auto cells = sweep_cells({parse_axis("warm_start.from=../a/b,x y")}, {});
  const auto runs = planned_runs(cells, {1, 2}, "out");
  REQUIRE(runs.size() == 4);
  CHECK(runs[1].folder == "out/warm_start.from=.._a_b/seed-2");
  CHECK(runs[2].cell == 1);
  CHECK(planned_runs(sweep_cells({}, {}), {5}, "out")[0].folder == "out/seed-5");
  CHECK_THROWS_WITH(planned_runs(sweep_cells({parse_axis("a=x/y,x:y")}, {}), {1}, "out"),
                    Contains("share the folder"));
  CHECK_THROWS_AS(planned_runs(sweep_cells({parse_axis("a=" + std::string(300, 'x'))}, {}), {1}, "out"),
                  InputError);
}

TEST_CASE("a run is measured by its best checkpoint, or by its last evaluation") {
  const test::TempDir dir;
  test::write_file(dir / "metrics.jsonl",
                   R"({"kind":"train","step":1,"loss":3}
{"kind":"eval","step":2,"split":"valid","loss":2.5,"accuracy":0.5,"labels":7,"tokens":9}
{"kind":"eval","step":4,"split":"valid","loss":null,"accuracy":0.75,"labels":7,"tokens":9}
)");
  const MeasuredRun last = measured_run(dir.path());
  CHECK(last.step == 4);
  REQUIRE(last.metrics.size() == 2);
  CHECK(std::isnan(last.metrics[0].second));
  TrainState state;
  state.step = 2;
  state.best = BestMark{2, "loss", 2.5};
  save_checkpoint(dir.path(), {.weights = {}, .optimizer = {}}, state, {.last = 1});
  CHECK(measured_run(dir.path()).step == 2);
  CHECK(measured_run(dir.path()).metrics[1] == std::pair<std::string, double>{"accuracy", 0.5});
}

TEST_CASE("spreads have the mean and the sample's deviation of what is a number") {
  const double none = std::nan("");
  const std::vector<MeasuredRun> runs{
      {1, {{"f1", 1}, {"loss", none}}}, {1, {{"f1", 2}, {"loss", 4}}}, {1, {{"f1", 6}}}};
  const auto both = spreads(runs);
  REQUIRE(both.size() == 2);
  CHECK(both[0].mean == Approx(3));
  CHECK(both[0].deviation == Approx(std::sqrt(7.0)));
  CHECK(both[0].low == 1);
  CHECK(both[0].high == 6);
  CHECK(both[1].count == 1);
  CHECK(both[1].mean == 4);
  CHECK(std::isnan(both[1].deviation));
  CHECK(spreads({}).empty());
}
