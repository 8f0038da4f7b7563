#include "train/saved/train_state.h"

#include <algorithm>
#include <charconv>

#include "base/check.h"

namespace lmzoo {
namespace {

constexpr int64_t kStateVersion = 1;
constexpr std::string_view kStepPrefix = "step-";

// Values of an object by key and type.
class StateReader {
 public:
  StateReader(const Json& json, const std::string& file) : json_(json), file_(file) {
    check(json.is_object(), "{}: not as lmzoo writes it: no object", file);
  }

  const Json& at(const char* key) const {
    const auto found = json_.find(key);
    check(found != json_.end(), "{}: not as lmzoo writes it: {} is missing", file_, key);
    return *found;
  }
  int64_t count(const char* key) const {
    const Json& value = at(key);
    const bool wraps = value.is_number_unsigned() && value.get<uint64_t>() > INT64_MAX;
    expect(value.is_number_integer() && !wraps && value.get<int64_t>() >= 0,
           key,
           "a whole number of at least 0");
    return value.get<int64_t>();
  }
  double number(const char* key) const {
    expect(at(key).is_number(), key, "a number");
    return at(key).get<double>();
  }
  std::string text(const char* key) const {
    expect(at(key).is_string(), key, "a text");
    return at(key).get<std::string>();
  }
  std::map<std::string, std::string> texts(const char* key) const {
    std::map<std::string, std::string> all;
    expect(at(key).is_object(), key, "an object of texts");
    for (const auto& entry : at(key).items()) {
      expect(entry.value().is_string(), key, "an object of texts");
      all[entry.key()] = entry.value().get<std::string>();
    }
    return all;
  }
  std::vector<std::string> list(const char* key) const {
    std::vector<std::string> all;
    expect(at(key).is_array(), key, "a list of texts");
    for (const Json& item : at(key)) {
      expect(item.is_string(), key, "a list of texts");
      all.push_back(item.get<std::string>());
    }
    return all;
  }
  void expect(bool holds, const char* key, std::string_view what) const {
    check(holds, "{}: not as lmzoo writes it: {} must be {}", file_, key, what);
  }

 private:
  const Json& json_;
  const std::string& file_;
};

}  // namespace

std::string step_name(int64_t step) {
  std::string digits = std::to_string(step);
  digits.insert(0, 7 - std::min<size_t>(digits.size(), 7), '0');
  return std::string(kStepPrefix) + digits;
}

std::optional<int64_t> step_of_name(std::string_view name) {
  int64_t step = 0;
  if (!name.starts_with(kStepPrefix)) {
    return std::nullopt;
  }
  const char* end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data() + kStepPrefix.size(), end, step);
  if (error != std::errc() || stop != end || step < 0) {
    return std::nullopt;
  }
  return step;
}

Json to_json(const BestMark& best) {
  return {{"checkpoint", step_name(best.step)}, {"metric", best.metric}, {"value", best.value}};
}

BestMark best_mark_from(const Json& json, const std::string& file) {
  const StateReader read(json, file);
  const auto step = step_of_name(read.text("checkpoint"));
  read.expect(step.has_value(), "checkpoint", "step-N");
  return {*step, read.text("metric"), read.number("value")};
}

Json to_json(const TrainState& state) {
  Json json{{"version", kStateVersion},
            {"step", state.step},
            {"tokens", state.tokens},
            {"labels", state.labels},
            {"skipped", state.skipped},
            {"skipped_in_a_row", state.skipped_in_a_row},
            {"seconds", state.seconds},
            {"evaluated_step", state.evaluated_step},
            {"evaluations_since_best", state.evaluations_since_best}};
  json["best"] = state.best ? to_json(*state.best) : Json();
  json["batches"] = state.batches;
  json["interval"] = state.interval;
  json["identity"] = state.identity;
  json["inputs"] = state.inputs;
  json["phase"] = state.phase;
  json["classes"] = state.classes;
  return json;
}

TrainState train_state_from(const Json& json, const std::string& file) {
  const StateReader read(json, file);
  const int64_t version = read.count("version");
  check(version == kStateVersion, "{}: version {}, but this lmzoo reads {}", file, version, kStateVersion);
  TrainState state;
  state.step = read.count("step");
  state.tokens = read.count("tokens");
  state.labels = read.count("labels");
  state.skipped = read.count("skipped");
  state.skipped_in_a_row = read.count("skipped_in_a_row");
  state.seconds = read.number("seconds");
  state.evaluated_step = read.count("evaluated_step");
  state.evaluations_since_best = read.count("evaluations_since_best");
  if (!read.at("best").is_null()) {
    state.best = best_mark_from(read.at("best"), file);
  }
  state.batches = read.at("batches");
  state.identity = read.texts("identity");
  // Runs from before have neither.
  state.interval = json.value("interval", Json());
  state.inputs = json.contains("inputs") ? read.texts("inputs") : state.inputs;
  state.phase = json.contains("phase") ? read.count("phase") : 0;
  state.classes = json.contains("classes") ? read.list("classes") : state.classes;
  return state;
}

}  // namespace lmzoo
