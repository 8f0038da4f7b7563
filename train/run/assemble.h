// All wiring: a configuration to the parts of a run, each part given its own options. Nothing is global;
// paths are relative to the current folder.
//
// An InputError of a part gets the place of its section in the YAML.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/model.h"
#include "core/objective.h"
#include "core/optimizer.h"
#include "core/registry.h"
#include "data/batches/loader.h"
#include "data/batches/windows.h"
#include "data/store/token_store.h"
#include "tokenizer/tokenizer.h"
#include "train/config/run_config.h"
#include "train/exchange/portable_run.h"
#include "train/loop/batch_source.h"
#include "train/loop/progress.h"
#include "train/run/full_window.h"
#include "train/run/reading.h"
#include "train/run/run_texts.h"
#include "train/run/text_notes.h"

namespace lmzoo {

// Every model, objective and optimizer there is.
Registry make_registry();

// What a run computes with. `classes` are the names of its labels, in the order of their indexes; empty
// without.
struct Parts {
  std::shared_ptr<Model> model;
  std::shared_ptr<Objective> objective;
  Vocabulary vocabulary;
  std::vector<std::string> classes;
  Reading reading{};
  std::vector<CorpusShape> corpora{};  // the texts that are trained on

  // Of data.train; queries may be of another text (Reading).
  const RecordShape& record() const { return corpora.empty() ? reading.record : corpora.front().record; }
  SampleShape shape() const { return {.record = record(), .classes = std::ssize(classes)}; }
};

// What an objective of these parts is told, with factories for further models and objectives; parts.model is built.
ObjectiveContext objective_context(const Parts& parts, int64_t sequence_length, const Registry& registry);

// How the texts of a run's data are read; queries, too, when its model and objective are there.
Reading reading_of(const RunConfig& config);
void settle_reading(Parts& parts, const RunConfig& config);

// Builds model and objective with initial weights that follow from the seed, and refuses what cannot go
// together: an objective and an architecture, a vocabulary larger than the embedding, sequences longer than
// the model's.
Parts build_parts(const LoadedConfig& loaded,
                  const Registry& registry,
                  const Vocabulary& vocabulary,
                  const std::vector<std::string>& classes);

// Refuses a model whose weights alone do not fit into so many bytes, before any of them is made.
void check_weights_fit(const LoadedConfig& loaded,
                       const Registry& registry,
                       const Vocabulary& vocabulary,
                       uint64_t memory);

// The rule that the configuration names, on the parameters of the context.
std::unique_ptr<Optimizer> make_optimizer(const LoadedConfig& loaded,
                                          const Registry& registry,
                                          OptimizerContext context);

// What `fine_tune` makes of them, once they have the weights that they begin with (or before a checkpoint is
// read into them). Returns the adapted maps.
std::vector<std::string> prepare_fine_tuning(const Parts& parts, const RunConfig& config);

// How the store is cut for the objective.
Windows make_windows(const LoadedConfig& loaded,
                     const Objective& objective,
                     const Vocabulary& vocabulary,
                     std::shared_ptr<const TokenStore> store);
// train.steps, or as many as see each window train.epochs times or the tokens of a phase. InputError when the schedule does not
// fit into them.
int64_t steps_of(const LoadedConfig& loaded, const MixedWindows& windows);
// What the loader does to samples of these windows; keeps the objective alive.
LoaderSteps loader_steps(const Parts& parts, const MixedWindows& windows);
// One pass over windows, for evaluation.
EvalSet make_eval_set(const std::string& name,
                      const MixedWindows& windows,
                      const Parts& parts,
                      const RunConfig& config);

// The tokenizer of the configuration: needing no training, from the cache, or trained into it.
std::shared_ptr<const Tokenizer> make_run_tokenizer(const LoadedConfig& loaded, ProgressBar::Style style);

// Encoded text of `key` (data.train, ...), from the cache or built into it. `classes`: those of the training
// data.
std::shared_ptr<const TokenStore> open_store(const LoadedConfig& loaded,
                                             const std::string& key,
                                             const TextOptions& text,
                                             std::shared_ptr<const Tokenizer> tokenizer,
                                             const std::optional<std::vector<std::string>>& classes,
                                             ProgressBar::Style style);

// A hash of the content of a file of weights, or of all those of a published folder.
std::string content_of(const std::string& weights);
// The windows of the texts that are trained on, for the parts' objective; `train`: the store of data.train.
MixedWindows training_windows(const LoadedConfig& loaded,
                              const Parts& parts,
                              const std::shared_ptr<const Tokenizer>& tokenizer,
                              const std::shared_ptr<const TokenStore>& train);

// What is learned from, each by a hash of its content: the tokenizer, the encoded texts, the classes. `valid` may be null.
std::map<std::string, std::string> inputs_of(const Tokenizer& tokenizer,
                                             const TokenStore& train,
                                             const TokenStore* valid);
// And of one text more.
void add_input(const RunText& text, const TokenStore& store, std::map<std::string, std::string>& inputs);

// Of the models that the objective only asks, likewise. InputError for one whose tokenizer had other pieces.
std::map<std::string, std::string> inputs_of_frozen(const Objective& objective, const Tokenizer& tokenizer);

// Everything that a run of word vectors needs, likewise. `tokenizer_folder` of the run that goes on; empty:
// counted or cached.
struct WordVectorParts {
  std::shared_ptr<const Tokenizer> tokenizer;
  std::shared_ptr<const TokenStore> store;
  Parts parts;
  std::optional<EvalSet> valid;
  std::map<std::string, std::string> inputs;  // TrainJob::inputs
  std::vector<TextNotes> texts;
};
WordVectorParts assemble_word_vectors(const LoadedConfig& loaded,
                                      const Registry& registry,
                                      const std::string& tokenizer_folder,
                                      ProgressBar::Style style = ProgressBar::Style::automatic);

// Everything that train() needs.
struct Assembled {
  std::shared_ptr<const Tokenizer> tokenizer;
  Parts parts;
  std::unique_ptr<BatchSource> batches;
  int64_t steps = 0;
  std::vector<int64_t> milestones;  // of train.save_at
  std::vector<EvalSet> valid;       // data.valid first, if there is one
  std::unique_ptr<Optimizer> optimizer;
  std::optional<GradualUnfreezing> unfreezing;
  std::vector<std::string> frozen;
  std::vector<std::string> adapted;           // linear maps with low-rank additions
  std::string warm_started_from;              // file; empty: fresh weights
  std::string embedding_note;                 // which tokens began with word vectors; empty: none
  std::string tokenizer_note;                 // warm embeddings that meet other pieces; empty: none do
  std::map<std::string, std::string> inputs;  // TrainJob::inputs
  std::vector<TextNotes> texts;               // of a run that begins
};

struct AssembleOptions {
  at::Device device = at::kCPU;
  std::string tokenizer_folder{};  // of the run that goes on; empty: trained, cached or loaded as configured
  std::vector<std::string>
      classes{};     // of the run that goes on; empty: those of the text, or of warm_start's head
  bool warm = true;  // false: weights come from a checkpoint anyway, warm_start only freezes
  ProgressBar::Style style = ProgressBar::Style::automatic;
};
Assembled assemble(const LoadedConfig& loaded, const Registry& registry, const AssembleOptions& options);

// build_parts for a run whose weights are read from a file next: none are drawn. Without a training text (a
// published checkpoint) an objective that cannot be built is replaced by one that says so when it is needed.
Parts build_parts_to_ask(const LoadedConfig& loaded,
                         const Registry& registry,
                         const Vocabulary& vocabulary,
                         const std::vector<std::string>& classes);

// A finished or interrupted run, ready to compute: in evaluation mode, without gradients to be taken.
struct LoadedRun {
  std::string folder;      // the run
  std::string checkpoint;  // the checkpoint folder that was loaded
  LoadedConfig config;
  std::shared_ptr<const Tokenizer> tokenizer;
  Parts parts;
  at::Device device = at::kCPU;
};

// What of them other programs know.
PortableRun portable(const Parts& parts, const RunConfig& config);
PortableRun portable(const LoadedRun& run);
// One of the models that its objective has trained beside its own (Objective::further_models): "generator".
PortableRun portable_further(const LoadedRun& run, const std::string& name);

// `path` is a run folder (its best checkpoint, else the newest), a checkpoint folder in one, or a folder of
// Hugging Face's. `device` as train.device; empty: what the run's configuration says.
LoadedRun load_run(const std::string& path, const Registry& registry, const std::string& device = "");

// ObjectiveContext::open_model: the model of a run or of a published folder, for a run with this vocabulary. Inside a
// MetaScope it has shapes only.
FurtherModel open_frozen(const std::string& path, const Registry& registry, const Vocabulary& vocabulary);

}  // namespace lmzoo
