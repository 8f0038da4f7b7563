// extend_run of run_folder.h.
#include <charconv>

#include "base/check.h"
#include "base/utf8.h"
#include "io/files.h"
#include "train/config/word_settings.h"
#include "train/loop/lr_schedule.h"
#include "train/run/run_folder.h"
#include "train/saved/checkpoint.h"

namespace lmzoo {
namespace {

// What may be other from here on.
bool may_be_other(const std::string& key) {
  return key == "train.batch_size" || key == "train.micro_batches" || key == "optimizer.lr" ||
         key == "optimizer.weight_decay" || key == "optimizer.clip_norm" || key.starts_with("schedule.") ||
         key.starts_with("eval.");
}

bool tells_how_long(const std::string& key) { return key == "train.steps" || key == "train.epochs"; }

struct Standing {
  int64_t done = 0, planned = 0;  // steps
};

Standing standing_of(const std::string& run) {
  const auto state = is_run(run) ? state_of_newest(run) : std::nullopt;
  check(state.has_value(),
        "--extend: {} holds no run with a checkpoint; without --extend it begins",
        printable(run));
  Standing standing{.done = state->step, .planned = state->step};
  const auto told = state->identity.find("steps");
  if (told != state->identity.end()) {
    const std::string& text = told->second;
    std::from_chars(text.data(), text.data() + text.size(), standing.planned);
  }
  return standing;
}

void tell(const std::string& run,
          const std::vector<ConfigDifference>& differences,
          const RunConfig& config,
          const Standing& standing,
          const std::function<void(const std::string&)>& note) {
  const auto line = [&](const std::string& text) { note("  " + text); };
  note(fmt::format(
      "extends the run from {} to {} steps. Until step {} it is as it was; it does not become, bit for bit, "
      "a run that was begun so:",
      standing.planned,
      config.train.steps,
      standing.done));
  if (config.schedule.type != ScheduleType::constant) {
    line(fmt::format("the schedule ({}) is that of {} steps, but only from step {} on",
                     name_of(config.schedule.type),
                     config.train.steps,
                     standing.done + 1));
  }
  for (const ConfigDifference& difference : differences) {
    if (!tells_how_long(difference.key)) {
      line(fmt::format("{} was {} and is {}", difference.key, difference.before, difference.now));
    }
  }
  line(fmt::format("should it be interrupted: lmzoo train {0}/config.yaml --out {0} --resume",
                   printable(run)));
}

}  // namespace

LoadedConfig extend_run(const std::string& run,
                        LoadedConfig loaded,
                        int64_t more,
                        const std::function<void(const std::string&)>& note) {
  RunConfig& config = loaded.config;
  check(!trains_word_vectors(config),
        "--extend: word vectors learn for train.epochs, and end with a rate of 0");
  check(loaded.phases.empty(), "--extend: a run with phases ends with its last one");
  const Standing standing = standing_of(run);
  const RunLock lock(run);
  config.train.epochs.reset();
  config.train.steps = standing.planned + more;
  loaded.places.locate("schedule", [&] {
    validate(config.schedule, {.lr = config.optimizer.lr, .steps = config.train.steps, .width = 1});
  });
  const auto differences = identity_differences(read_yaml(config_file(run)), dump(config));
  for (const ConfigDifference& difference : differences) {
    check(may_be_other(difference.key) || tells_how_long(difference.key),
          "--extend: {} is {}, but the run in {} has {}; only batch sizes, rates, the schedule and "
          "evaluation may "
          "be other from here on",
          difference.key,
          difference.now,
          printable(run),
          difference.before);
  }
  tell(run, differences, config, standing, note);
  write_atomically(config_file(run), to_yaml(dump(config)));
  write_run_manifest(run);
  return loaded;
}

}  // namespace lmzoo
