#include "train/exchange/huggingface/sentence_encoder.h"

#include <algorithm>
#include <filesystem>

#include "base/check.h"
#include "base/utf8.h"
#include "io/files.h"
#include "io/json.h"
#include "train/exchange/huggingface/config_keys.h"

namespace lmzoo {
namespace {

constexpr JsonLimits kSmall{.bytes = 1 << 20};
constexpr const char* kModules = "/modules.json";
constexpr const char* kReading = "/sentence_bert_config.json";
constexpr const char* kPrompts = "/config_sentence_transformers.json";
constexpr const char* kPooling = "1_Pooling";

struct Mode {
  TextPooling pooling;
  const char* flag;  // until version 5.2
  const char* name;  // since
};
constexpr Mode kModes[] = {
    {TextPooling::first, "pooling_mode_cls_token", "cls"},
    {TextPooling::mean, "pooling_mode_mean_tokens", "mean"},
    {TextPooling::max, "pooling_mode_max_tokens", "max"},
    {TextPooling::sqrt_mean, "pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens"},
    {TextPooling::weighted, "pooling_mode_weightedmean_tokens", "weightedmean"},
    {TextPooling::last, "pooling_mode_lasttoken", "lasttoken"}};

const char* flag_of(TextPooling pooling) {
  const auto mode = std::ranges::find(kModes, pooling, &Mode::pooling);
  return mode == std::end(kModes) ? nullptr : mode->flag;
}

TextPooling named_pooling(ConfigKeys& keys, const std::string& name) {
  const auto mode = std::ranges::find_if(kModes, [&](const Mode& each) { return each.name == name; });
  if (mode == std::end(kModes)) {
    keys.fail("pooling_mode", "is '" + printable(name, 60) + "', which is not supported");
  }
  return mode->pooling;
}

TextPooling read_pooling(const std::string& file) {
  ConfigKeys keys(read_json(file, kSmall), file);
  keys.harmless({"word_embedding_dimension", "embedding_dimension"});
  keys.only("include_prompt", true, "texts are pooled with what is written before them");
  std::vector<TextPooling> chosen;
  if (const std::string name = keys.text("pooling_mode", ""); !name.empty()) {
    chosen.push_back(named_pooling(keys, name));
  }
  for (const Mode& mode : kModes) {
    if (keys.boolean(mode.flag, false)) {
      chosen.push_back(mode.pooling);
    }
  }
  keys.finish("sentence-transformers' Pooling");
  check(chosen.size() == 1,
        "{}: names {} poolings, but one is supported",
        printable(file),
        chosen.empty() ? std::string("no") : std::to_string(chosen.size()));
  return chosen.front();
}

// The name of a class without where it is kept: sentence_transformers.models.Pooling.
std::string class_of(const Json& module, const std::string& file) {
  const bool known = module.is_object() && module.contains("type") && module["type"].is_string() &&
                     module.contains("path") && module["path"].is_string();
  check(known, "{}: must be a list of modules, each with a type and a path", printable(file));
  const auto type = module["type"].get<std::string>();
  return type.substr(type.rfind('.') + 1);
}

// Legal is one folder below, so that no file elsewhere is read.
std::string folder_of(const Json& module, const std::string& file) {
  const auto path = module["path"].get<std::string>();
  check(path.find('/') == std::string::npos && path != "..",
        "{}: path is '{}', but must be a folder beside it",
        printable(file),
        printable(path, 60));
  return path;
}

void read_modules(const std::string& folder, AskOptions& ask) {
  const std::string file = folder + kModules;
  const Json modules = read_json(file, kSmall);
  check(modules.is_array(), "{}: must be a list of modules, each with a type and a path", printable(file));
  bool pooled = false;
  for (const Json& module : modules) {
    const std::string type = class_of(module, file);
    const std::string path = folder_of(module, file);
    if (type == "Transformer") {
      check(path.empty(),
            "{}: the transformer is in '{}'; name that folder",
            printable(file),
            printable(path, 60));
    } else if (type == "Pooling" && !pooled) {
      ask.pooling = read_pooling(folder + "/" + path + "/config.json");
      pooled = true;
    } else if (type == "Normalize") {
      ask.normalize = true;
    } else {
      throw InputError(fmt::format(
          "{}: the module {} is not supported; without this file the folder is a transformer alone",
          printable(file),
          printable(type, 60)));
    }
  }
}

void read_reading(const std::string& file, AskOptions& ask) {
  ConfigKeys keys(read_json(file, kSmall), file);
  ask.max_length = keys.optional_integer("max_seq_length", at_least(1));
  keys.only("do_lower_case", false, "the tokenizer decides on case");
}

std::string read_prompt(const std::string& file) {
  ConfigKeys keys(read_json(file, kSmall), file);
  const std::string name = keys.text("default_prompt_name", "");
  const Json* prompts = keys.find("prompts");
  if (name.empty()) {
    return "";
  }
  if (prompts == nullptr || !prompts->is_object() || !prompts->contains(name) ||
      !(*prompts)[name].is_string()) {
    keys.fail("prompts", "has no text called '" + printable(name, 60) + "', the default_prompt_name");
  }
  return (*prompts)[name].get<std::string>();
}

}  // namespace

std::optional<TextsAsked> read_sentence_encoder(const std::string& folder) {
  const auto is_there = [&](const char* name) { return std::filesystem::exists(folder + name); };
  if (!is_there(kModules)) {
    return std::nullopt;
  }
  TextsAsked encoder;
  read_modules(folder, encoder.ask);
  if (is_there(kReading)) {
    read_reading(folder + kReading, encoder.ask);
  }
  if (is_there(kPrompts)) {
    encoder.prompt = read_prompt(folder + kPrompts);
  }
  return encoder;
}

bool encodes_sentences(const AskOptions& ask) {
  AskOptions usual;
  usual.ends = ask.ends;
  return ask != usual;
}

void write_sentence_encoder(const std::string& folder, int64_t width, const TextsAsked& encoder) {
  const char* flag = flag_of(encoder.ask.pooling);
  check(flag != nullptr,
        "ask.pooling is {}, which sentence-transformers does not have",
        name_of(encoder.ask.pooling));
  const auto module = [](int index, const std::string& path, const std::string& type) {
    return Json{{"idx", index},
                {"name", std::to_string(index)},
                {"path", path},
                {"type", "sentence_transformers.models." + type}};
  };
  Json modules{module(0, "", "Transformer"), module(1, kPooling, "Pooling")};
  if (encoder.ask.normalize) {
    modules.push_back(module(2, "2_Normalize", "Normalize"));
  }
  Json pooling{{"word_embedding_dimension", width}};
  for (const Mode& mode : kModes) {
    pooling[mode.flag] = mode.flag == flag;
  }
  std::filesystem::create_directories(folder + "/" + kPooling);
  write_atomically(folder + kModules, modules.dump(2) + "\n");
  write_atomically(folder + "/" + kPooling + "/config.json", pooling.dump(2) + "\n");
  if (encoder.ask.max_length) {
    write_atomically(
        folder + kReading,
        Json{{"max_seq_length", *encoder.ask.max_length}, {"do_lower_case", false}}.dump(2) + "\n");
  }
  if (!encoder.prompt.empty()) {
    const Json prompts{{"prompts", {{"default", encoder.prompt}}}, {"default_prompt_name", "default"}};
    write_atomically(folder + kPrompts, prompts.dump(2) + "\n");
  }
}

}  // namespace lmzoo
