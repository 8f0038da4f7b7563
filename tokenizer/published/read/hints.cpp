#include <filesystem>

#include "base/utf8.h"
#include "tokenizer/published/read/legacy.h"

namespace lmzoo::huggingface {
namespace {

Json read_object(const std::string& folder, const char* name) {
  const std::string path = folder + "/" + name;
  if (!std::filesystem::exists(path)) {
    return Json::object();
  }
  Json json = read_json(path);
  check(json.is_object(), "{}: must be an object", path);
  return json;
}

// "[PAD]", or {"content": "[PAD]", ...}.
std::string content_of(const Json& value) {
  if (value.is_string()) {
    return value.get<std::string>();
  }
  const bool is_token = value.is_object() && value.contains("content") && value["content"].is_string();
  return is_token ? value["content"].get<std::string>() : "";
}

}  // namespace

FolderHints::FolderHints(const std::string& given)
    : folder(given),
      config(read_object(given, "tokenizer_config.json")),
      map(read_object(given, "special_tokens_map.json")),
      added(read_object(given, "added_tokens.json")) {}

std::string FolderHints::token(const std::string& key) const {
  for (const Json* json : {&map, &config}) {
    const auto found = json->find(key);
    if (found != json->end()) {
      return content_of(*found);
    }
  }
  return "";
}

bool FolderHints::flag(const char* key, bool absent) const {
  return JsonPart(config, folder + "/tokenizer_config.json").flag_or(key, absent);
}

int64_t FolderHints::number(const char* key, int64_t absent, int64_t most) const {
  return JsonPart(config, folder + "/tokenizer_config.json").natural_or(key, absent, most);
}

std::string FolderHints::tokenizer_class() const {
  std::string name = JsonPart(config, folder + "/tokenizer_config.json").text_or("tokenizer_class", "");
  if (name.ends_with("Fast")) {
    name.resize(name.size() - 4);
  }
  return name;
}

}  // namespace lmzoo::huggingface
