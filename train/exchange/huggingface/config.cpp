#include "train/exchange/huggingface/config.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "base/check.h"
#include "base/utf8.h"
#include "io/files.h"
#include "train/exchange/huggingface/family.h"
#include "train/exchange/huggingface/sentence_encoder.h"

namespace lmzoo {
namespace {

constexpr const char* kEos = "eos_token_id";
constexpr const char* kWrittenFor = "5.23.0";  // of transformers: whose keys are written

std::string config_path(const std::string& folder) { return folder + "/config.json"; }

// Keys of every family that change no number of a forward pass.
void pass_over_common(ConfigKeys& keys) {
  keys.harmless({"_name_or_path",
                 "name_or_path",
                 "model_type",
                 "transformers_version",
                 "torch_dtype",
                 "dtype",
                 "use_cache",
                 "output_attentions",
                 "output_hidden_states",
                 "output_past",
                 "output_scores",
                 "return_dict",
                 "return_dict_in_generate",
                 "gradient_checkpointing",
                 "torchscript",
                 "use_bfloat16",
                 "tf_legacy_loss",
                 "tokenizer_class",
                 "prefix",
                 "_commit_hash",
                 "_attn_implementation",
                 "_attn_implementation_autoset",
                 "attn_implementation",
                 "_attn_implementation_internal",
                 "_experts_implementation_internal",
                 "finetuning_task",
                 "task_specific_params",
                 "label2id",
                 "_num_labels",
                 "chunk_size_feed_forward",
                 "model_max_length",
                 "summary_activation",
                 "summary_first_dropout",
                 "summary_proj_to_labels",
                 "summary_type",
                 "summary_use_proj",
                 "tie_encoder_decoder",
                 "cross_attention_hidden_size"});
  // Of generation, which has flags of its own here.
  keys.harmless({"max_length",
                 "min_length",
                 "max_new_tokens",
                 "min_new_tokens",
                 "do_sample",
                 "early_stopping",
                 "num_beams",
                 "num_beam_groups",
                 "diversity_penalty",
                 "temperature",
                 "top_k",
                 "top_p",
                 "typical_p",
                 "repetition_penalty",
                 "length_penalty",
                 "no_repeat_ngram_size",
                 "encoder_no_repeat_ngram_size",
                 "bad_words_ids",
                 "num_return_sequences",
                 "forced_bos_token_id",
                 "forced_eos_token_id",
                 "remove_invalid_values",
                 "exponential_decay_length_penalty",
                 "suppress_tokens",
                 "begin_suppress_tokens",
                 "forced_decoder_ids",
                 "renormalize_logits",
                 "min_p",
                 "penalty_alpha"});
}

void refuse_common(ConfigKeys& keys, bool two_stacks) {
  keys.only("is_encoder_decoder", two_stacks, "this family is not of that shape");
  keys.only("pruned_heads", Json::object(), "pruned heads are not supported");
  keys.only("quantization_config", nullptr, "quantized checkpoints are not supported");
  keys.only("auto_map", nullptr, "checkpoints with code of their own are not supported");
  keys.only("per_layer_config", nullptr, "layers that differ are not supported");
}

// An id or a list of ids, without those that are none: published files name ids beyond small vocabularies, and -1.
std::vector<int64_t> read_id_list(ConfigKeys& keys, std::string_view name, int64_t vocab_size) {
  std::vector<int64_t> ids;
  const Json* value = keys.find(name);
  if (value == nullptr) {
    return ids;
  }
  for (const Json& id : value->is_array() ? *value : Json::array({*value})) {
    if (!id.is_number_integer()) {
      keys.fail(name, "must be an id of the vocabulary, or a list of them");
    }
    const bool inside = !id.is_number_unsigned() || id.get<uint64_t>() < static_cast<uint64_t>(vocab_size);
    if (inside && id.get<int64_t>() >= 0) {
      ids.push_back(id.get<int64_t>());
    }
  }
  return ids;
}

std::optional<int64_t> read_id(ConfigKeys& keys, std::string_view name, int64_t vocab_size) {
  const std::vector<int64_t> ids = read_id_list(keys, name, vocab_size);
  return ids.empty() ? std::nullopt : std::optional(ids.front());
}

// What ends generation: as generation_config.json says, where there is one that does, else config.json.
std::vector<int64_t> read_ends(ConfigKeys& keys, const std::string& folder, int64_t vocab_size) {
  const std::string file = folder + "/generation_config.json";
  std::error_code error;
  if (std::filesystem::is_regular_file(file, error)) {
    ConfigKeys generation(read_json(file, {.bytes = 1 << 22}), file);
    if (generation.find(kEos) != nullptr) {
      return read_id_list(generation, kEos, vocab_size);
    }
  }
  return read_id_list(keys, kEos, vocab_size);
}

ConfigIds read_ids(ConfigKeys& keys, int64_t vocab_size) {
  return {.vocab_size = vocab_size,
          .pad = read_id(keys, "pad_token_id", vocab_size),
          .bos = read_id(keys, "bos_token_id", vocab_size),
          .eos = read_id(keys, kEos, vocab_size),
          .cls = read_id(keys, "cls_token_id", vocab_size),
          .sep = read_id(keys, "sep_token_id", vocab_size),
          .mask = read_id(keys, "mask_token_id", vocab_size),
          .unk = read_id(keys, "unk_token_id", vocab_size)};
}

// id2label: {"0": "NEGATIVE", ...}, the keys 0 to n-1 in any order.
std::vector<std::string> read_labels(ConfigKeys& keys) {
  const Json* map = keys.find("id2label");
  const int64_t count = keys.integer("num_labels", 2, between(0, 1'000'000));
  std::vector<std::string> labels;
  if (map == nullptr) {
    for (int64_t i = 0; i < count; ++i) {
      labels.push_back("LABEL_" + std::to_string(i));
    }
    return labels;
  }
  if (!map->is_object()) {
    keys.fail("id2label", "must be an object of ids and names");
  }
  // In the order of the file: an object of so many keys is slow to search.
  std::vector<std::optional<std::string>> named(map->size());
  for (const auto& [key, name] : map->items()) {
    size_t index = named.size();
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), index);
    const bool is_index =
        error == std::errc() && end == key.data() + key.size() && std::to_string(index) == key;
    if (is_index && index < named.size() && name.is_string()) {
      named[index] = name.get<std::string>();
    }
  }
  for (size_t i = 0; i < named.size(); ++i) {
    if (!named[i]) {
      keys.fail("id2label", fmt::format("has no name for label {} of {}", i, named.size()));
    }
    labels.push_back(std::move(*named[i]));
  }
  return labels;
}

// The first of `architectures` when it is a class with the head of a task.
std::string read_task(ConfigKeys& keys, const Family& family) {
  const Json* names = keys.find("architectures");
  if (names == nullptr || !names->is_array() || names->empty() || !names->front().is_string()) {
    return "";
  }
  const auto name = names->front().get<std::string>();
  const NameMap map = family.names(OptionValues(YamlNode::mapping()));
  if (map.head_called(name) != nullptr) {
    return name;
  }
  // Bodies and language models are told by their tensors. A head that is not understood must not be dropped
  // in silence.
  for (const char* ending : {"Classification", "Answering", "Choice", "Prediction", "DoubleHeadsModel"}) {
    if (name.ends_with(ending)) {
      keys.fail("architectures", "is " + printable(name, 60) + ", whose head is not supported");
    }
  }
  return "";
}

}  // namespace

bool is_huggingface_folder(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(config_path(path), error)) {
    return false;
  }
  try {
    const Json json = read_json(config_path(path), {.bytes = 1 << 22});
    return json.is_object() && json.contains("model_type");
  } catch (const InputError&) {
    return false;  // whoever needs it reads it again and says what is wrong
  }
}

ModelFromFolder read_huggingface_config(const std::string& folder) {
  const std::string file = config_path(folder);
  ConfigKeys keys(read_json(file, {.bytes = 1 << 22}), file);
  const std::string model_type = keys.text("model_type", "");
  if (model_type.empty()) {
    keys.fail("model_type", "is missing");
  }
  ModelFromFolder model;
  model.folder = folder;
  model.family = model_type;
  model.options = YamlNode::mapping();
  const Family* family = nullptr;
  try {
    family = &family_called(model_type);
  } catch (const InputError& error) {
    keys.fail("model_type", error.what());
  }
  model.type = family->type;
  std::optional<TensorFiles> files;
  if (TensorFiles::is_in(folder)) {
    files.emplace(TensorFiles::open(folder));
  }
  const FoundTensors found(files ? &*files : nullptr, family->names(OptionValues(YamlNode::mapping())));
  family->read(keys, found, model.options);
  pass_over_common(keys);
  refuse_common(keys, model.type == "t5");
  model.ids = read_ids(keys, OptionValues(model.options).integer("vocab_size"));
  model.asked = read_sentence_encoder(folder).value_or(TextsAsked{});
  model.asked.ask.ends = read_ends(keys, folder, model.ids.vocab_size);
  model.task.architecture = read_task(keys, *family);
  model.task.labels = read_labels(keys);
  model.task.problem_type = keys.text("problem_type", "");
  const double dropout = OptionValues(model.options).real("dropout");
  model.task.dropout = keys.real("classifier_dropout|seq_classif_dropout", dropout, half_open(0, 1));
  keys.finish(model_type);
  return model;
}

std::string huggingface_family(const std::string& type, const YamlNode& options, const FamilyWish& wish) {
  const std::string& wanted = wish.family;
  std::vector<const Family*> known = families();
  std::stable_partition(known.begin(), known.end(), [&](const Family* family) {
    return family->names(OptionValues(options)).head_of(wish.objective) != nullptr;
  });
  std::string reasons;
  for (const Family* family : known) {
    const bool candidate = wanted.empty() ? family->type == type : family->model_type == wanted;
    if (!candidate) {
      continue;
    }
    check(family->type == type, "{} of Hugging Face is no {}", wanted, type);
    try {
      Json config;
      family->write(OptionValues(options), config);
      return std::string(family->model_type);
    } catch (const InputError& error) {
      reasons += (reasons.empty() ? "" : "; ") + std::string(error.what());
    }
  }
  if (!wanted.empty() && reasons.empty()) {
    family_called(wanted);  // says which there are
  }
  throw InputError(reasons.empty()
                       ? fmt::format("a model of type {} has no counterpart at Hugging Face", type)
                       : fmt::format("no family of Hugging Face has these options: {}", reasons));
}

Json write_huggingface_config(const ModelFromFolder& model, const std::string& architecture) {
  const auto id = [](const std::optional<int64_t>& value) { return value ? Json(*value) : Json(nullptr); };
  Json config{{"architectures", {architecture}}, {"model_type", model.family}};
  config["pad_token_id"] = id(model.ids.pad);
  config["bos_token_id"] = id(model.ids.bos);
  config[kEos] = id(model.ids.eos);
  if (!model.asked.ask.ends.empty()) {
    std::vector<int64_t> ends = model.asked.ask.ends;
    if (model.ids.eos && std::ranges::find(ends, *model.ids.eos) == ends.end()) {
      ends.insert(ends.begin(), *model.ids.eos);
    }
    config[kEos] = ends.size() == 1 ? Json(ends.front()) : Json(ends);
  }
  if (model.type == "t5") {
    config["is_encoder_decoder"] = true;
    config["pad_token_id"] = model.ids.pad.value_or(0);
    config["decoder_start_token_id"] = config["pad_token_id"];
  }
  family_called(model.family).write(OptionValues(model.options), config);
  if (!model.task.architecture.empty()) {
    Json names = Json::object(), indexes = Json::object();
    for (size_t i = 0; i < model.task.labels.size(); ++i) {
      names[std::to_string(i)] = model.task.labels[i];
      indexes[model.task.labels[i]] = i;
    }
    if (!model.task.labels.empty()) {  // an empty map would be a head of no outputs
      config["id2label"] = names;
      config["label2id"] = indexes;
    }
    config["problem_type"] = model.task.problem_type.empty() ? Json(nullptr) : Json(model.task.problem_type);
    if (model.family == "distilbert") {
      config["seq_classif_dropout"] = model.task.dropout;
    } else if (model.family == "bert" || model.family == "roberta" || model.family == "electra") {
      config["classifier_dropout"] = model.task.dropout;
    }
  }
  config["torch_dtype"] = "float32";
  config["transformers_version"] = kWrittenFor;
  return config;
}

}  // namespace lmzoo
