// `lmzoo inspect --verify` as a user meets it.
#include "cli/workspace.h"
#include "io/json.h"

using namespace lmzoo;
using test::check_one_line;
using test::Outcome;
using test::Workspace;

TEST_CASE("inspect --verify counts what is promised, as a table and as JSON") {
  const Workspace work;
  const auto verify = [&](const std::string& name, const std::vector<std::string>& more) {
    std::vector<std::string> arguments{
        "inspect", "configs/debug/" + name + ".yaml", "--set", "data.cache_dir=" + (work.dir / "cache")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return test::run(arguments);
  };
  const Outcome table = verify("t5", {"--verify", "--tokens", "20000"});
  INFO(table.err);
  CHECK(table.code == 0);
  CHECK_THAT(table.out, Catch::Contains("lengths of spans") && Catch::Contains("every promise is kept"));
  const Outcome json = verify("t5", {"--verify", "--tokens", "20000", "--json"});
  CHECK(parse_json(json.out, "verify")["holds"] == true);
  check_one_line(verify("t5", {"--tokens", "5"}), "--tokens goes with --verify");
  check_one_line(verify("t5", {"--verify", "--count", "5"}), "--count and --html do not go with --verify");
}
