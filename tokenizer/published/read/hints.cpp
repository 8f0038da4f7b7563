#include "tokenizer/published/read/hints.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/utf8.h"

namespace lmzoo::huggingface {
namespace {

constexpr const char* kConfig = "tokenizer_config.json";
constexpr const char* kMap = "special_tokens_map.json";

Json read_object(const std::string& folder, const char* name) {
  const std::string path = folder + "/" + name;
  if (!std::filesystem::exists(path)) {
    return Json::object();
  }
  Json json = read_json(path);
  check(json.is_object(), "{}: must be an object", path);
  return json;
}

bool is_role(std::string_view key) {
  return std::find(std::begin(kRoleKeys), std::end(kRoleKeys), key) != std::end(kRoleKeys);
}

bool is_token(const Json& value) {
  return value.is_string() ||
         (value.is_object() && value.contains("content") && value["content"].is_string());
}

void append_items(const std::optional<JsonPart>& list, std::vector<JsonPart>& tokens) {
  if (list && !list->json().is_object()) {
    const std::vector<JsonPart> items = list->items();
    tokens.insert(tokens.end(), items.begin(), items.end());
  }
}

}  // namespace

FolderHints::FolderHints(const std::string& given)
    : folder(given),
      config(read_object(given, kConfig)),
      map(read_object(given, kMap)),
      added(read_object(given, "added_tokens.json")),
      model(read_object(given, "config.json")) {}

const Json* FolderHints::named(const std::string& key) const {
  const auto find = [&](const Json& json) {
    const auto found = json.find(key);
    return found == json.end() ? nullptr : &*found;
  };
  const Json* own = find(config);
  const Json* mapped = config.contains("added_tokens_decoder") ? nullptr : find(map);
  const Json* token = mapped != nullptr ? mapped : own;
  check(token == nullptr || token->is_null() || is_token(*token),
        "{}: {} must be a token, a string or an object with \"content\"",
        path(mapped != nullptr ? kMap : kConfig),
        key);
  return token;
}

std::vector<JsonPart> FolderHints::own_named() const {
  std::vector<JsonPart> tokens;
  for (const auto& [key, value] : config.items()) {
    if (key.ends_with("_token") && !is_role(key) && is_token(value)) {
      tokens.emplace_back(value, path(kConfig), printable(key));
    }
  }
  for (const auto& [json, file] : {std::pair(&config, kConfig), std::pair(&map, kMap)}) {
    const auto found = json->find("extra_special_tokens");
    const bool counts = json == &config || !config.contains("added_tokens_decoder");
    if (counts && found != json->end() && found->is_object()) {
      for (const auto& [name, token] : found->items()) {
        tokens.emplace_back(token, path(file), "extra_special_tokens." + printable(name));
      }
    }
  }
  return tokens;
}

// An object of extra_special_tokens is a list of names (own_named()): additional_special_tokens then counts, but late.
FolderHints::Extras FolderHints::find_extras() const {
  const JsonPart own(config, path(kConfig)), mapped(map, path(kMap));
  const bool reads_map = !config.contains("added_tokens_decoder");
  const auto extra = own.find("extra_special_tokens"), additional = own.find("additional_special_tokens");
  const auto mapped_extra = reads_map ? mapped.find("extra_special_tokens") : std::nullopt;
  const auto mapped_additional = reads_map ? mapped.find("additional_special_tokens") : std::nullopt;
  const bool is_first = extra && !extra->json().empty();
  Extras extras;
  append_items(is_first ? extra : additional, extras.tokens);
  append_items(mapped_extra, extras.tokens);
  extras.is_list = (extra && !extra->json().is_object()) || (additional && !is_first) ||
                   (mapped_extra && !mapped_extra->json().is_object());
  if (!extras.is_list) {
    append_items(mapped_additional ? mapped_additional : additional, extras.late);
  }
  return extras;
}

bool FolderHints::flag(const char* key, bool absent) const {
  return JsonPart(config, path(kConfig)).flag_or(key, absent);
}

int64_t FolderHints::number(const char* key, int64_t absent, int64_t most) const {
  return JsonPart(config, path(kConfig)).natural_or(key, absent, most);
}

std::string FolderHints::tokenizer_class() const {
  std::string name = JsonPart(config, path(kConfig)).text_or("tokenizer_class", "");
  if (name.empty()) {
    name = JsonPart(model, path("config.json")).text_or("tokenizer_class", "");
  }
  if (name.ends_with("Fast")) {
    name.resize(name.size() - 4);
  }
  return name;
}

std::string FolderHints::model_type() const {
  return JsonPart(model, path("config.json")).text_or("model_type", "");
}

}  // namespace lmzoo::huggingface
