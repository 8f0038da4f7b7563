// Adapters of the PEFT library (tests/golden/peft_adapters.py): the same logits in, the same tensors out.
#include <filesystem>

#include "nn/linear.h"
#include "nn/low_rank.h"
#include "support/catch.h"
#include "train/debug_configs.h"
#include "train/exchange/huggingface/peft.h"
#include "train/exchange/huggingface/peft_config.h"
#include "train/exchange/huggingface_support.h"
#include "train/run/published.h"

using namespace lmzoo;
using namespace lmzoo::test;
using Catch::Matchers::Contains;

namespace {

const std::vector<std::string> kCases{
    "bert_classifier", "bert_lm", "roberta_lm", "distilbert_lm", "gpt1_lm", "gpt2_lm", "llama_lm", "t5_v1_1"};

LoadedRun load_body(const std::string& name) { return load_run(published(name), registry(), "cpu"); }
std::string adapter(const std::string& name) { return golden("peft/" + name); }

Tensor expected_logits(const std::string& name) {
  const SafetensorsFile file(adapter(name) + "/expected.safetensors");
  return to_tensor(*file.find("logits"), file.path());
}

// The adapter's folder after a change of its configuration.
std::string changed(const TempDir& dir, const std::string& name, const std::string& key, const Json& value) {
  const std::string folder = dir / "adapter";
  std::filesystem::copy(
      adapter(name),
      folder,
      std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
  Json config = read_json(folder + "/adapter_config.json");
  config[key] = value;
  write_file(folder + "/adapter_config.json", config.dump());
  return folder;
}

std::string complaint(const std::string& model, const std::string& folder) {
  const LoadedRun run = load_body(model);
  try {
    add_adapter(portable(run), folder);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("an adapter of the PEFT library gives the library's logits, added and merged") {
  for (const std::string& name : kCases) {
    INFO(name);
    const at::NoGradGuard no_grad;
    const LoadedRun run = load_body(name);
    const Inputs inputs = Expected(name).inputs();
    const Tensor right = expected_logits(name);
    CHECK(difference(logits_of(run, inputs), right) > 1e-2);
    add_adapter(portable(run), adapter(name));
    CHECK(difference(logits_of(run, inputs), right) < 1e-5);
    merge_adapters(*run.parts.model, *run.parts.objective);
    CHECK(difference(logits_of(run, inputs), right) < 1e-5);
  }
}

TEST_CASE("an adapter that came in goes out with the same tensors and the same arithmetic") {
  for (const std::string& name : kCases) {
    if (name == "llama_lm") {
      continue;  // ranks of single modules, which a run here does not have
    }
    INFO(name);
    const TempDir dir;
    LoadedRun run = load_body(name);
    add_adapter(portable(run), adapter(name));
    const std::string config = adapter(name) + "/adapter_config.json";
    const PeftConfig peft = read_peft_config(config);
    run.config.config.fine_tune.lora =
        LoraOptions{.rank = peft.rank, .alpha = peft.alpha, .scaling = peft.scaling, .dropout = peft.dropout};
    export_adapter(portable(run), dir / "out");
    const SafetensorsFile before(adapter(name) + "/adapter_model.safetensors");
    const SafetensorsFile after(dir / "out/adapter_model.safetensors");
    for (const TensorView& view : before.tensors()) {
      INFO(view.name);
      const TensorView* same = after.find(view.name);
      REQUIRE(same != nullptr);
      CHECK(same->shape == view.shape);
      CHECK(std::ranges::equal(same->bytes, view.bytes));
    }
    const Json theirs = read_json(config), ours = read_json(dir / "out/adapter_config.json");
    for (const char* key : {"r", "lora_alpha", "lora_dropout", "use_rslora", "fan_in_fan_out", "task_type"}) {
      INFO(key);
      CHECK(ours.at(key) == theirs.at(key));
    }
    CHECK(ours.at("target_modules").size() * 2 ==
          static_cast<size_t>(std::ranges::count_if(
              before.tensors(), [](const auto& view) { return view.name.find("lora_") != view.name.npos; })));
  }
}

TEST_CASE("a run's own additions begin with an adapter that is like them, and refuse another") {
  LoadedRun run = load_body("bert_classifier");
  run.config.config.fine_tune.lora =
      LoraOptions{.rank = 3, .alpha = 6, .targets = {"*.attention.qkv.q", "*.attention.qkv.v"}};
  prepare_fine_tuning(run.parts, run.config.config);
  const AdapterAccount account = fill_adapters(portable(run), adapter("bert_classifier"));
  CHECK(account.maps.size() == 4);
  CHECK(account.head.size() == 2);
  const at::NoGradGuard no_grad;
  CHECK(difference(logits_of(run, Expected("bert_classifier").inputs()), expected_logits("bert_classifier")) <
        1e-5);
  run.config.config.fine_tune.lora->alpha = 5;
  CHECK_THROWS_WITH(fill_adapters(portable(run), adapter("bert_classifier")),
                    Contains("it would be {rank: 3, alpha: 6, scaling: rank, targets: "
                             "[model.stack.block0.attention.qkv.q, model.stack.block0.attention.qkv.v, "));
}

TEST_CASE("an imported checkpoint can take an adapter into its weights") {
  const TempDir dir;
  import_folder(published("gpt2_lm"), dir / "run", registry(), adapter("gpt2_lm"));
  const LoadedRun run = load_run(dir / "run", registry(), "cpu");
  const at::NoGradGuard no_grad;
  CHECK(difference(logits_of(run, Expected("gpt2_lm").inputs()), expected_logits("gpt2_lm")) < 1e-5);
}

TEST_CASE("adapters that lmzoo does not compute, or that are another model's, are refused by name") {
  const TempDir dir;
  const auto with = [&](const std::string& key, const Json& value) {
    return complaint("bert_lm", changed(dir, "bert_lm", key, value));
  };
  CHECK_THAT(with("peft_type", "IA3"), Contains("adapter_config.json: peft_type: is \"IA3\"; legal: LORA"));
  CHECK_THAT(with("use_dora", true), Contains("use_dora: is true, which is not supported"));
  CHECK_THAT(with("bias", "all"), Contains("bias: is \"all\""));
  CHECK_THAT(with("alpha_pattern", {{"key", 3}}), Contains("alpha_pattern: is {\"key\":3}"));
  CHECK_THAT(with("something_new", 7), Contains("something_new: is 7"));
  CHECK_THAT(with("r", "8"), Contains("r: is \"8\", but must be a number"));
  CHECK_THAT(with("r", 2.5), Contains("r: must be a whole number"));
  CHECK_THAT(with("init_lora_weights", "pissa_niter_4"), Contains("changes the base model"));
  CHECK_THAT(complaint("gpt2_lm", adapter("bert_lm")),
             Contains("does not fit this model") && Contains("attention.output.dense is no linear map"));
  CHECK_THAT(complaint("bert_lm", adapter("bert_classifier")),
             Contains("classifier.bias is nothing that this run trains"));
  CHECK_THAT(complaint("bert_lm", dir.path()), Contains("adapter_config.json"));
  const LoadedRun plain = load_body("bert_lm");
  CHECK_THROWS_WITH(export_adapter(portable(plain), dir / "out"), Contains("has no low-rank additions"));
}

TEST_CASE("an addition that no module of Hugging Face has is refused at export") {
  const TempDir dir;
  for (const std::string name : {"gpt2_lm", "bert_lm"}) {  // merged there, and apart there
    LoadedRun run = load_body(name);
    run.config.config.fine_tune.lora = LoraOptions{.targets = {name == "gpt2_lm" ? "*.q" : "*.qkv"}};
    prepare_fine_tuning(run.parts, run.config.config);
    CHECK_THROWS_WITH(export_adapter(portable(run), dir / "out"), Contains("has no module at Hugging Face"));
  }
}
