// Every objective on every family that it goes with: two steps on the GPU are two steps on the CPU.
//
// Both begin with the same weights and read the same batches; dropout is off, for a GPU draws other numbers. Compared are
// the loss, the norm of the gradient, and the first moments, which are the gradients themselves (AdamW's step divides
// by their size, so weights would tell signs of rounding errors apart).
//
// Tolerances: float32 sums of a few thousand terms in another order, 1e-4 of the loss and 1e-3 of a gradient; bfloat16
// has 8 bits, and the two devices round at other places: 2e-2 and 1e-1.
#include <cmath>
#include <filesystem>
#include <set>

#include <ATen/ops/linalg_vector_norm.h>

#include "base/error.h"
#include "cuda/gpu.h"
#include "train/config/word_settings.h"

using namespace lmzoo;
using namespace lmzoo::test;

namespace {

// A head width that no fused kernel takes as it is (10) and grouped queries among them.
const std::map<std::string, std::string> kFamilies{
    {"as configured", ""},
    {"bert", "model={type: bert, layers: 1, width: 32, heads: 2, ffn_width: 64, pooler: true, dropout: 0}"},
    {"gpt", "model={type: gpt, layers: 1, width: 40, heads: 4, kv_heads: 2, ffn_width: 64, dropout: 0}"},
    {"t5", "model={type: t5, layers: 1, width: 32, heads: 2, ffn_width: 64, dropout: 0}"}};

struct Tolerance {
  double loss, gradient;
};

bool has_option(const AnyOptions& options, const std::string& key) {
  AnyOptions copy = options;
  return dump_fields(static_cast<GroupRef&>(copy)).find(key) != nullptr;
}

std::vector<std::string> debug_names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator("configs/debug")) {
    const std::string name = entry.path().stem().string();
    if (entry.path().extension() == ".yaml" && !trains_word_vectors(debug_config(name, {}).config)) {
      names.push_back(name);
    }
  }
  return names;
}

LoadedConfig pair_of(const std::string& name, const std::string& model, const std::string& precision) {
  std::vector<std::string> changes{
      "train.steps=2", "train.precision=" + precision, "optimizer.clip_norm=0", "schedule={type: constant}"};
  if (!model.empty()) {
    changes.push_back(model);
  }
  const LoadedConfig plain = debug_config(name, changes);
  if (has_option(plain.config.objective.options, "dropout")) {
    changes.emplace_back("objective.dropout=0");
  }
  if (plain.config.fine_tune.lora) {
    changes.emplace_back("fine_tune.lora.dropout=0");
  }
  changes.emplace_back("model.dropout=0");
  return debug_config(name, changes);
}

double relative(double a, double b) { return std::abs(a - b) / std::max(std::abs(b), 1e-12); }

void require_same(const Trained& gpu, const Trained& cpu, const Tolerance& tolerance) {
  REQUIRE(gpu.rows.size() == cpu.rows.size());
  for (size_t i = 0; i < cpu.rows.size(); ++i) {
    CHECK(relative(gpu.rows[i]["loss"], cpu.rows[i]["loss"]) < tolerance.loss);
    CHECK(relative(gpu.rows[i]["grad_norm"], cpu.rows[i]["grad_norm"]) < tolerance.gradient);
    CHECK(gpu.rows[i]["labels"] == cpu.rows[i]["labels"]);
  }
  REQUIRE(gpu.moments.size() == cpu.moments.size());
  double difference = 0, size = 0;  // of all first moments together: single ones may be zero but for rounding
  for (const auto& [name, moment] : cpu.moments) {
    if (name.ends_with(".exp_avg")) {
      difference += std::pow(at::linalg_vector_norm(gpu.moments.at(name) - moment).item<double>(), 2);
      size += std::pow(at::linalg_vector_norm(moment).item<double>(), 2);
    }
  }
  CHECK(std::sqrt(difference / size) < tolerance.gradient);
}

// Nothing for a pair that cannot be, or a family that lacks what a file asks of it.
std::optional<Trained> computed_on_cpu(LoadedConfig loaded) {
  loaded.config.train.device = "cpu";
  try {
    return trained(loaded);
  } catch (const InputError&) {
    return std::nullopt;
  }
}

}  // namespace

TEST_CASE("a step on the GPU is the CPU's, for every objective on every family") {
  LMZOO_NEEDS_GPU();
  const auto [precision, tolerance] = GENERATE(
      table<std::string, Tolerance>({{"fp32", Tolerance{1e-4, 1e-3}}, {"bf16", Tolerance{2e-2, 1e-1}}}));
  std::set<std::string> computed;
  for (const std::string& name : debug_names()) {
    for (const auto& [family, model] : kFamilies) {
      INFO(name << " on " << family << " in " << precision);
      LoadedConfig loaded = pair_of(name, model, precision);
      const std::optional<Trained> cpu = computed_on_cpu(loaded);
      CHECK((cpu.has_value() || !model.empty()));  // what a file says itself can be
      if (cpu) {
        loaded.config.train.device = *tested_device();
        require_same(trained(loaded), *cpu, tolerance);
        computed.insert(loaded.config.objective.type + " on " + loaded.config.model.type);
      }
    }
  }
  CHECK(computed.size() >= 24);
}
