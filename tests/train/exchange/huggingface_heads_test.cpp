// Heads of tasks beyond what their classes at Hugging Face write themselves: runs that were trained here, and
// short models.
#include <ATen/ops/gelu.h>
#include <ATen/ops/zeros.h>

#include "io/json.h"
#include "nn/linear.h"
#include "support/catch.h"
#include "train/debug_configs.h"
#include "train/exchange/huggingface/config_keys.h"
#include "train/exchange/huggingface/export.h"
#include "train/exchange/huggingface_support.h"
#include "train/run/published.h"
#include "train/yaml/bind.h"

using namespace lmzoo;
using namespace lmzoo::test;
using Catch::Matchers::Contains;

namespace {

LoadedRun load_headed(const std::string& folder) { return load_with_head(folder, registry()).run; }

// The run of a case with a head of fresh weights: a dense layer of its own over one state.
LoadedRun with_own_layer(const std::string& name, const std::string& pooling) {
  LoadedRun run = load_headed(published(name));
  YamlNode options = YamlNode::mapping();
  put(options, "pooling", pooling);
  put(options, "dense", true);
  put(options, "activation", "tanh");
  KeyPlaces places;
  read_fields(static_cast<GroupRef&>(run.config.config.objective.options), options, places);
  run.parts = build_parts(run.config, registry(), vocabulary_of(*run.tokenizer), run.parts.classes);
  run.parts.model->eval();
  run.parts.objective->eval();
  return run;
}

YamlNode options_of(const LoadedRun& run) {
  AnyOptions options = run.config.config.objective.options;
  return dump_fields(static_cast<GroupRef&>(options));
}

}  // namespace

TEST_CASE("a head's own layer over the first state is exported as the pooler that it is") {
  for (const std::string name : {"bert_classifier", "bert_choices", "roberta_choices"}) {
    INFO(name);
    const TempDir dir;
    const LoadedRun run = with_own_layer(name, "first");
    export_folder(portable(run), dir / "exported");
    const at::NoGradGuard no_grad;
    const Inputs inputs = Expected(name).inputs();
    const Tensor logits = logits_of(run, inputs);
    CHECK(logits.abs().max().item<double>() > 1e-3);
    CHECK(difference(logits_of(load_headed(dir / "exported"), inputs), logits) < 1e-6);
  }
}

TEST_CASE("a published head is not taken for one with a layer more") {
  const std::string folder = published("gpt2_classifier");
  const LoadedRun run = with_own_layer("gpt2_classifier", "last");
  CHECK_THROWS_WITH(import_weights(*run.parts.model,
                                   &*run.parts.objective,
                                   TensorFiles::open(folder),
                                   read_huggingface_config(folder),
                                   {.objective = "classification"}),
                    Contains("objective.dense.weight, which this family has not"));
}

TEST_CASE("a run without names of classes is exported with as many outputs as its head has") {
  for (const std::string name : {"bert_answers", "distilbert_answers", "bert_choices"}) {
    INFO(name);
    const TempDir dir;
    LoadedRun run = load_headed(published(name));
    run.parts.classes.clear();  // as a run that was trained here
    export_folder(portable(run), dir / "exported");
    const Json config = read_json(dir / "exported/config.json");
    CHECK_FALSE(config.contains("id2label"));  // transformers takes two outputs then, not none
    CHECK_FALSE(config.contains("label2id"));
    const at::NoGradGuard no_grad;
    const Inputs inputs = Expected(name).inputs();
    CHECK(logits_of(load_headed(dir / "exported"), inputs).equal(logits_of(run, inputs)));
  }
}

TEST_CASE("a published model of answers reads a passage in pieces that its positions can hold") {
  const YamlNode tiny = options_of(load_headed(published("bert_answers")));  // of 14 positions
  CHECK(OptionValues(tiny).integer("max_question_length") == 4);
  CHECK(OptionValues(tiny).integer("stride") == 4);

  const TempDir dir;
  Json config = read_json(published("bert_answers") + "/config.json");
  config["max_position_embeddings"] = 512;
  write_file(dir / "config.json", config.dump());
  const SafetensorsFile file(published("bert_answers") + "/model.safetensors");
  NamedTensors tensors;
  for (const TensorView& view : file.tensors()) {
    const bool positions = view.name.ends_with("position_embeddings.weight");
    tensors.push_back({view.name, positions ? at::zeros({512, 16}) : to_tensor(view, file.path())});
  }
  write_tensors(dir / "model.safetensors", tensors);
  const YamlNode usual = options_of(load_headed(dir.path().string()));
  CHECK(OptionValues(usual).integer("max_question_length") == 64);
  CHECK(OptionValues(usual).integer("stride") == 128);
}

TEST_CASE("a published discriminator scores tokens as transformers does, and is exported as it was") {
  const std::string name = "electra_discriminator", folder = published(name);
  const ModelFromFolder from = read_huggingface_config(folder);
  LoadedRun run =
      load_headed(folder);  // of its body; the head is an objective's, with a generator of its own
  CHECK(run.config.config.objective.type == "masked_lm");
  ObjectiveChoice& choice = run.config.config.objective;
  choice.type = "replaced_token_detection";
  choice.options = debug_config("electra").config.objective.options;
  Vocabulary vocabulary = vocabulary_of(*run.tokenizer);  // of ids alone, for the folder has no tokenizer
  vocabulary.cls = 1;
  vocabulary.sep = 2;
  vocabulary.mask = 3;
  run.parts = build_parts(run.config, registry(), vocabulary, {});
  const KeyAccount account = import_weights(*run.parts.model,
                                            &*run.parts.objective,
                                            TensorFiles::open(folder),
                                            from,
                                            {.objective = choice.type, .allow_fresh = true});
  CHECK(account.count(KeyFate::ignored) == 0);
  run.parts.model->eval();
  const Expected expected(name);
  const Objective& objective = *run.parts.objective;
  const Tensor dense = objective.child<Linear>("dense")->forward(run.parts.model->hidden(expected.inputs()));
  const Tensor scores = objective.child<Linear>("output")->forward(at::gelu(dense));
  CHECK(difference(scores, expected["logits"]) < 1e-5);

  const at::NoGradGuard no_grad;
  const ExportedModel made = exported(portable(run));
  CHECK(made.architecture == "ElectraForPreTraining");
  const TensorFiles before = TensorFiles::open(folder);
  CHECK(made.tensors.size() == before.tensors().size());
  for (const NamedTensor& tensor : made.tensors) {
    INFO(tensor.name);
    const TensorView* view = before.find(tensor.name);
    REQUIRE(view != nullptr);
    CHECK(tensor.tensor.equal(to_tensor(*view, before.path())));
  }
}

TEST_CASE("heads of further tokens are left out of an export, which says so") {
  const TempDir dir;
  LoadedRun run = load_headed(published("gpt2_lm"));
  YamlNode ahead = YamlNode::mapping(), options = YamlNode::mapping();
  put(ahead, "tokens", int64_t{2});
  options.entries.push_back({"ahead", {}, ahead});
  KeyPlaces places;
  read_fields(static_cast<GroupRef&>(run.config.config.objective.options), options, places);
  run.parts = build_parts(run.config, registry(), vocabulary_of(*run.tokenizer), {});
  REQUIRE(!run.parts.objective->parameters().empty());
  const KeyAccount account = export_folder(portable(run), dir / "exported");
  for (const KeyRow& row : account.rows) {
    INFO(row.ours);
    const bool is_head = row.ours.starts_with("objective.ahead.");
    CHECK((row.fate == KeyFate::ignored) == is_head);
    CHECK(row.note == (is_head ? "causal_lm needs it in training alone" : ""));
  }
  CHECK(account.count(KeyFate::ignored) > 0);
  CHECK(read_json(dir / "exported/config.json")["architectures"][0] == "GPT2LMHeadModel");
  CHECK(TensorFiles::open(dir / "exported").tensors().size() ==
        TensorFiles::open(published("gpt2_lm")).tensors().size());
}
