#include "train/exchange/huggingface/peft_config.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "base/check.h"
#include "base/utf8.h"

namespace lmzoo {
namespace {

// Keys that are read, or that say how an adapter came to be: which modules it has and of which rank is seen
// in its tensors.
constexpr std::string_view kUnderstood[] = {"peft_type",         "r",
                                            "lora_alpha",        "lora_dropout",
                                            "use_rslora",        "init_lora_weights",
                                            "auto_mapping",      "base_model_name_or_path",
                                            "corda_config",      "ensure_weight_tying",
                                            "eva_config",        "exclude_modules",
                                            "fan_in_fan_out",    "inference_mode",
                                            "layers_pattern",    "layers_to_transform",
                                            "loftq_config",      "lora_ga_config",
                                            "megatron_config",   "megatron_core",
                                            "modules_to_save",   "peft_version",
                                            "qalora_group_size", "rank_pattern",
                                            "revision",          "runtime_config",
                                            "target_modules",    "task_type"};

class Reader {
 public:
  explicit Reader(const std::string& file) : file_(file), json_(read_json(file)) {
    check(json_.is_object(), "{}: is no JSON object", file);
  }

  [[noreturn]] void fail(const std::string& key, const std::string& message) const {
    throw InputError(fmt::format("{}: {}: {}", file_, key, message));
  }

  // nullptr: absent or null.
  const Json* find(const std::string& key) const {
    const auto it = json_.find(key);
    return it == json_.end() || it->is_null() ? nullptr : &*it;
  }

  double number(const std::string& key, double fallback, const Range& range) const {
    const Json* value = find(key);
    if (value == nullptr) {
      return fallback;
    }
    if (!value->is_number() || !range.contains(value->get<double>())) {
      fail(key, fmt::format("is {}, but must be a number {}", shown(*value), to_string(range)));
    }
    return value->get<double>();
  }

  bool flag(const std::string& key) const {
    const Json* value = find(key);
    if (value != nullptr && !value->is_boolean()) {
      fail(key, fmt::format("is {}, but must be true or false", shown(*value)));
    }
    return value != nullptr && value->get<bool>();
  }

  // Every other key is a variant of LoRA and must be off: DoRA, trained biases, an alpha for single modules,
  // whatever comes next.
  void only_known_on() const {
    for (const auto& [key, value] : json_.items()) {
      const bool off = value.is_null() || value == Json(false) || value == Json("none") ||
                       ((value.is_object() || value.is_array()) && value.empty());
      if (!off && std::ranges::find(kUnderstood, key) == std::end(kUnderstood)) {
        fail(printable(key, 60), fmt::format("is {}, which is not supported", shown(value)));
      }
    }
  }

  static std::string shown(const Json& value) {
    return printable(value.dump(-1, ' ', true, Json::error_handler_t::replace), 60);
  }

 private:
  const std::string& file_;
  Json json_;
};

}  // namespace

PeftConfig read_peft_config(const std::string& file) {
  const Reader reader(file);
  const Json* type = reader.find("peft_type");
  if (type == nullptr || *type != Json("LORA")) {
    reader.fail("peft_type",
                fmt::format("is {}; legal: LORA", type == nullptr ? "absent" : Reader::shown(*type)));
  }
  reader.only_known_on();
  // These write into the base model's weights, so that the adapter fits none but theirs.
  for (const char* how : {"pissa", "olora", "loftq", "corda"}) {
    const Json* init = reader.find("init_lora_weights");
    if (init != nullptr && init->is_string() && init->get<std::string>().starts_with(how)) {
      reader.fail(
          "init_lora_weights",
          fmt::format("is {}, which changes the base model; convert it with PEFT", Reader::shown(*init)));
    }
  }
  const double rank = reader.number("r", 8, between(1, 65536));
  if (rank != static_cast<double>(static_cast<int64_t>(rank))) {
    reader.fail("r", "must be a whole number");
  }
  return {.rank = static_cast<int64_t>(rank),
          .alpha = reader.number("lora_alpha", 8, more_than(0)),
          .dropout = reader.number("lora_dropout", 0, half_open(0, 1)),
          .scaling = reader.flag("use_rslora") ? LoraScaling::root_rank : LoraScaling::rank};
}

Json write_peft_config(const LoraOptions& options, const PeftModules& modules) {
  const auto or_null = [](bool given, const Json& value) { return given ? value : Json(); };
  return {{"peft_type", "LORA"},
          {"task_type", or_null(!modules.task_type.empty(), modules.task_type)},
          {"base_model_name_or_path", nullptr},
          {"inference_mode", true},
          {"r", options.rank},
          {"lora_alpha", options.alpha},
          {"lora_dropout", options.dropout},
          {"use_rslora", options.scaling == LoraScaling::root_rank},
          {"target_modules", modules.modules},
          {"modules_to_save", or_null(!modules.saved.empty(), modules.saved)},
          {"fan_in_fan_out", modules.transposed},
          {"bias", "none"},
          {"init_lora_weights", true}};
}

}  // namespace lmzoo
