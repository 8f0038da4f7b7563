#include "train/lab/bench.h"

#include <algorithm>

#include "base/check.h"
#include "base/utf8.h"
#include "cli/config_flags.h"
#include "core/cpu_setup.h"
#include "core/device.h"
#include "train/loop/stop_signal.h"

namespace lmzoo {
namespace {

// "1.23e+09" is for machines; people read 1.23 G.
std::string scaled(double value) {
  static constexpr const char* kUnits[] = {"", " k", " M", " G", " T"};
  size_t unit = 0;
  while (value >= 1e4 && unit + 1 < std::size(kUnits)) {
    value /= 1e3;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, "%.4g%s", value, kUnits[unit]);
  return text;
}

void show_bench(const Figures& figures, bool json) {
  Json all = Json::object();
  std::string text;
  for (const Figure& figure : figures) {
    all[figure.name] = figure.value;
    const std::string value = scaled(figure.value);
    text += figure.name + std::string(24 - std::min<size_t>(figure.name.size(), 23), ' ') + value +
            std::string(12 - std::min<size_t>(value.size(), 11), ' ') + figure.meaning + "\n";
  }
  json ? print(all) : print(text);
}

}  // namespace

int run_bench(const Command& self, const Strings& arguments) {
  static const Strings kinds{"step", "machine", "loader", "tokenizer"};
  Flags flags(self);
  flags.positional("WHAT", joined(kinds));
  flags.positional("[CONFIG]", "a run's YAML; not for machine");
  flags.repeated("set", "KEY=VALUE", "override a key of the YAML");
  flags.value("steps", "N", "step: how many are measured; default 20");
  flags.value("threads", "N", "threads of the CPU; default: the configuration's, or one for each core");
  flags.value("device", "NAME", "machine: auto, cpu, cuda or cuda:N; default cpu");
  flags.toggle("json", "print JSON");
  if (!flags.parse(arguments)) {
    return 0;
  }
  const std::string what = flags.text("WHAT");
  check(std::find(kinds.begin(), kinds.end(), what) != kinds.end(),
        "lmzoo bench: cannot measure '{}'; legal: {}{}",
        printable(what),
        joined(kinds),
        suggestion(what, kinds));
  const StopSignal signals;
  const bool json = flags.has("json");
  const int64_t threads = flags.integer("threads", 0, between(1, kMostThreads));
  if (what == "machine") {
    set_up_cpu(threads);
    show_bench(bench_machine(choose_device({.name = flags.text("device", "cpu")}).device), json);
    return 0;
  }
  check(flags.has("CONFIG") && !flags.text("CONFIG").empty(), "lmzoo bench {}: CONFIG is missing", what);
  const Registry registry = make_registry();
  const LoadedConfig loaded = read_config(flags, registry);
  set_up_cpu(threads > 0 ? threads : loaded.config.train.threads);
  if (what == "step") {
    const auto device = choose_device({.name = loaded.config.train.device,
                                       .deterministic = loaded.config.train.deterministic})
                            .device;
    show_bench(
        bench_step(
            loaded, registry, {.steps = flags.integer("steps", 20, between(1, 1'000'000)), .device = device}),
        json);
  } else {
    show_bench(what == "loader" ? bench_loader(loaded, registry) : bench_tokenizer(loaded), json);
  }
  return 0;
}

}  // namespace lmzoo
