// Reading config.json so that no key is overlooked: each is asked for, known to be harmless, or refused.
//
// A key may have two names, "n_embd|hidden_size"; null counts as absent. Errors are
// `FOLDER/config.json: key: what it is, what is legal`.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/fields.h"
#include "io/json.h"
#include "io/yaml.h"

namespace lmzoo {

class ConfigKeys {
 public:
  // `json` must be an object.
  ConfigKeys(Json json, std::string file);

  // nullptr: absent. The key counts as known.
  const Json* find(std::string_view names);
  int64_t integer(std::string_view names, int64_t fallback, const Range& range = at_least(1));
  std::optional<int64_t> optional_integer(std::string_view names, const Range& range = at_least(0));
  double real(std::string_view names, double fallback, const Range& range);
  bool boolean(std::string_view names, bool fallback);
  std::string text(std::string_view names, std::string_view fallback);

  // Refuses any value but this one (or its absence); `why` follows "but".
  void only(std::string_view name, const Json& legal, std::string_view why);
  void harmless(std::initializer_list<std::string_view> names);
  // Refuses what nobody asked for; `family` is for the message.
  void finish(const std::string& family) const;

  [[noreturn]] void fail(std::string_view name, const std::string& message) const;

 private:
  Json json_;
  std::string file_;
  std::set<std::string, std::less<>> known_;
};

// A mapping of options under construction: scalars as YAML writes them.
void put(YamlNode& options, std::string_view key, int64_t value);
void put(YamlNode& options, std::string_view key, double value);
void put(YamlNode& options, std::string_view key, bool value);
void put(YamlNode& options, std::string_view key, std::string_view value);
inline void put(YamlNode& options, std::string_view key, const char* value) {
  put(options, key, std::string_view(value));
}

// Options as values, for writing config.json: what bind.h's dump_fields gave. Null is absent.
class OptionValues {
 public:
  explicit OptionValues(const YamlNode& options) : options_(options) {}

  bool has(std::string_view key) const;
  std::string text(std::string_view key, std::string_view fallback = "") const;
  int64_t integer(std::string_view key, int64_t fallback = 0) const;
  double real(std::string_view key, double fallback = 0) const;
  bool flag(std::string_view key, bool fallback = false) const;
  const YamlNode* find(std::string_view key) const { return options_.find(key); }

  // InputError `model.KEY is X, but FAMILY of Hugging Face has Y`.
  void only(std::string_view key, std::string_view legal, std::string_view family) const;

 private:
  const YamlNode& options_;
};

}  // namespace lmzoo
