#include "train/exchange/huggingface/family.h"

#include <algorithm>

#include "base/check.h"
#include "base/strings.h"
#include "base/utf8.h"

namespace lmzoo {

FoundTensors::FoundTensors(const TensorFiles* files, const NameMap& names) : files_(files) {
  if (files == nullptr) {
    return;
  }
  for (const std::string_view prefix : names.prefixes) {
    prefix_ = prefix;
    if (has(std::string("@") + std::string(names.anchor))) {
      return;
    }
  }
  prefix_ =
      names.prefixes.front();  // without an anchor nothing will fit; the names of a whole model help most
}

const TensorView* FoundTensors::find(std::string_view theirs) const {
  for (const std::string_view alternative : alternatives_of(theirs)) {
    const TensorView* view =
        files_ != nullptr ? files_->find(expand_name(alternative, {}, prefix_)) : nullptr;
    if (view != nullptr) {
      return view;
    }
  }
  return nullptr;
}

bool FoundTensors::has(std::string_view theirs) const { return find(theirs) != nullptr; }

bool FoundTensors::equal(std::string_view a, std::string_view b) const {
  const TensorView *first = find(a), *second = find(b);
  return first != nullptr && second != nullptr && first->dtype == second->dtype &&
         first->shape == second->shape && std::ranges::equal(first->bytes, second->bytes);
}

void put_output(ConfigKeys& keys, const FoundTensors& found, const OutputKind& kind, YamlNode& options) {
  const Json* classes = keys.find("architectures");
  const bool speaks = classes != nullptr && classes->is_array() && !classes->empty() &&
                      classes->front() == std::string(kind.language);
  put(options, "tie_embeddings", kind.tied);
  // A class that must have one and has not is refused when its weights are read.
  put(options, "lm_head", kind.tied || speaks || !found.any() || found.has("lm_head.weight"));
}

const std::vector<const Family*>& families() {
  static const std::vector<const Family*> all{&bert_family(),
                                              &roberta_family(),
                                              &distilbert_family(),
                                              &electra_family(),
                                              &gpt1_family(),
                                              &gpt2_family(),
                                              &llama_family(),
                                              &t5_family()};
  return all;
}

const Family& family_called(const std::string& model_type) {
  std::vector<std::string> known;
  for (const Family* family : families()) {
    if (family->model_type == model_type) {
      return *family;
    }
    known.emplace_back(family->model_type);
  }
  throw InputError(fmt::format("no family '{}' of Hugging Face's; known: {}{}",
                               printable(model_type, 40),
                               joined(known),
                               suggestion(model_type, known)));
}

namespace {

struct ActivationName {
  std::string_view theirs, ours;
};
// The first name of ours is the one that is written.
constexpr ActivationName kActivations[] = {{"gelu", "gelu"},
                                           {"gelu_python", "gelu"},
                                           {"gelu_new", "gelu_tanh"},
                                           {"gelu_pytorch_tanh", "gelu_tanh"},
                                           {"gelu_fast", "gelu_tanh"},
                                           {"relu", "relu"},
                                           {"silu", "silu"},
                                           {"swish", "silu"}};

}  // namespace

std::string read_activation(ConfigKeys& keys, std::string_view key, std::string_view fallback) {
  const std::string given = keys.text(key, fallback);
  std::vector<std::string> known;
  for (const auto& [theirs, ours] : kActivations) {
    if (theirs == given) {
      return std::string(ours);
    }
    known.emplace_back(theirs);
  }
  keys.fail(key, fmt::format("is '{}'; legal: {}", printable(given, 40), joined(known)));
}

std::string write_activation(const OptionValues& options, std::string_view family) {
  const std::string activation = options.text("activation");
  for (const auto& [theirs, ours] : kActivations) {
    if (ours == activation) {
      return std::string(theirs);
    }
  }
  throw InputError(
      fmt::format("model.activation is {}, which {} of Hugging Face does not have", activation, family));
}

}  // namespace lmzoo
