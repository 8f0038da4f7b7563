#include "train/config/run_config.h"

#include <algorithm>
#include <filesystem>

#include "base/check.h"
#include "base/strings.h"
#include "base/utf8.h"
#include "io/files.h"
#include "train/config/arms.h"
#include "train/config/model_source.h"
#include "train/config/phases.h"
#include "train/config/run_config_checks.h"
#include "train/config/word_settings.h"

namespace lmzoo {
namespace {

// One of several names, kept as text.
class NameRef final : public ChoiceRef {
 public:
  NameRef(std::vector<std::string> names, std::string& value) : names_(std::move(names)), value_(value) {}
  std::vector<std::string_view> names() const override { return {names_.begin(), names_.end()}; }
  std::string_view get() const override { return value_; }
  bool set(std::string_view name) override {
    if (std::find(names_.begin(), names_.end(), name) == names_.end()) {
      return false;
    }
    value_ = name;
    return true;
  }

 private:
  std::vector<std::string> names_;
  std::string& value_;
};

// A name that may be absent, which is an empty text.
class OptionalNameRef final : public OptionalRef {
 public:
  explicit OptionalNameRef(NameRef& name, std::string& value) : name_(name), value_(value) {}
  bool has_value() const override { return !value_.empty(); }
  void reset() override { value_.clear(); }
  void emplace() override {}
  void visit(FieldVisitor& visitor, const FieldInfo& info) override { visitor.choice(info, name_); }

 private:
  NameRef& name_;
  std::string& value_;
};

template <class Map>
std::vector<std::string> names_of(const Map& entries) {
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries) {
    names.push_back(name);
  }
  return names;
}

// Whether options are those of their type's defaults. Whoever only looks at keys must not replace what is being read.
bool begins_anew(const Registry* registry, const FieldVisitor& visitor, const AnyOptions& options) {
  return registry != nullptr && (visitor.reads() || !options);
}

constexpr FieldInfo kType{.name = "type", .doc = "which one; its options stand beside it"};
constexpr FieldInfo kPreset{.name = "preset",
                            .doc = "a published set of options, which the others then override"};

// The section `model`. With a registry the options are set from type and preset first, to be read over;
// without, they are as they stand.
class ModelGroup final : public GroupRef {
 public:
  ModelGroup(ModelChoice& choice, const Registry* registry) : choice_(choice), registry_(registry) {}
  void visit(FieldVisitor& visitor) override {
    NameRef type(registry_ ? names_of(registry_->models()) : std::vector{choice_.type}, choice_.type);
    visitor.choice(kType, type);
    if (choice_.type.empty()) {
      return;
    }
    NameRef preset(presets(), choice_.preset);
    OptionalNameRef optional(preset, choice_.preset);
    visitor.optional(kPreset, optional);
    if (begins_anew(registry_, visitor, choice_.options)) {
      const ModelFamily& family = registry_->model(choice_.type);
      choice_.options = choice_.preset.empty() ? family.defaults : family.preset(choice_.preset);
    }
    choice_.options.visit(visitor);
  }

 private:
  std::vector<std::string> presets() const {
    return registry_ ? names_of(registry_->model(choice_.type).presets) : std::vector{choice_.preset};
  }

  ModelChoice& choice_;
  const Registry* registry_;
};

// The section `objective`, likewise.
class ObjectiveGroup final : public GroupRef {
 public:
  ObjectiveGroup(ObjectiveChoice& choice, const Registry* registry) : choice_(choice), registry_(registry) {}
  void visit(FieldVisitor& visitor) override {
    NameRef type(registry_ ? names_of(registry_->objectives()) : std::vector{choice_.type}, choice_.type);
    visitor.choice(kType, type);
    if (choice_.type.empty()) {
      return;
    }
    if (begins_anew(registry_, visitor, choice_.options)) {
      choice_.options = registry_->objective(choice_.type).defaults;
    }
    choice_.options.visit(visitor);
  }

 private:
  ObjectiveChoice& choice_;
  const Registry* registry_;
};

constexpr std::string_view kUsualOptimizer = "adamw";

std::string usual_optimizer(const RunConfig& config) {
  return std::string(trains_word_vectors(config) ? kWordOptimizer : kUsualOptimizer);
}

// The section `optimizer`, likewise; its type may be left out.
class OptimizerGroup final : public GroupRef {
 public:
  OptimizerGroup(RunConfig& config, const Registry* registry)
      : config_(config), choice_(config.optimizer), registry_(registry) {}
  void visit(FieldVisitor& visitor) override {
    if (choice_.type.empty()) {
      choice_.type = usual_optimizer(config_);
    }
    NameRef type(registry_ ? names_of(registry_->optimizers()) : std::vector{choice_.type}, choice_.type);
    visitor.choice(kType, type);
    if (begins_anew(registry_, visitor, choice_.options)) {
      const OptimizerRule& rule = registry_->optimizer(choice_.type);
      choice_.lr = rule.lr;
      choice_.options = rule.defaults;
    }
    fields_detail::Forwarder field{visitor};
    field("lr", choice_.lr, "peak learning rate; a factor for the schedule noam", more_than(0));
    choice_.options.visit(visitor);
    field("clip_norm",
          choice_.clip_norm,
          "gradients of a larger global norm are scaled down to it; 0: never",
          at_least(0));
  }

 private:
  RunConfig& config_;
  OptimizerChoice& choice_;
  const Registry* registry_;
};

class RunConfigGroup final : public GroupRef {
 public:
  RunConfigGroup(RunConfig& config, const Registry* registry) : config_(config), registry_(registry) {}
  void visit(FieldVisitor& visitor) override {
    ModelGroup model(config_.model, registry_);
    ObjectiveGroup objective(config_.objective, registry_);
    OptimizerGroup optimizer(config_, registry_);
    fields_detail::Forwarder field{visitor};
    field("name", config_.name, "of the run and, below runs/, its folder; absent: the file's name");
    field("seed", config_.seed, "of everything random", at_least(0));
    field("tokenizer", config_.tokenizer, "text to ids");
    field("data", config_.data, "text, and how it is cut");
    field("model", static_cast<GroupRef&>(model), "who predicts");
    field("objective", static_cast<GroupRef&>(objective), "what is predicted");
    field("optimizer", static_cast<GroupRef&>(optimizer), "how weights are updated");
    field("schedule", config_.schedule, "the learning rate over time");
    field("train", config_.train, "how long, how much at once, where");
    field("eval", config_.eval, "evaluation while training");
    field("warm_start", config_.warm_start, "weights to begin from");
    field("fine_tune", config_.fine_tune, "which of them learn, how fast and since when");
    field("ask", config_.ask, "how the finished run is asked");
  }

 private:
  RunConfig& config_;
  const Registry* registry_;
};

// The schema of a section whose keys depend on its type: one alternative for each.
template <class Choice, class Group, class Entries>
Json alternatives(const Entries& entries, const Registry& registry) {
  Json all = Json::array();
  for (const auto& [name, entry] : entries) {
    Choice choice;
    choice.type = name;
    Group group(choice, &registry);
    Json schema = schema_of(group);
    schema["properties"]["type"] = {{"const", name}, {"description", entry.summary}};
    schema["required"] = {"type"};
    all.push_back(std::move(schema));
  }
  return {{"oneOf", std::move(all)}};
}

// The same; a section without a type is of the usual one.
Json optimizer_schema(const Registry& registry) {
  Json all = Json::array();
  for (const auto& [name, rule] : registry.optimizers()) {
    RunConfig config;
    config.optimizer.type = name;
    OptimizerGroup group(config, &registry);
    Json schema = schema_of(group);
    schema["properties"]["type"] = {{"const", name}, {"description", rule.summary}};
    if (name != kUsualOptimizer) {
      schema["required"] = {"type"};
    }
    all.push_back(std::move(schema));
  }
  return {{"oneOf", std::move(all)}};
}

// A section must say its type before its other keys can be understood. `told_by`: the keys that do, for a
// misspelled one.
void require_type(const YamlNode& root,
                  const KeyPlaces& places,
                  const std::string& section,
                  const std::vector<std::string>& names,
                  const std::vector<std::string>& told_by) {
  const YamlNode* node = root.find(section);
  if (node == nullptr || node->kind != YamlNode::Kind::mapping || node->find("type") != nullptr) {
    return;  // what else is wrong with it is found by reading
  }
  for (const YamlEntry& entry : node->entries) {
    const std::string hint = suggestion(entry.key, told_by);
    if (!hint.empty()) {
      throw InputError(
          entry.key_where,
          fmt::format("{}.{}: unknown key{}", places.named(section), printable(entry.key), hint));
    }
  }
  throw InputError(node->where, places.named(section) + ".type: is missing; legal: " + joined(names));
}

// Only now, so that a misspelled section is told as such.
void require_section(const std::string& type,
                     const std::string& section,
                     const std::vector<std::string>& names,
                     const KeyPlaces& places) {
  if (type.empty()) {
    places.fail(section, "is missing; expected {type: ...}, with one of " + joined(names));
  }
}

// Sections whose type is not told cannot be read: they are left out, and what is wrong is kept.
void check_types(YamlNode& root, const Registry& registry, const KeyPlaces& places, ErrorList& errors) {
  const auto check_type =
      [&](const std::string& section, const std::vector<std::string>& names, const auto& told_by) {
        errors.collect(section, [&] { require_type(root, places, section, names, told_by); });
        if (!errors.is_sound(section)) {
          std::erase_if(root.entries, [&](const YamlEntry& entry) { return entry.key == section; });
        }
      };
  check_type("model", names_of(registry.models()), std::vector<std::string>{"type", "from"});
  check_type("objective", names_of(registry.objectives()), std::vector<std::string>{"type"});
}

// A document without phases, read over what is `known`; `places` knows which keys are of a phase.
LoadedConfig parse_document(YamlNode root,
                            const KeyPlaces& places,
                            const RunConfig& known,
                            const Registry& registry,
                            ReadFor purpose) {
  ErrorList errors;
  LoadedConfig loaded{.config = {}, .places = places};
  check_types(root, registry, loaded.places, errors);
  RunConfig& config = loaded.config;
  config = known;
  RunConfigGroup group(config, &registry);
  read_fields(group, root, loaded.places, errors);
  const auto check_there =
      [&](const std::string& type, const char* section, const std::vector<std::string>& names) {
        collect_check(errors, {section}, [&] { require_section(type, section, names, loaded.places); });
      };
  check_there(config.model.type, "model", names_of(registry.models()));
  check_there(config.objective.type, "objective", names_of(registry.objectives()));
  if (!loaded.places.written("optimizer") && errors.is_sound("model")) {
    settle_optimizer(config, registry);
  }
  check_meaning(loaded, purpose, errors);
  errors.throw_if_any();
  return loaded;
}

void add_phases(LoadedConfig& loaded, const YamlNode& root, const Registry& registry, ReadFor purpose) {
  RunConfig& config = loaded.config;
  int64_t longest = config.data.sequence_length;
  for (const Phase& phase : config.phases) {
    const KeyPlaces places(fmt::format("phases.{}.", loaded.phases.size()), leaves_of(phase.sections));
    RunConfig known;
    known.name = config.name;
    known.phase = phase.options;
    known.tokenizer_text = config.data.train;
    auto own = std::make_shared<LoadedConfig>(
        parse_document(phase_document(root, phase), places, known, registry, purpose));
    longest = std::max(longest, own->config.data.sequence_length);
    loaded.phases.push_back({.options = phase.options,
                             .loaded = std::move(own),
                             .own_schedule = phase.sections.find("schedule") != nullptr});
  }
  for (const LoadedPhase& phase : loaded.phases) {
    phase.loaded->config.longest_sequence = longest;
  }
  settle_phases(loaded);
}

}  // namespace

LoadedConfig parse_run_config(std::string_view text,
                              const std::string& file,
                              const std::vector<Override>& overrides,
                              const Registry& registry,
                              ReadFor purpose) {
  YamlNode root = parse_yaml(text, file);
  if (root.kind == YamlNode::Kind::null) {
    throw InputError(root.where.file.empty() ? Location{file} : root.where,
                     "is empty; a configuration is expected");
  }
  for (const Override& override : overrides) {
    apply_override(root, override);
  }
  const std::vector<std::string> arms = choose_arm(root);
  for (const Override& override : overrides) {
    if (!override.key.starts_with("arm")) {
      apply_override(root, override);  // over the arm, too
    }
  }
  expand_from(root);
  const YamlNode phases = take_phases(root);
  RunConfig known;
  known.name = std::filesystem::path(file).stem().string();
  known.phases = read_phases(phases);
  LoadedConfig loaded = parse_document(root, {}, known, registry, purpose);
  if (!known.phases.empty()) {
    loaded.places.add("phases", phases.where);
  }
  loaded.arms = arms;
  add_phases(loaded, root, registry, purpose);
  return loaded;
}

LoadedConfig read_run_config(const std::string& path,
                             const std::vector<Override>& overrides,
                             const Registry& registry,
                             ReadFor purpose) {
  return parse_run_config(read_text_file(path, kYamlMaxBytes), path, overrides, registry, purpose);
}

void settle_optimizer(RunConfig& config, const Registry& registry) {
  const OptimizerRule& rule = registry.optimizer(usual_optimizer(config));
  config.optimizer = {.type = rule.name, .lr = rule.lr, .options = rule.defaults};
}

YamlNode dump(const RunConfig& config) {
  RunConfig copy = config;
  RunConfigGroup group(copy, nullptr);
  YamlNode root = dump_fields(group);
  if (!config.phases.empty()) {
    root.entries.push_back({"phases", {}, dump_phases(config.phases)});
  }
  return root;
}

Json run_config_schema(const Registry& registry) {
  RunConfig config;
  RunConfigGroup group(config, &registry);
  Json schema = schema_of(group);
  schema["properties"]["model"] = alternatives<ModelChoice, ModelGroup>(registry.models(), registry);
  schema["properties"]["model"]["oneOf"].push_back(model_from_schema());
  Json& tokenizer = schema["properties"]["tokenizer"];
  tokenizer = {{"anyOf", {tokenizer, tokenizer_from_schema()}}};
  schema["properties"]["objective"] =
      alternatives<ObjectiveChoice, ObjectiveGroup>(registry.objectives(), registry);
  schema["properties"]["optimizer"] = optimizer_schema(registry);
  schema["properties"]["arms"] = arms_schema();
  schema["properties"]["arm"] = {{"type", "string"},
                                 {"description", "one of arms: usually as --set arm=NAME"}};
  schema["properties"]["phases"] = phases_schema(schema);
  schema["required"] = {"data", "model", "objective"};
  Json document{{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", "lmzoo run"}};
  document.update(schema);
  return document;
}

}  // namespace lmzoo
