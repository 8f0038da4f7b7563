// ELECTRA as a run: two models on one embedding, trained, told of, saved, exported each by itself.
#include <algorithm>
#include <filesystem>

#include "core/parameters.h"
#include "core/tensor_file.h"
#include "io/json.h"
#include "support/catch.h"
#include "support/files.h"
#include "train/debug_configs.h"
#include "train/exchange/huggingface/export.h"
#include "train/run/assemble.h"
#include "train/run/published.h"
#include "train/run/train_run.h"
#include "train/saved/checkpoint.h"
#include "train/saved/metrics_rows.h"

using namespace lmzoo;
using namespace lmzoo::test;
using Catch::Matchers::Contains;

namespace {

constexpr const char* kTiny =
    "{type: replaced_token_detection, generator: {type: bert, layers: 1, width: 16, heads: 2";

Parts electra_parts(const std::string& options,
                    const std::string& model = "{type: bert, layers: 1, width: 32, heads: 2}") {
  const LoadedConfig loaded =
      debug_config("electra", {"model=" + model, "objective=" + std::string(kTiny) + options});
  return build_parts(loaded, registry(), foresee_vocabulary(loaded, true).vocabulary, {});
}

std::vector<std::string> names_with(const Parts& parts, const std::string& what) {
  std::vector<std::string> names;
  for (const NamedTensor& entry : weights(*parts.model, *parts.objective)) {
    if (entry.name.find(what) != std::string::npos) {
      names.push_back(entry.name);
    }
  }
  return names;
}

Json last_evaluation(const std::string& run) {
  Json last;
  for_each_metrics_row(run + "/metrics.jsonl",
                       [&](const MetricsRow& row) { last = row.kind == "eval" ? row.values : last; });
  return last;
}

// Six steps, a checkpoint after the third.
std::vector<std::string> six_steps(const TempDir& folder) {
  return {"data.cache_dir=" + (folder / "cache"),
          "train.steps=6",
          "train.save_every=3",
          "train.keep_last=2",
          "eval.every=3"};
}

}  // namespace

TEST_CASE("a narrow generator reads the discriminator's embeddings through a map of its own") {
  const Parts parts = electra_parts("}}");
  CHECK(names_with(parts, "generator.tokens").empty());
  CHECK(names_with(parts, "generator.positions").empty());
  CHECK(names_with(parts, "generator.embedding_norm").empty());
  const auto parameters = parts.objective->named_parameters();
  CHECK(parameters["generator.tokens.weight"].is_same(parts.model->named_parameters()["tokens.weight"]));
  CHECK(parameters["generator.embedding_map.weight"].sizes() == at::IntArrayRef({16, 32}));
  CHECK(parameters["generator.head.weight"].sizes() == at::IntArrayRef({32, 16}));

  const Parts apart = electra_parts("}, tied_embeddings: false}");
  CHECK(names_with(apart, "generator.tokens") ==
        std::vector<std::string>{"objective.generator.tokens.weight"});
  CHECK(names_with(apart, "generator.embedding_map").empty());
  CHECK_THROWS_WITH(electra_parts(", embedding_width: 16}}"),
                    Contains("takes the embeddings of a model that has ") && Contains("leave both out"));
  // Positions of other lengths are two tables.
  CHECK(names_with(electra_parts(", max_length: 65}}"), "generator.positions").size() == 1);
}

TEST_CASE("initial weights of the discriminator do not depend on who shares them") {
  const auto tokens = [](const Parts& parts) { return parts.model->named_parameters()["tokens.weight"]; };
  CHECK(tokens(electra_parts("}}")).equal(tokens(electra_parts("}, tied_embeddings: false}"))));
}

TEST_CASE("an evaluation tells of generator and discriminator, and a resumed run goes on bit for bit") {
  const TempDir folder;
  const LoadedConfig loaded = debug_config("electra", six_steps(folder));
  const std::string run = folder / "run";
  train_run(loaded, registry(), run, {});
  const Json row = last_evaluation(run);
  for (const char* name :
       {"discriminator_loss", "accuracy", "replaced", "generator_loss", "generator_accuracy", "f1"}) {
    INFO(name);
    REQUIRE(row.contains(name));
  }
  CHECK(row["loss"].get<double>() ==
        Approx(50 * row["discriminator_loss"].get<double>() + row["generator_loss"].get<double>())
            .epsilon(1e-6));
  CHECK(row["replaced"].get<double>() > 0.05);  // an untrained generator is nearly always wrong, of 15 %
  CHECK(row["replaced"].get<double>() < 0.2);

  const std::string end = read_file(checkpoint_folder(run, 6) + "/model.safetensors");
  std::filesystem::remove_all(checkpoint_folder(run, 6));
  train_run(loaded, registry(), run, {.resume = true});
  CHECK(read_file(checkpoint_folder(run, 6) + "/model.safetensors") == end);
}

TEST_CASE("discriminator and generator are exported as two models of transformers and read again") {
  const TempDir folder;
  auto changes = six_steps(folder);
  changes.emplace_back("train.steps=3");
  train_run(debug_config("electra", changes), registry(), folder / "run", {});
  const LoadedRun run = load_run(folder / "run", registry(), "cpu");
  const KeyAccount account = export_folder(portable(run), folder / "discriminator");
  CHECK(read_json(folder / "discriminator/config.json")["architectures"][0] == "ElectraForPreTraining");
  CHECK(std::ranges::any_of(account.rows, [](const KeyRow& row) {
    return row.theirs == "discriminator_predictions.dense_prediction.weight";
  }));
  export_folder(portable_further(run, "generator"), folder / "generator");
  const Json config = read_json(folder / "generator/config.json");
  CHECK(config["architectures"][0] == "ElectraForMaskedLM");
  CHECK(config["embedding_size"] == 32);
  CHECK(config["hidden_size"] == 16);
  CHECK_THROWS_WITH(
      portable_further(run, "teacher"),
      "--model: replaced_token_detection trains no model 'teacher' beside its own; it trains: generator");

  const at::NoGradGuard no_grad;
  const auto [ids, sequences] = packed_ids(std::vector<std::vector<int64_t>>{{5, 9, 11, 7}, {8, 6}});
  Inputs inputs;
  inputs.ids = ids;
  inputs.sequences = sequences;
  const LoadedRun generator = load_huggingface(folder / "generator", registry(), "cpu").run;
  generator.parts.model->eval();
  Model& trained = *run.parts.objective->further_models().front().model;
  CHECK(generator.parts.model->logits(generator.parts.model->hidden(inputs))
            .equal(trained.logits(trained.hidden(inputs))));
  const LoadedRun discriminator = load_huggingface(folder / "discriminator", registry(), "cpu").run;
  discriminator.parts.model->eval();
  CHECK(discriminator.parts.model->hidden(inputs).equal(run.parts.model->hidden(inputs)));
}
