#include "infer/report/sweep.h"

#include "base/check.h"
#include "cli/config_flags.h"
#include "io/files.h"
#include "train/lab/run_sweep.h"
#include "train/loop/stop_signal.h"
#include "train/run/assemble.h"

namespace lmzoo {
namespace {

SweepRequest request_of(const Flags& flags) {
  SweepRequest request{.config = flags.text("CONFIG"),
                       .set = overrides_of(flags),
                       .axes = {},
                       .seeds = parse_seeds(flags.text("seeds", "1,2,3")),
                       .out = flags.text("out")};
  for (const std::string& argument : flags.all("grid")) {
    request.axes.push_back(parse_axis(argument));
  }
  return request;
}

}  // namespace

int run_sweep(const Command& self, const Strings& arguments) {
  Flags flags(self);
  add_config_flags(flags);
  flags.value("seeds", "LIST", "1,2,3 or 1-5; default 1,2,3");
  flags.repeated(
      "grid", "KEY=V1,V2", "values of a key, each with every seed; several keys: all combinations");
  flags.value("out", "DIR", "the folder of the runs; a sweep that is there goes on");
  flags.toggle("json", "print JSON");
  if (!flags.parse(arguments)) {
    return 0;
  }
  check(!flags.text("out").empty(), "lmzoo sweep: --out DIR is missing; see lmzoo sweep --help");
  const StopSignal signals;
  const Registry registry = make_registry();
  const SweepResult result = run_sweep(request_of(flags), registry);
  if (result.signal != 0) {
    return 128 + result.signal;
  }
  const std::string out = flags.text("out");
  const Json json = to_json(result.outcome);
  write_atomically(out + "/sweep.json", json.dump(2) + "\n");
  write_atomically(out + "/report.html", sweep_page(out, result.outcome));
  flags.has("json") ? print(json)
                    : print(plain_table(run_table(result.outcome)) + "\n" +
                            plain_table(cell_table(result.outcome)) + "\n" + out + "/report.html\n");
  const auto& measured = result.outcome.measured;
  const auto failed = std::count(measured.begin(), measured.end(), std::nullopt);
  check(failed == 0, "{} of {} runs failed; why stands above", failed, result.outcome.runs.size());
  return 0;
}

}  // namespace lmzoo
