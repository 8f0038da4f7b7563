// Names to factories. Each zoo file ends in `void register_<stem>(Registry&)`; CMake generates the function
// that calls them all (cmake/Zoo.cmake), so there are no static initializers and a forgotten function is a
// link error.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/fields.h"
#include "base/strings.h"
#include "core/model.h"
#include "core/nested_choice.h"
#include "core/objective.h"
#include "core/optimizer.h"

namespace lmzoo {

// What the run tells a model: its tokenizer and the longest sequence it will see.
struct ModelContext {
  Vocabulary vocabulary;
  int64_t sequence_length = 0;
  const Model* embeddings =
      nullptr;  // whose embeddings it takes for its own, as far as their shapes are equal
};

// One of the texts that a run trains on: data.train, "train", and after it those of data.mixture.
struct CorpusShape {
  std::string name;
  RecordShape record{};
};

// What the run tells an objective.
struct ObjectiveContext {
  Vocabulary vocabulary;
  Architecture architecture = Architecture::encoder_only;
  int64_t sequence_length = 0;         // data.sequence_length
  int64_t width = 0;                   // D of the model, for heads
  std::vector<std::string> classes;    // names of the labels of the data, may be empty
  RecordShape record{};                // of data.train
  std::vector<CorpusShape> corpora{};  // of all; empty: of data.train alone
  bool pooler = false;                 // the model has one (Model::has_pooler)
  int64_t blocks = 0;                  // of the model; of an encoder-decoder, of its decoder
  // A second model or objective of the zoo (a generator, a teacher, the components of a mixture), for this run's
  // vocabulary and lengths. What the objective registers as its part is trained, placed and saved like the rest.
  std::function<std::shared_ptr<Model>(const NestedChoice&)> make_model{};
  // An objective is told `own`, this context or a changed one; InputError when the architecture cannot carry it.
  std::function<std::shared_ptr<Objective>(const NestedChoice&, const ObjectiveContext& own)>
      make_objective{};
  // The same on the embeddings of the run's model, which both then train.
  std::function<std::shared_ptr<Model>(const NestedChoice&)> make_model_on_embeddings{};
  // A run or a published folder, to be asked (a teacher): frozen, in evaluation mode, on the CPU, with the vocabulary of
  // this run, or an InputError. It is no part of the run: nobody registers it.
  std::function<FurtherModel(const std::string& path)> open_model{};
  bool is_asked =
      false;  // the run is finished; what its loss alone needs is opened when there is a loss to compute
};

// `model: {type: gpt, preset: gpt2, ...}`: a preset is a full set of options that the YAML may then override.
struct ModelFamily {
  std::string name;
  std::string summary;
  AnyOptions defaults;
  std::vector<std::pair<std::string, AnyOptions>> presets;
  std::function<std::shared_ptr<Model>(const AnyOptions&, const ModelContext&)> make;

  const AnyOptions& preset(const std::string& preset_name) const;  // throws InputError listing the known
};

struct ObjectiveKind {
  std::string name;
  std::string summary;
  AnyOptions defaults;
  std::function<std::shared_ptr<Objective>(const AnyOptions&, const ObjectiveContext&)> make;
  bool holds_objective = false;  // among its options: it is no choice for such an option itself
};

// `optimizer: {type: adamw, lr: ..., ...}`: the options are those of the rule alone; `lr` and `clip_norm`
// stand beside them whatever the rule.
struct OptimizerRule {
  std::string name;
  std::string summary;
  double lr = 1e-3;  // when the YAML names none
  AnyOptions defaults;
  std::function<std::unique_ptr<Optimizer>(const AnyOptions&, OptimizerContext)> make;
};

class Registry {
 public:
  Registry();

  void add(ModelFamily family);  // throws std::logic_error on a duplicate name
  void add(ObjectiveKind objective);
  void add(OptimizerRule rule);

  const ModelFamily& model(const std::string& name) const;  // throws InputError listing the known
  const ObjectiveKind& objective(const std::string& name) const;
  const OptimizerRule& optimizer(const std::string& name) const;
  const std::map<std::string, ModelFamily>& models() const { return tables_->models; }
  const std::map<std::string, ObjectiveKind>& objectives() const { return tables_->objectives; }
  const std::map<std::string, OptimizerRule>& optimizers() const { return tables_->optimizers; }

  // Options that hold a model or an objective of their own begin with this one. The registry must outlive
  // their reading.
  NestedChoice nested_model(const std::string& type) const;
  NestedChoice nested_objective(const std::string& type) const;

 private:
  struct Tables {
    std::map<std::string, ModelFamily> models;
    std::map<std::string, ObjectiveKind> objectives;
    std::map<std::string, OptimizerRule> optimizers;
  };
  std::shared_ptr<Tables> tables_;  // shared by copies
};

}  // namespace lmzoo
