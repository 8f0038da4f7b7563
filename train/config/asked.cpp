// phase_of, last_phase and asked_objective of run_config.h.
#include <algorithm>
#include <optional>

#include "base/check.h"
#include "train/config/run_config.h"

namespace lmzoo {

const LoadedConfig& phase_of(const LoadedConfig& loaded, size_t phase) {
  check(phase < std::max<size_t>(loaded.phases.size(), 1),
        "there are {} phases, but a checkpoint is of number {}",
        loaded.phases.size(),
        phase);
  return loaded.phases.empty() ? loaded : *loaded.phases.at(phase).loaded;
}

namespace {

// What is asked of an objective that is made of several.
struct AskedComponent {
  std::string type;
  std::string corpus;  // the first that it is for; empty: all
};

std::optional<AskedComponent> asked_component(const RunConfig& config) {
  const YamlNode root = dump(config);
  const YamlNode* objective = root.find("objective");
  const YamlNode* components = objective->find("components");
  if (components == nullptr || components->items.empty()) {
    return std::nullopt;
  }
  const auto text = [](const YamlNode* node) { return node != nullptr ? node->scalar : std::string(); };
  const std::string ask = text(objective->find("ask"));
  const YamlNode* asked = &components->items.front();
  for (const YamlNode& component : components->items) {
    const std::string type = text(component.find("objective")->find("type"));
    const std::string name = text(component.find("name"));
    asked = ask == (name.empty() ? type : name) ? &component : asked;
  }
  const YamlNode* corpora = asked->find("corpora");
  const bool all = corpora == nullptr || corpora->items.empty();
  return AskedComponent{.type = text(asked->find("objective")->find("type")),
                        .corpus = all ? "" : corpora->items.front().scalar};
}

}  // namespace

std::string asked_objective(const LoadedConfig& loaded) {
  const RunConfig& config = last_phase(loaded).config;
  const auto component = asked_component(config);
  return component ? component->type : config.objective.type;
}

const TextOptions& asked_text(const RunConfig& config) {
  const auto component = asked_component(config);
  for (const CorpusOptions& corpus : config.further_corpora()) {
    if (component && corpus.name == component->corpus) {
      return corpus.train;
    }
  }
  return config.data.train;
}

const LoadedConfig& last_phase(const LoadedConfig& loaded) {
  return loaded.phases.empty() ? loaded : *loaded.phases.back().loaded;
}

}  // namespace lmzoo
