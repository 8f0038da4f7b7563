#include "train/saved/train_state.h"

#include "support/catch.h"
#include "support/errors.h"
#include "support/mutants.h"

using namespace lmzoo;
using test::error_of;

namespace {

Json json_of_state() {
  TrainState state;
  state.step = 40;
  state.seconds = 1.5;
  state.best = BestMark{20, "loss", 2.5};
  state.batches = {{"epoch", 1}, {"position", 8}};
  state.identity = {{"threads", "2"}};
  return to_json(state);
}

}  // namespace

TEST_CASE("a value of state.json of another type is refused by its key, not rounded nor wrapped") {
  const auto refusal_with = [](const char* key, const Json& value) {
    Json json = json_of_state();
    json[key] = value;
    return error_of([&] { train_state_from(json, "x/state.json"); });
  };
  CHECK(refusal_with("step", 40) == "no error");
  const std::string start = "x/state.json: not as lmzoo writes it: ";
  for (const Json& value : {Json(1.5), Json(-1), Json(1e300), Json(UINT64_MAX), Json("1"), Json()}) {
    INFO(value.dump());
    CHECK(refusal_with("step", value) == start + "step must be a whole number of at least 0");
    CHECK(refusal_with("skipped", value) == start + "skipped must be a whole number of at least 0");
  }
  CHECK(refusal_with("seconds", "1") == start + "seconds must be a number");
  CHECK(refusal_with("identity", {{"threads", 2}}) == start + "identity must be an object of texts");
  CHECK(refusal_with("best", {{"checkpoint", "step--3"}, {"metric", "loss"}, {"value", 1}}) ==
        start + "checkpoint must be step-N");
  CHECK(refusal_with("best", 3) == start + "no object");
  CHECK(error_of([] { train_state_from(Json::array(), "x/state.json"); }) == start + "no object");
}

TEST_CASE("a damaged state.json is refused, or read as what is written of it again") {
  const auto count = test::read_mutants(json_of_state().dump(2), 10'000, [](const std::string& bytes) {
    const Json written = to_json(train_state_from(parse_json(bytes, "state.json"), "state.json"));
    CHECK(to_json(train_state_from(parse_json(written.dump(), "again"), "again")) == written);
  });
  CHECK(count.refused > 5000);
  CHECK(count.accepted > 30);
}
