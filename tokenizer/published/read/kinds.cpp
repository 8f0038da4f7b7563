#include "tokenizer/published/read/kinds.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>

#include "base/check.h"
#include "base/utf8.h"

namespace lmzoo::huggingface {
namespace {

// Names without "Fast".
const std::map<std::string, ClassKind, std::less<>>& kinds() {
  static const std::map<std::string, ClassKind, std::less<>> all{
      {"BertTokenizer", ClassKind::bert},
      {"DistilBertTokenizer", ClassKind::bert},
      {"ElectraTokenizer", ClassKind::bert},
      {"LayoutLMTokenizer", ClassKind::bert},
      {"LxmertTokenizer", ClassKind::bert},
      {"MobileBertTokenizer", ClassKind::bert},
      {"SqueezeBertTokenizer", ClassKind::bert},
      {"MPNetTokenizer", ClassKind::mpnet},
      {"RobertaTokenizer", ClassKind::roberta},
      {"BartTokenizer", ClassKind::roberta},
      {"LEDTokenizer", ClassKind::roberta},
      {"LongformerTokenizer", ClassKind::roberta},
      {"MvpTokenizer", ClassKind::roberta},
      {"GPT2Tokenizer", ClassKind::gpt2},
      {"OpenAIGPTTokenizer", ClassKind::gpt1},
      {"LlamaTokenizer", ClassKind::llama},
      {"Phi3Tokenizer", ClassKind::llama},
      {"T5Tokenizer", ClassKind::t5},
      {"XLMRobertaTokenizer", ClassKind::xlm_roberta}};
  return all;
}

// The kind of a folder that names no class, by config.json's model_type.
ClassKind kind_of_model(std::string_view type) {
  static const std::map<std::string_view, ClassKind> all{{"bert", ClassKind::bert},
                                                         {"distilbert", ClassKind::bert},
                                                         {"electra", ClassKind::bert},
                                                         {"mpnet", ClassKind::mpnet},
                                                         {"mobilebert", ClassKind::bert},
                                                         {"roberta", ClassKind::roberta},
                                                         {"longformer", ClassKind::roberta},
                                                         {"bart", ClassKind::roberta},
                                                         {"gpt2", ClassKind::gpt2},
                                                         {"openai-gpt", ClassKind::gpt1},
                                                         {"t5", ClassKind::t5},
                                                         {"mt5", ClassKind::t5},
                                                         {"xlm-roberta", ClassKind::xlm_roberta}};
  const auto found = all.find(type);
  return found == all.end() ? ClassKind::as_written : found->second;
}

// Models for which the class is not looked at: many of their folders name a wrong one.
bool counts_as_written(std::string_view type) {
  static const std::set<std::string_view> all{
      "gpt_bigcode", "granite",   "granitemoe", "internlm2", "jamba",         "minicpm3",   "ministral",
      "mistral",     "mistral3",  "mixtral",    "nemotron",  "nystromformer", "modernbert", "olmo2",
      "olmo3",       "persimmon", "phi3",       "phimoe",    "stablelm",      "umt5",       "xlm-roberta-xl"};
  return all.contains(type);
}

// Python code of transformers that reads no tokenizer.json.
bool has_rules_of_its_own(std::string_view name) {
  static const std::set<std::string_view> all{"BartphoTokenizer",
                                              "BertGenerationTokenizer",
                                              "BertJapaneseTokenizer",
                                              "BertweetTokenizer",
                                              "BioGptTokenizer",
                                              "BlenderbotSmallTokenizer",
                                              "ByT5Tokenizer",
                                              "CTRLTokenizer",
                                              "CanineTokenizer",
                                              "ClvpTokenizer",
                                              "CpmAntTokenizer",
                                              "CpmTokenizer",
                                              "DiaTokenizer",
                                              "EsmTokenizer",
                                              "FSMTTokenizer",
                                              "FlaubertTokenizer",
                                              "GPTNeoXJapaneseTokenizer",
                                              "GPTSw3Tokenizer",
                                              "M2M100Tokenizer",
                                              "MarianTokenizer",
                                              "MgpstrTokenizer",
                                              "MyT5Tokenizer",
                                              "PLBartTokenizer",
                                              "PerceiverTokenizer",
                                              "PhobertTokenizer",
                                              "ProphetNetTokenizer",
                                              "RoCBertTokenizer",
                                              "SiglipTokenizer",
                                              "Speech2TextTokenizer",
                                              "SpeechT5Tokenizer",
                                              "TapasTokenizer",
                                              "VitsTokenizer",
                                              "XLMTokenizer"};
  return all.contains(name);
}

// In the order of kRoleKeys; empty: the class names none.
std::array<const char*, 7> usual_names(ClassKind kind) {
  switch (kind) {
    case ClassKind::as_written:
      return {};
    case ClassKind::bert:
      return {nullptr, nullptr, "[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]"};
    case ClassKind::mpnet:
      return {"<s>", "</s>", "[UNK]", "</s>", "<pad>", "<s>", "<mask>"};
    case ClassKind::roberta:
    case ClassKind::xlm_roberta:
      return {"<s>", "</s>", "<unk>", "</s>", "<pad>", "<s>", "<mask>"};
    case ClassKind::gpt2:
      return {"<|endoftext|>", "<|endoftext|>", "<|endoftext|>"};
    case ClassKind::gpt1:
      return {nullptr, nullptr, "<unk>"};
    case ClassKind::llama:
      return {"<s>", "</s>", "<unk>"};
    case ClassKind::t5:
      return {nullptr, "</s>", "<unk>", nullptr, "<pad>"};
  }
  return {};
}

}  // namespace

ClassKind kind_of(const FolderHints& hints, const std::string& tokenizer_json) {
  const std::string name = hints.tokenizer_class();
  if (name.empty()) {
    return kind_of_model(hints.model_type());
  }
  if (!tokenizer_json.empty() && counts_as_written(hints.model_type())) {
    return ClassKind::as_written;
  }
  check(!has_rules_of_its_own(name),
        "{}: tokenizer_class \"{}\" cuts text by rules of its own, which are not known here",
        hints.path("tokenizer_config.json"),
        printable(name));
  const auto found = kinds().find(name);
  const ClassKind kind = found == kinds().end() ? ClassKind::as_written : found->second;
  // Published LLaMA 3 names the class of LLaMA 2.
  const bool is_byte_level = tokenizer_json.find("\"ByteLevel\"") != std::string::npos;
  return kind == ClassKind::llama && is_byte_level ? ClassKind::as_written : kind;
}

std::string class_name(ClassKind kind) {
  switch (kind) {
    case ClassKind::as_written:
      break;
    case ClassKind::bert:
      return "BertTokenizer";
    case ClassKind::mpnet:
      return "MPNetTokenizer";
    case ClassKind::roberta:
      return "RobertaTokenizer";
    case ClassKind::gpt2:
      return "GPT2Tokenizer";
    case ClassKind::gpt1:
      return "OpenAIGPTTokenizer";
    case ClassKind::llama:
      return "LlamaTokenizer";
    case ClassKind::t5:
      return "T5Tokenizer";
    case ClassKind::xlm_roberta:
      return "XLMRobertaTokenizer";
  }
  return "PreTrainedTokenizerFast";
}

AddedToken read_token(const JsonPart& part, bool special) {
  if (part.json().is_string()) {
    return {.content = part.as_text(), .normalized = !special, .special = special};
  }
  AddedToken token{.content = part.text("content"),
                   .single_word = part.flag_or("single_word", false),
                   .lstrip = part.flag_or("lstrip", false),
                   .rstrip = part.flag_or("rstrip", false),
                   .special = part.flag_or("special", special)};
  token.normalized = part.flag_or("normalized", !token.special);
  return token;
}

AddedToken read_special_token(const JsonPart& part) {
  AddedToken token = read_token(part, true);
  token.special = true;
  token.normalized = part.json().is_object() && part.flag_or("normalized", false);
  return token;
}

std::vector<NamedToken> named_tokens(ClassKind kind, const FolderHints& hints) {
  const std::array<const char*, 7> usual = usual_names(kind);
  std::vector<NamedToken> all;
  for (size_t i = 0; i < usual.size(); ++i) {
    NamedToken named{.key = kRoleKeys[i]};
    const Json* given = hints.named(named.key);
    const Json usual_name = usual[i] == nullptr ? Json() : Json(usual[i]);
    if (given != nullptr && given->is_null()) {
      named.source = NamedToken::Source::none;
    } else if (given != nullptr || usual[i] != nullptr) {
      named.source = NamedToken::Source::given;
      const JsonPart part(
          given != nullptr ? *given : usual_name, hints.path("tokenizer_config.json"), named.key);
      named.token = read_special_token(part);
      named.is_name = part.json().is_string();
      // What MPNet's class makes of a name.
      if (kind == ClassKind::mpnet && part.json().is_string()) {
        named.token.lstrip = named.key == "mask_token";
      }
      part.require(!named.token.content.empty(), "must not be empty");
    }
    all.push_back(std::move(named));
  }
  return all;
}

}  // namespace lmzoo::huggingface
