// Everything that is known of a run before it runs. Making a plan checks all that can be checked, trains
// nothing and writes nothing: the model has shapes but no memory.
//
// What training would make first and is not there yet is told as far as the options tell it: a SentencePiece
// tokenizer's size is vocab_size, and tokens are estimated from bytes. Text that is missing is an error,
// unless `look_at_files` is false: then only the configuration itself is checked.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "io/json.h"
#include "train/run/assemble.h"
#include "train/run/text_notes.h"

namespace lmzoo {

// The vocabulary of a run whose tokenizer may not be trained yet.
struct ForeseenVocabulary {
  Vocabulary vocabulary;
  std::shared_ptr<const Tokenizer> tokenizer;  // null when it is not made yet
  std::string note;                            // what was taken for granted; else empty
};
ForeseenVocabulary foresee_vocabulary(const LoadedConfig& loaded, bool look_at_files);

struct PlannedText {
  std::string name;  // as RunText has it
  uint64_t bytes = 0;
  int64_t tokens = 0;
  // These are known once the text is encoded; until then tokens is an estimate.
  std::optional<int64_t> documents{};
  std::optional<int64_t> windows{};
  std::optional<double> share{};     // of the windows of an epoch, of one of several texts to train on
  std::optional<TextNotes> notes{};  // of what has been read of it
};

struct PlannedPhase;

struct Plan {
  std::string title;  // "bert-wordnet: bert on masked_lm"
  int64_t parameters = 0;
  int64_t trained = 0;                           // parameters that are not frozen
  std::map<std::string, int64_t> trained_parts;  // of these, by module: "model.stack.block*.attention.out"
  std::vector<std::string> adapted;              // linear maps with low-rank additions
  int64_t vocabulary = 0;
  int64_t classes = 0;
  ObjectiveLengths lengths;
  std::vector<std::pair<std::string, double>> components;  // of a mixture of objectives: Objective::shares
  double labels_per_window = 0;                            // of full windows, like all below
  int64_t tokens_per_step = 0;                             // positions computed
  double flops_per_token = 0;                              // forward and backward, for each of them
  double flops = 0;                                        // of the whole run
  int64_t memory_bytes = 0;  // weights, gradients, moments and activations; an estimate
  int64_t state_bytes = 0;   // of these, what no batch size changes: weights, gradients and moments
  int64_t least_bytes = 0;   // and what a batch of sequences of one position each would need
  std::vector<PlannedText> texts;
  std::optional<int64_t> steps;  // none: of word vectors, and of epochs until the text is encoded
  std::optional<double> epochs;  // passes over the training windows
  std::vector<std::string> warnings;
  std::vector<PlannedPhase>
      phases{};  // of a run that has them: each with a plan of its own; the rest is of the first
};

struct PlannedPhase {
  std::string name;
  Plan plan;
};
std::vector<std::string> all_warnings(const Plan& plan);

struct PlanOptions {
  bool look_at_files = true;
  at::Device device = at::kCPU;  // where the run will be, when it is known
};
Plan make_plan(const LoadedConfig& loaded, const Registry& registry, const PlanOptions& options = {});

// What a run may take.
struct MemoryLimits {
  uint64_t cpu = 0;  // bytes
  bool trains_on_cpu = true;
};
// Refuses a run that surely cannot fit: weights, and on the CPU gradients, moments and the smallest batch, too.
void check_memory(const LoadedConfig& loaded, const Plan& plan, const MemoryLimits& limits);

Json to_json(const Plan& plan);
std::string to_text(const Plan& plan);

}  // namespace lmzoo
