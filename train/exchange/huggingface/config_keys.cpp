#include "train/exchange/huggingface/config_keys.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/check.h"
#include "base/strings.h"
#include "base/utf8.h"
#include "train/exchange/huggingface/names.h"

namespace lmzoo {
namespace {

// What a message may quote of a file.
std::string shown(const Json& value) { return printable(value.dump(), 60); }

template <class Number>
Number parsed(std::string_view text, std::string_view key) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  check(error == std::errc() && end == text.data() + text.size(), "model.{} is no number: {}", key, text);
  return value;
}

}  // namespace

ConfigKeys::ConfigKeys(Json json, std::string file) : json_(std::move(json)), file_(std::move(file)) {
  check(json_.is_object(), "{}: expected a JSON object", file_);
}

void ConfigKeys::fail(std::string_view name, const std::string& message) const {
  throw InputError(fmt::format("{}: {}: {}", file_, name, message));
}

const Json* ConfigKeys::find(std::string_view names) {
  const Json* found = nullptr;
  std::string_view found_name;
  for (const std::string_view name : alternatives_of(names)) {
    known_.emplace(name);
    const auto it = json_.find(std::string(name));
    if (it == json_.end() || it->is_null()) {
      continue;
    }
    if (found != nullptr && *found != *it) {
      fail(name,
           fmt::format("is {}, but {}, which means the same, is {}", shown(*it), found_name, shown(*found)));
    }
    found = found == nullptr ? &*it : found;
    found_name = name;
  }
  return found;
}

std::optional<int64_t> ConfigKeys::optional_integer(std::string_view names, const Range& range) {
  const Json* value = find(names);
  if (value == nullptr) {
    return std::nullopt;
  }
  const bool fits = value->is_number_integer() &&
                    (!value->is_number_unsigned() || value->get<uint64_t>() <= uint64_t{INT64_MAX});
  if (!fits || !range.contains(static_cast<double>(value->get<int64_t>()))) {
    fail(names, fmt::format("is {}, but must be a whole number, {}", shown(*value), to_string(range)));
  }
  return value->get<int64_t>();
}

int64_t ConfigKeys::integer(std::string_view names, int64_t fallback, const Range& range) {
  return optional_integer(names, range).value_or(fallback);
}

double ConfigKeys::real(std::string_view names, double fallback, const Range& range) {
  const Json* value = find(names);
  if (value == nullptr) {
    return fallback;
  }
  if (!value->is_number() || !range.contains(value->get<double>())) {
    fail(names, fmt::format("is {}, but must be a number, {}", shown(*value), to_string(range)));
  }
  return value->get<double>();
}

bool ConfigKeys::boolean(std::string_view names, bool fallback) {
  const Json* value = find(names);
  if (value != nullptr && !value->is_boolean()) {
    fail(names, fmt::format("is {}, but must be true or false", shown(*value)));
  }
  return value != nullptr ? value->get<bool>() : fallback;
}

std::string ConfigKeys::text(std::string_view names, std::string_view fallback) {
  const Json* value = find(names);
  if (value != nullptr && !value->is_string()) {
    fail(names, fmt::format("is {}, but must be a text", shown(*value)));
  }
  return value != nullptr ? value->get<std::string>() : std::string(fallback);
}

void ConfigKeys::only(std::string_view name, const Json& legal, std::string_view why) {
  const Json* value = find(name);
  if (value != nullptr && *value != legal) {
    fail(name, fmt::format("is {}, but {}", shown(*value), why));
  }
}

void ConfigKeys::harmless(std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    known_.emplace(name);
  }
}

void ConfigKeys::finish(const std::string& family) const {
  for (const auto& [name, value] : json_.items()) {
    if (!known_.contains(name)) {
      const std::vector<std::string> known(known_.begin(), known_.end());
      fail(printable(name, 60),
           fmt::format("is no key of {} that lmzoo knows, so it may change what the model computes; remove "
                       "it if it does not{}",
                       family,
                       suggestion(name, known)));
    }
  }
}

void put(YamlNode& options, std::string_view key, int64_t value) {
  options.entries.push_back({std::string(key), {}, YamlNode::plain(std::to_string(value))});
}
void put(YamlNode& options, std::string_view key, double value) {
  options.entries.push_back({std::string(key), {}, YamlNode::plain(Json(value).dump())});
}
void put(YamlNode& options, std::string_view key, bool value) {
  options.entries.push_back({std::string(key), {}, YamlNode::plain(value ? "true" : "false")});
}
void put(YamlNode& options, std::string_view key, std::string_view value) {
  options.entries.push_back({std::string(key), {}, YamlNode::text(std::string(value))});
}

bool OptionValues::has(std::string_view key) const {
  const YamlNode* node = options_.find(key);
  return node != nullptr && node->kind != YamlNode::Kind::null;
}

std::string OptionValues::text(std::string_view key, std::string_view fallback) const {
  return has(key) ? options_.find(key)->scalar : std::string(fallback);
}

int64_t OptionValues::integer(std::string_view key, int64_t fallback) const {
  return has(key) ? parsed<int64_t>(options_.find(key)->scalar, key) : fallback;
}

double OptionValues::real(std::string_view key, double fallback) const {
  return has(key) ? parsed<double>(options_.find(key)->scalar, key) : fallback;
}

bool OptionValues::flag(std::string_view key, bool fallback) const {
  return has(key) ? options_.find(key)->scalar == "true" : fallback;
}

void OptionValues::only(std::string_view key, std::string_view legal, std::string_view family) const {
  const std::string value = text(key, legal);
  check(value == legal, "model.{} is {}, but {} of Hugging Face has {}", key, value, family, legal);
}

}  // namespace lmzoo
