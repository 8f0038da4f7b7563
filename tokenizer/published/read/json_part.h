// A value inside of a tokenizer's JSON that knows where it stands, so that every refusal names file and key.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "io/json.h"

namespace lmzoo::huggingface {

class JsonPart {
 public:
  JsonPart(const Json& json, std::string file, std::string key = "")
      : json_(&json), file_(std::move(file)), key_(std::move(key)) {}

  const Json& json() const { return *json_; }
  const std::string& file() const { return file_; }
  bool is_null() const { return json_->is_null(); }

  // "FILE: KEY: message"
  template <class... Arguments>
  [[noreturn]] void fail(fmt::format_string<Arguments...> message, Arguments&&... arguments) const {
    fail_with(message, fmt::make_format_args(arguments...));
  }
  template <class... Arguments>
  void require(bool condition, fmt::format_string<Arguments...> message, Arguments&&... arguments) const {
    if (!condition) {
      fail_with(message, fmt::make_format_args(arguments...));
    }
  }

  // Of an object. A key that is missing or null is absent.
  bool has(const char* key) const;
  JsonPart at(const char* key) const;  // must be there
  std::optional<JsonPart> find(const char* key) const;
  std::string text(const char* key) const;
  std::string text_or(const char* key, const std::string& absent) const;
  bool flag_or(const char* key, bool absent) const;
  int64_t natural_or(const char* key, int64_t absent, int64_t most) const;
  std::string type() const { return text("type"); }
  // Refuses keys that are not listed: what is not understood may change ids.
  void only(std::initializer_list<std::string_view> known) const;

  // Of an array.
  std::vector<JsonPart> items() const;

  // Of the value itself.
  std::string as_text() const;
  int64_t as_natural(int64_t most) const;
  double as_number() const;

 private:
  [[noreturn]] void fail_with(fmt::string_view message, fmt::format_args arguments) const;

  const Json* json_;
  std::string file_;
  std::string key_;
};

}  // namespace lmzoo::huggingface
