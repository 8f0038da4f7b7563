#include "cli/query_flags.h"

#include <filesystem>
#include <iostream>

#include "base/check.h"
#include "base/utf8.h"
#include "core/cpu_setup.h"

namespace lmzoo {

void add_query_flags(Flags& flags) {
  flags.positional("RUN", "a run folder or a checkpoint folder");
  add_device_flags(flags);
}

void add_device_flags(Flags& flags) {
  flags.value("device", "NAME", "auto, cpu, cuda or cuda:N; default: the run's");
  flags.value("threads", "N", "threads of the CPU; default: one for each core");
  flags.toggle("json", "print JSON");
}

std::string run_argument(const Flags& flags, const std::string& name) {
  const std::string given = flags.text(name), shown = printable(given);
  const bool is_yaml = given.ends_with(".yaml") || given.ends_with(".yml");
  check(!is_yaml || std::filesystem::is_directory(given),
        "{0} is a configuration, and a run is wanted: lmzoo train {0} --out RUN makes one",
        shown);
  return given;
}

LoadedRun load_query_run(const Flags& flags, const Registry& registry) {
  set_up_cpu(flags.integer("threads", 0, between(1, kMostThreads)));
  return load_run(run_argument(flags), registry, flags.text("device"));
}

void add_prompt_flags(Flags& flags) {
  flags.value("text", "TEXT", "the text; default: the lines of standard input");
  flags.value("file", "FILE", "a file with a text a line");
}

Strings prompts_of(const Flags& flags) {
  return read_prompts(flags.text("text"), flags.text("file"), std::cin);
}

void print_answers(const Flags& flags, const Json& all) {
  print(all.size() == 1 && flags.has("text") ? all[0] : all);
}

void add_sampling_flags(Flags& flags) {
  flags.value("temperature", "T", "logits are divided by it; 0 = greedy; default 1");
  flags.value("top-k", "K", "sample among so many most probable tokens");
  flags.value("top-p", "P", "sample among the fewest tokens whose probabilities reach it");
  flags.value("max-tokens", "N", "new tokens at most; default 64");
  flags.value("seed", "N", "of the draws; default 0");
}

SamplingOptions sampling_of(const Flags& flags) {
  SamplingOptions options;
  options.temperature = flags.real("temperature", 1, at_least(0));
  if (flags.has("top-k")) {
    options.top_k = flags.integer("top-k", 0, at_least(1));
  }
  if (flags.has("top-p")) {
    options.top_p = flags.real("top-p", 1, Range{0, 1, true, false});
  }
  return options;
}

Stream sampling_stream(const Flags& flags, uint64_t index) {
  return Stream({.seed = static_cast<uint64_t>(flags.integer("seed", 0, at_least(0))),
                 .epoch = 0,
                 .sample = index,
                 .purpose = Purpose::sampling});
}

}  // namespace lmzoo
