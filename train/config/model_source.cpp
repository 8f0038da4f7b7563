#include "train/config/model_source.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>

#include "base/check.h"
#include "base/utf8.h"
#include "tokenizer/published/published.h"
#include "train/exchange/huggingface/config.h"
#include "train/saved/run_files.h"
#include "train/yaml/lay_over.h"

namespace lmzoo {
namespace {

// Options that leave what loaded weights compute as it is, outside of training or in parts that they lack.
constexpr std::string_view kFree[] = {
    "dropout", "attention_dropout", "embedding_dropout", "init_std", "embedding_std", "lm_head", "pooler"};

struct Source {
  std::string type;
  YamlNode options;  // a mapping
};

Source source_of(const std::string& folder) {
  if (is_huggingface_folder(folder)) {
    ModelFromFolder model = read_huggingface_config(folder);
    return {model.type, std::move(model.options)};
  }
  const std::string file = config_file(run_of(folder));
  const YamlNode config = read_yaml(file);
  const YamlNode* model = config.find("model");
  const YamlNode* type = model != nullptr ? model->find("type") : nullptr;
  check(type != nullptr, "{}: has no model.type", file);
  Source source{type->scalar, *model};
  std::erase_if(source.options.entries,
                [](const YamlEntry& entry) { return entry.key == "type" || entry.key == "preset"; });
  return source;
}

std::optional<double> number(const YamlNode& node) {
  double value = 0;
  const char* end = node.scalar.data() + node.scalar.size();
  const auto [last, error] = std::from_chars(node.scalar.data(), end, value);
  return error == std::errc() && last == end ? std::optional(value) : std::nullopt;
}

bool same(const YamlNode& a, const YamlNode& b) {
  const auto first = number(a), second = number(b);
  return first && second ? *first == *second : a.kind == b.kind && a.scalar == b.scalar && a == b;
}

std::string shown_option(const YamlNode& node) {
  return node.kind == YamlNode::Kind::scalar ? printable(node.scalar, 60) : std::string(name_of(node.kind));
}

[[noreturn]] void fail(const YamlNode& at, const std::string& key, const std::string& message) {
  throw InputError(at.where, key + ": " + message);
}

bool takes_weights(const std::optional<YamlNode>& weights) {
  if (weights && weights->scalar != "true" && weights->scalar != "false") {
    fail(*weights, "model.weights", "expected true or false");
  }
  return !weights || weights->scalar == "true";
}

// The options of the source, overridden by those that are written.
YamlNode merged(const Source& source, const YamlNode& written, const YamlNode& from, bool weights) {
  YamlNode model = YamlNode::mapping();
  model.where = written.where;
  YamlNode type = YamlNode::text(source.type);
  type.where = from.where;
  model.entries.push_back({"type", from.where, type});
  for (const YamlEntry& entry : source.options.entries) {
    const YamlNode* other = written.find(entry.key);
    const bool free = std::ranges::find(kFree, entry.key) != std::end(kFree);
    if (other != nullptr && weights && !free && !same(*other, entry.value)) {
      fail(*other,
           "model." + entry.key,
           fmt::format("is {}, but the weights of {} are of {} (model.weights: false takes the rest without "
                       "the weights)",
                       shown_option(*other),
                       printable(from.scalar),
                       shown_option(entry.value)));
    }
    if (other == nullptr) {
      YamlEntry copy = entry;
      copy.key_where = copy.value.where = from.where;
      model.entries.push_back(std::move(copy));
    }
  }
  model.entries.insert(model.entries.end(), written.entries.begin(), written.entries.end());
  return model;
}

void add_warm_start(YamlNode& root, const YamlNode& from) {
  YamlNode* section = root.find("warm_start");
  if (section == nullptr) {
    root.entries.push_back({"warm_start", from.where, YamlNode::mapping()});
    section = &root.entries.back().value;
    section->where = from.where;
  }
  const YamlNode* other = section->find("from");
  if (other != nullptr && !other->scalar.empty()) {
    fail(*other, "warm_start.from", "model.from names the weights already; model.weights: false leaves them");
  }
  taken(*section, "from");
  section->entries.push_back({"from", from.where, from});
}

// The folder of a run's tokenizer, or of a published one; absent where there is none.
std::optional<std::string> tokenizer_folder_of(const std::string& folder) {
  if (has_huggingface_tokenizer(folder)) {
    return folder;
  }
  try {
    std::string own = tokenizer_folder(run_of(folder));
    return std::filesystem::is_directory(own) ? std::optional(std::move(own)) : std::nullopt;
  } catch (const InputError&) {
    return std::nullopt;  // no run either
  }
}

YamlNode pretrained(const std::string& folder, const Location& where) {
  YamlNode section = YamlNode::mapping();
  YamlNode path = YamlNode::text(folder), type = YamlNode::text("pretrained");
  section.where = path.where = type.where = where;
  section.entries.push_back({"type", where, std::move(type)});
  section.entries.push_back({"path", where, std::move(path)});
  return section;
}

void add_tokenizer(YamlNode& root, const YamlNode& from) {
  const auto folder = root.find("tokenizer") == nullptr ? tokenizer_folder_of(from.scalar) : std::nullopt;
  if (folder) {
    root.entries.push_back({"tokenizer", from.where, pretrained(*folder, from.where)});
  }
}

// `tokenizer: {from: FOLDER}`.
void expand_tokenizer_from(YamlNode& root) {
  YamlNode* section = root.find("tokenizer");
  const YamlNode* from = section == nullptr ? nullptr : section->find("from");
  if (from == nullptr) {
    return;
  }
  if (section->entries.size() > 1) {
    const YamlEntry& other = section->entries[section->entries.front().key == "from" ? 1 : 0];
    throw InputError(
        other.key_where,
        fmt::format("tokenizer.{}: does not go with tokenizer.from, which has all of a tokenizer",
                    printable(other.key, 60)));
  }
  const auto folder = from->kind == YamlNode::Kind::scalar && !from->scalar.empty()
                          ? tokenizer_folder_of(from->scalar)
                          : std::nullopt;
  if (!folder) {
    fail(*from,
         "tokenizer.from",
         "expected a run or a folder with a published tokenizer, got '" + shown_option(*from) + "'");
  }
  *section = pretrained(*folder, from->where);
}

}  // namespace

void expand_from(YamlNode& root) {
  expand_tokenizer_from(root);
  YamlNode* model = root.find("model");
  if (model == nullptr || model->find("from") == nullptr) {
    return;
  }
  const YamlNode from = *taken(*model, "from");
  const std::optional<YamlNode> weights = taken(*model, "weights");
  if (from.kind != YamlNode::Kind::scalar || from.scalar.empty()) {
    fail(from, "model.from", "expected a folder: a published checkpoint or a run");
  }
  if (const YamlNode* preset = model->find("preset")) {
    fail(*preset, "model.preset", "does not go with model.from, which has all options");
  }
  try {
    const Source source = source_of(from.scalar);
    const std::optional<YamlNode> type = taken(*model, "type");
    if (type && type->scalar != source.type) {
      fail(*type,
           "model.type",
           fmt::format("is {}, but {} is a {}", shown_option(*type), printable(from.scalar), source.type));
    }
    *model = merged(source, *model, from, takes_weights(weights));
  } catch (const InputError& error) {
    if (error.where() == from.where || !error.where().file.empty()) {
      throw;
    }
    fail(from, "model.from", error.what());
  }
  if (takes_weights(weights)) {
    add_warm_start(root, from);
  }
  add_tokenizer(root, from);
}

Json model_from_schema() {
  const Json folder{
      {"type", "string"},
      {"description", "a published checkpoint or a run whose architecture and weights are taken"}};
  const Json weights{{"type", "boolean"},
                     {"default", true},
                     {"description", "false: only the architecture, with weights drawn anew"}};
  return {{"type", "object"},
          {"properties", {{"from", folder}, {"weights", weights}}},
          {"required", {"from"}},
          {"not", {{"required", {"type"}}}}};
}

Json tokenizer_from_schema() {
  const Json folder{{"type", "string"},
                    {"description", "a published checkpoint or a run whose tokenizer is taken"}};
  return {{"type", "object"},
          {"properties", {{"from", folder}}},
          {"required", {"from"}},
          {"additionalProperties", false}};
}

}  // namespace lmzoo
