#include "train/config/phases.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <utility>

#include "base/check.h"
#include "base/strings.h"
#include "base/utf8.h"
#include "train/config/word_settings.h"
#include "train/yaml/lay_over.h"

namespace lmzoo {
namespace {

constexpr std::string_view kSections[] = {"objective", "data", "optimizer", "schedule", "train", "eval"};
// What of `train` a phase may change; the rest belongs to the run.
constexpr std::string_view kTrainKeys[] = {"batch_size", "micro_batches", "precision", "max_skipped"};

bool is_one_of(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

std::string listed_names(std::span<const std::string_view> names) {
  return joined(std::vector<std::string>(names.begin(), names.end()));
}

bool is_length(std::string_view key) { return key == "steps" || key == "share" || key == "tokens"; }

std::vector<std::string> phase_keys() {
  std::vector<std::string> all(std::begin(kSections), std::end(kSections));
  all.insert(all.end(), {"name", "steps", "share", "tokens"});
  return all;
}

void check_sections(const YamlNode& node, const std::string& key) {
  for (const YamlEntry& entry : node.entries) {
    if (!is_one_of(kSections, entry.key)) {
      throw InputError(
          entry.key_where,
          fmt::format("{}.{}: unknown key; a phase has name, one of steps, share and tokens, and of "
                      "the sections {}{}",
                      key,
                      printable(entry.key),
                      listed_names(kSections),
                      suggestion(entry.key, phase_keys())));
    }
    for (const YamlEntry& own : entry.value.entries) {
      if (entry.key == "train" && !is_one_of(kTrainKeys, own.key)) {
        throw InputError(own.key_where,
                         fmt::format("{}.train.{}: belongs to the whole run; a phase may change {}",
                                     key,
                                     printable(own.key),
                                     listed_names(kTrainKeys)));
      }
    }
  }
}

void check_phase_name(const std::string& name, const std::vector<Phase>& before, const Location& where) {
  const bool legal = !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_';
  });
  const bool known =
      std::ranges::any_of(before, [&](const Phase& phase) { return phase.options.name == name; });
  if (!legal || known) {
    throw InputError(
        where,
        fmt::format("phases.{}.name: '{}' is no name for it: letters, digits, - and _, and no name twice",
                    before.size(),
                    printable(name)));
  }
}

void check_length(const PhaseOptions& options, const std::string& key, const Location& where) {
  const int64_t given = (options.steps ? 1 : 0) + (options.share ? 1 : 0) + (options.tokens ? 1 : 0);
  if (given != 1) {
    throw InputError(where, key + ": one of steps, share and tokens must say how long it is");
  }
}

// What has one meaning for a run of one stage only.
void check_run(const LoadedConfig& loaded) {
  const RunConfig& config = loaded.config;
  const auto refuse = [&](bool there, const char* key, const char* why) {
    if (there) {
      loaded.places.fail(key, why);
    }
  };
  refuse(trains_word_vectors(config), "phases", "are not for word vectors");
  refuse(config.train.epochs.has_value(), "train.epochs", "says nothing beside phases, which have lengths");
  refuse(config.fine_tune.unfreeze.has_value(), "fine_tune.unfreeze", "does not go with phases");
  refuse(!config.train.save_at.words.empty() || !config.train.save_at.tokens.empty(),
         "train.save_at",
         "counts a text, and phases have texts of their own: give steps");
  for (const LoadedPhase& phase : loaded.phases) {
    refuse(phase.loaded->config.eval.patience > 0,
           "eval.patience",
           "ends a run, and would end its phases unseen: leave it out beside phases");
  }
}

// Borders between shares are rounded, so that no step is lost.
std::vector<int64_t> steps_of_shares(const LoadedConfig& loaded) {
  const double all = static_cast<double>(loaded.config.train.steps);
  std::vector<int64_t> steps;
  double share = 0;
  int64_t before = 0;
  for (const LoadedPhase& phase : loaded.phases) {
    share += *phase.options.share;
    const int64_t end = std::llround(all * share);
    if (end == before) {
      loaded.places.fail(
          "phases",
          fmt::format("{} has no step of the {} of the run", phase.options.name, loaded.config.train.steps));
    }
    steps.push_back(end - before);
    before = end;
  }
  if (std::abs(share - 1) > 1e-9) {
    loaded.places.fail("phases", fmt::format("have shares that add up to {:g}, not to 1", share));
  }
  return steps;
}

}  // namespace

YamlNode take_phases(YamlNode& root) { return taken(root, "phases").value_or(YamlNode()); }

std::vector<Phase> read_phases(const YamlNode& node) {
  std::vector<Phase> phases;
  if (node.kind == YamlNode::Kind::null) {
    return phases;
  }
  if (node.kind != YamlNode::Kind::sequence || node.items.empty()) {
    throw InputError(node.where, "phases: expected a list, as in [{name: short, share: 0.9}, ...]");
  }
  for (const YamlNode& item : node.items) {
    const std::string key = fmt::format("phases.{}", phases.size());
    if (item.kind != YamlNode::Kind::mapping) {
      throw InputError(item.where, key + ": expected a mapping, as in {name: short, share: 0.9}");
    }
    Phase phase{.options = {}, .sections = item};
    YamlNode own = item;
    const auto is_own = [](const YamlEntry& entry) { return entry.key == "name" || is_length(entry.key); };
    std::erase_if(own.entries, [&](const YamlEntry& entry) { return !is_own(entry); });
    std::erase_if(phase.sections.entries, is_own);
    check_sections(phase.sections, key);
    KeyPlaces within(key + ".", {"name", "steps", "share", "tokens"});
    read_fields(phase.options, own, within);
    check_phase_name(phase.options.name, phases, item.where);
    check_length(phase.options, key, item.where);
    phases.push_back(std::move(phase));
  }
  return phases;
}

std::vector<std::string> leaves_of(const YamlNode& node) {
  std::vector<std::string> leaves;
  for (const YamlEntry& entry : node.entries) {
    if (entry.value.kind != YamlNode::Kind::mapping) {
      leaves.push_back(entry.key);
      continue;
    }
    for (const std::string& below : leaves_of(entry.value)) {
      leaves.push_back(entry.key + "." + below);
    }
  }
  return leaves;
}

YamlNode phase_document(const YamlNode& root, const Phase& phase) {
  YamlNode document = root;
  lay_over(document, phase.sections);
  return document;
}

void settle_phases(LoadedConfig& loaded) {
  if (loaded.phases.empty()) {
    return;
  }
  check_run(loaded);
  RunConfig& config = loaded.config;
  const PhaseOptions& first = loaded.phases.front().options;
  for (const LoadedPhase& phase : loaded.phases) {
    const PhaseOptions& options = phase.options;
    if (options.steps.has_value() != first.steps.has_value() ||
        options.share.has_value() != first.share.has_value()) {
      loaded.places.fail("phases", "have lengths of different kinds: give steps, share or tokens for all");
    }
  }
  std::vector<int64_t> steps;
  if (first.share) {
    steps = steps_of_shares(loaded);
  } else {
    int64_t all = 0;
    for (const LoadedPhase& phase : loaded.phases) {
      steps.push_back(phase.options.steps.value_or(0));
      all += steps.back();
    }
    const bool other = config.train.steps != TrainOptions{}.steps && config.train.steps != all;
    if (loaded.places.written("train.steps") && other) {
      loaded.places.fail(
          "train.steps",
          fmt::format("is {}, but the phases say how long the run is: leave it out", config.train.steps));
    }
    config.train.steps = all > 0 ? all : config.train.steps;
  }
  if (first.tokens) {
    return;  // the loop checks the schedules, when the texts tell how long they are
  }
  const auto check_schedule = [](const LoadedConfig& of, int64_t all) {
    of.places.locate("schedule", [&] {
      validate(of.config.schedule, {.lr = of.config.optimizer.lr, .steps = all, .width = 1});
    });
  };
  check_schedule(loaded, config.train.steps);
  for (size_t i = 0; i < steps.size(); ++i) {
    LoadedConfig& own = *loaded.phases[i].loaded;
    own.config.train.steps = steps[i];
    if (loaded.phases[i].own_schedule) {
      check_schedule(own, steps[i]);
    }
  }
}

YamlNode dump_phases(const std::vector<Phase>& phases) {
  std::vector<YamlNode> items;
  for (const Phase& phase : phases) {
    YamlNode item = dump_fields(phase.options);
    std::erase_if(item.entries,
                  [](const YamlEntry& entry) { return entry.value.kind == YamlNode::Kind::null; });
    item.entries.insert(item.entries.end(), phase.sections.entries.begin(), phase.sections.entries.end());
    items.push_back(std::move(item));
  }
  return YamlNode::sequence(std::move(items));
}

Json phases_schema(const Json& run) {
  PhaseOptions options;
  fields_detail::StructRef<PhaseOptions> group(options);
  Json one = schema_of(group);
  for (const std::string_view section : kSections) {
    Json own = run["properties"][std::string(section)];
    one["properties"][std::string(section)] = {{"type", "object"}, {"description", own["description"]}};
  }
  return {{"type", "array"},
          {"items", std::move(one)},
          {"description", "stages of the run, each with its length and what it changes of the sections"}};
}

}  // namespace lmzoo
