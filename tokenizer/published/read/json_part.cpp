#include "tokenizer/published/read/json_part.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/utf8.h"

namespace lmzoo::huggingface {

void JsonPart::fail_with(fmt::string_view message, fmt::format_args arguments) const {
  throw InputError(
      fmt::format("{}: {}{}{}", file_, key_, key_.empty() ? "" : ": ", fmt::vformat(message, arguments)));
}

std::optional<JsonPart> JsonPart::find(const char* key) const {
  require(json_->is_object(), "must be an object");
  const auto found = json_->find(key);
  if (found == json_->end() || found->is_null()) {
    return std::nullopt;
  }
  return JsonPart(*found, file_, key_.empty() ? key : fmt::format("{}.{}", key_, key));
}

bool JsonPart::has(const char* key) const { return find(key).has_value(); }

JsonPart JsonPart::at(const char* key) const {
  const auto found = find(key);
  require(found.has_value(), "has no \"{}\"", key);
  return *found;
}

std::string JsonPart::text(const char* key) const { return at(key).as_text(); }

std::string JsonPart::text_or(const char* key, const std::string& absent) const {
  const auto found = find(key);
  return found ? found->as_text() : absent;
}

bool JsonPart::flag_or(const char* key, bool absent) const {
  const auto found = find(key);
  if (!found) {
    return absent;
  }
  found->require(found->json_->is_boolean(), "must be true or false");
  return found->json_->get<bool>();
}

int64_t JsonPart::natural_or(const char* key, int64_t absent, int64_t most) const {
  const auto found = find(key);
  return found ? found->as_natural(most) : absent;
}

void JsonPart::only(std::initializer_list<std::string_view> known) const {
  require(json_->is_object(), "must be an object");
  for (const auto& [key, value] : json_->items()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      fail("\"{}\" is not understood here, and it could change ids", printable(key));
    }
  }
}

std::vector<JsonPart> JsonPart::items() const {
  require(json_->is_array(), "must be a list");
  std::vector<JsonPart> parts;
  parts.reserve(json_->size());
  for (size_t i = 0; i < json_->size(); ++i) {
    parts.emplace_back((*json_)[i], file_, fmt::format("{}[{}]", key_, i));
  }
  return parts;
}

std::string JsonPart::as_text() const {
  require(json_->is_string(), "must be a string");
  return json_->get<std::string>();
}

int64_t JsonPart::as_natural(int64_t most) const {
  require(json_->is_number_integer() && *json_ >= 0 && *json_ <= most,
          "must be a whole number from 0 to {}",
          most);
  return json_->get<int64_t>();
}

double JsonPart::as_number() const {
  require(json_->is_number() && std::isfinite(json_->get<double>()), "must be a finite number");
  return json_->get<double>();
}

}  // namespace lmzoo::huggingface
