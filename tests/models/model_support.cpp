#include "model_support.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>

#include <ATen/Context.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn_like.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>

#include "core/tensor.h"
#include "io/safetensors.h"
#include "support/catch.h"
#include "support/files.h"

namespace lmzoo {

void register_models(Registry& registry);

namespace test {
namespace {

// Sets the fields named in `settings`.
class Setter final : public FieldVisitor {
 public:
  explicit Setter(Settings settings) : left_(std::move(settings)) {}

  void boolean(const FieldInfo& info, bool& value) override {
    take(info, [&](const std::string& text) { value = text == "true"; });
  }
  void integer(const FieldInfo& info, int64_t& value) override {
    take(info, [&](const std::string& text) { value = std::stoll(text); });
  }
  void real(const FieldInfo& info, double& value) override {
    take(info, [&](const std::string& text) { value = std::stod(text); });
  }
  void text(const FieldInfo& info, std::string& value) override {
    take(info, [&](const std::string& text) { value = text; });
  }
  void choice(const FieldInfo& info, ChoiceRef& value) override {
    take(info, [&](const std::string& text) { REQUIRE(value.set(text)); });
  }
  void optional(const FieldInfo& info, OptionalRef& value) override {
    if (left_.count(std::string(info.name)) > 0) {
      value.emplace();
      value.visit(*this, info);
    }
  }
  void list(const FieldInfo&, ListRef&) override {}
  void group(const FieldInfo&, GroupRef&) override {}

  void finish() const {
    if (!left_.empty()) {
      throw std::logic_error("no option " + left_.begin()->first);
    }
  }

 private:
  template <class Set>
  void take(const FieldInfo& info, const Set& set) {
    const auto it = left_.find(std::string(info.name));
    if (it != left_.end()) {
      set(it->second);
      left_.erase(it);
    }
  }

  Settings left_;
};

Registry all_models() {
  Registry registry;
  register_models(registry);
  return registry;
}

at::ScalarType type_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::f32:
      return at::kFloat;
    case Dtype::f64:
      return at::kDouble;
    case Dtype::i64:
      return at::kLong;
    default:
      throw std::logic_error("a golden has an unexpected type");
  }
}

}  // namespace

std::shared_ptr<Model> make_model(const ModelSpec& spec) {
  static const Registry registry = all_models();
  const ModelFamily& family = registry.model(spec.family);
  AnyOptions options = spec.preset.empty() ? family.defaults : family.preset(spec.preset);
  Setter setter(spec.settings);
  options.visit(setter);
  setter.finish();
  ModelContext context;
  context.vocabulary.size = spec.vocabulary;
  context.sequence_length = spec.sequence_length;
  std::shared_ptr<Model> model = family.make(options, context);
  model->eval();
  return model;
}

const std::vector<ModelSpec>& tiny_models() {
  const Settings size{{"layers", "2"}, {"width", "8"}, {"heads", "2"}, {"ffn_width", "12"}};
  const auto spec = [&](const std::string& family, const Settings& more, const std::string& preset = "") {
    Settings settings = more;
    settings.insert(size.begin(), size.end());
    return ModelSpec{.family = family, .settings = settings, .preset = preset};
  };
  static const std::vector<ModelSpec> all{
      spec("bert", {}),
      spec("bert",
           {{"pre_norm", "true"}, {"positions", "rotary"}, {"activation", "geglu"}, {"bias", "false"}}),
      spec("bert", {{"positions", "sinusoidal"}, {"token_types", "0"}}),
      spec("gpt", {}),
      spec("gpt", {{"vocab_size", "29"}, {"max_length", "7"}}, "gpt1"),
      spec("gpt", {{"vocab_size", "29"}, {"max_length", "7"}}, "gpt2"),
      spec("gpt",
           {{"positions", "rotary_interleaved"},
            {"norm", "rms"},
            {"activation", "swiglu"},
            {"bias", "false"},
            {"kv_heads", "1"},
            {"tie_embeddings", "false"}}),
      spec("t5", {}),
      spec("t5", {{"activation", "geglu_tanh"}, {"tie_embeddings", "false"}, {"head_width", "3"}}),
  };
  return all;
}

std::string describe(const ModelSpec& spec) {
  std::string text = spec.family + " " + spec.preset;
  for (const auto& [name, value] : spec.settings) {
    text += " " + name + "=" + value;
  }
  return text;
}

Tensor flat(const Ids& ids) {
  std::vector<int64_t> all;
  for (const auto& sequence : ids) {
    all.insert(all.end(), sequence.begin(), sequence.end());
  }
  return at::tensor(all, at::kLong);
}

Sequences sequences_of(const Ids& ids) {
  std::vector<int64_t> lengths;
  for (const auto& sequence : ids) {
    lengths.push_back(std::ssize(sequence));
  }
  return Sequences(lengths);
}

Inputs packed(const Ids& ids, const Ids& targets) {
  Inputs inputs;
  inputs.ids = flat(ids);
  inputs.sequences = sequences_of(ids);
  if (!targets.empty()) {
    inputs.decoder_ids = flat(targets);
    inputs.decoder_sequences = sequences_of(targets);
  }
  return inputs;
}

Ids random_ids(const std::vector<int64_t>& lengths, int64_t vocabulary) {
  Ids ids;
  for (const int64_t length : lengths) {
    const Tensor drawn = at::randint(vocabulary, {length}, at::kLong);
    ids.emplace_back(drawn.data_ptr<int64_t>(), drawn.data_ptr<int64_t>() + length);
  }
  return ids;
}

TensorMap golden_tensors(const std::string& name) {
  const SafetensorsFile file(golden("models/" + name + ".safetensors"));
  TensorMap tensors;
  for (const TensorView& view : file.tensors()) {
    Tensor tensor = at::empty(view.shape, type_of(view.dtype));
    std::memcpy(tensor.data_ptr(), view.bytes.data(), view.bytes.size());
    tensors[view.name] = tensor;
  }
  return tensors;
}

double relative_error(const Tensor& actual, const Tensor& expected) {
  if (actual.sizes() != expected.sizes()) {
    return std::numeric_limits<double>::infinity();
  }
  const Tensor wide = expected.detach().to(at::kDouble);
  const double scale = std::max(wide.abs().max().item<double>(), 1e-12);
  return (actual.detach().to(at::kDouble) - wide).abs().max().item<double>() / scale;
}

void check_gradients(const std::function<Tensor()>& function, const std::vector<Tensor>& leaves) {
  constexpr double step = 1e-6;
  at::manual_seed(5);
  const Tensor weights = at::randn_like(function());
  const auto value = [&] {
    at::manual_seed(11);
    return (function() * weights).sum();
  };
  for (const Tensor& leaf : leaves) {
    leaf.mutable_grad() = Tensor();
  }
  value().backward();
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < leaves.size(); ++i) {
    const Tensor expected = at::zeros_like(leaves[i]);
    REQUIRE(leaves[i].is_contiguous());
    auto* element = leaves[i].data_ptr<double>();
    for (int64_t j = 0; j < leaves[i].numel(); ++j) {
      const double kept = element[j];
      element[j] = kept + step;
      const double above = value().item<double>();
      element[j] = kept - step;
      const double below = value().item<double>();
      element[j] = kept;
      expected.data_ptr<double>()[j] = (above - below) / (2 * step);
    }
    INFO("leaf " << i << " of shape " << leaves[i].sizes());
    REQUIRE(leaves[i].grad().defined());
    const double largest = std::max(1.0, expected.abs().max().item<double>());
    REQUIRE((leaves[i].grad() - expected).abs().max().item<double>() / largest < 1e-7);
  }
}

void check_gradients(Module& module, const std::function<Tensor()>& function, const Tensor& input) {
  std::vector<Tensor> leaves = module.parameters();
  if (input.defined()) {
    leaves.push_back(input);
  }
  check_gradients(function, leaves);
}

void check_directions(Module& module, const std::function<Tensor()>& function) {
  constexpr double step = 1e-6;
  const auto value = [&] {
    at::manual_seed(11);
    const Tensor out = function();
    return (out * at::arange(1, out.numel() + 1, out.options()).view_as(out).sin()).sum();
  };
  for (const Tensor& parameter : module.parameters()) {
    parameter.mutable_grad() = Tensor();
  }
  value().backward();
  const at::NoGradGuard no_grad;
  at::manual_seed(5);
  for (int round = 0; round < 3; ++round) {
    std::vector<Tensor> direction;
    double expected = 0;
    for (const Tensor& parameter : module.parameters()) {
      direction.push_back(at::randn_like(parameter));
      expected += (direction.back() * parameter.grad()).sum().item<double>();
    }
    const auto value_at = [&](double distance) {
      const std::vector<Tensor> parameters = module.parameters();
      for (size_t i = 0; i < parameters.size(); ++i) {
        parameters[i].add_(direction[i], distance);
      }
      const double result = value().item<double>();
      for (size_t i = 0; i < parameters.size(); ++i) {
        parameters[i].sub_(direction[i], distance);
      }
      return result;
    };
    const double measured = (value_at(step) - value_at(-step)) / (2 * step);
    INFO("direction " << round << ": " << measured << " against " << expected);
    REQUIRE(std::abs(measured - expected) < 1e-6 * std::max(1.0, std::abs(expected)));
  }
}

void randomize(Module& module) {
  const at::NoGradGuard no_grad;
  for (auto& parameter : module.named_parameters()) {
    const bool scale = parameter.value.dim() == 1 && parameter.name.ends_with("weight");
    parameter.value.normal_(scale ? 1 : 0, scale ? 0.2 : 0.4);
  }
}

}  // namespace test
}  // namespace lmzoo
