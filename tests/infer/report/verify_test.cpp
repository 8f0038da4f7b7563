#include "infer/report/verify.h"

#include "support/catch.h"
#include "support/files.h"
#include "train/yaml/bind.h"

using namespace lmzoo;
using Catch::Matchers::Contains;

namespace {

Verification verified(const std::string& name, const std::vector<std::string>& changes = {}) {
  const test::TempDir dir;
  std::vector<Override> overrides{parse_override("data.cache_dir=" + (dir / "cache"))};
  for (const std::string& change : changes) {
    overrides.push_back(parse_override(change));
  }
  const Registry registry = make_registry();
  return verify_objective(
      read_run_config("configs/debug/" + name + ".yaml", overrides, registry), registry, 30'000);
}

}  // namespace

TEST_CASE("promises are counted on the text of a configuration, which is read as often as it takes") {
  const Verification made = verified("bert");
  CHECK(made.objective == "masked_lm");
  CHECK(made.tokens >= 30'000);  // the text has half of them
  CHECK(made.holds());
  CHECK(made.promises.size() > 5);
  CHECK_THAT(to_text(made), Contains("tokens that are predicted") && Contains("every promise is kept"));
  const Json json = to_json(made);
  CHECK(json["holds"] == true);
  CHECK(json["promises"].size() == made.promises.size());
}

TEST_CASE("an objective that draws nothing says so, and word vectors have another loop") {
  const Verification made = verified("gpt");
  CHECK(made.promises.empty());
  CHECK_THAT(to_text(made), Contains("nothing is drawn"));
  CHECK(to_json(made)["draws"] == false);
  CHECK_THROWS_WITH(verified("skipgram"), Contains("skipgram is trained by a loop of its own"));
}

TEST_CASE("a broken promise shows in the table and in the verdict") {
  Verification made{.objective = "fake", .tokens = 1000, .samples = 10, .promises = {}};
  Mean share;
  share.add_count(300, 1000, 0.15);
  made.promises.push_back({"tokens that are predicted", "mean", share.find()});
  Always cases;
  cases.add(true);
  made.promises.push_back({"no word is cut", "always", cases.find()});
  CHECK(!made.holds());
  const std::string text = to_text(made);
  CHECK_THAT(text, Contains("tokens that are predicted  0.15          0.3   1,000"));
  CHECK_THAT(text, Contains("NO\n") && !Contains("every promise is kept"));
  CHECK(to_json(made)["promises"][0]["verdict"] == "broken");
}
