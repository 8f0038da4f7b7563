// Weights of Hugging Face checkpoints to the parameters of a model and of a task's head, and back, with an
// account of every key. What a name means is a table a family (train/exchange/huggingface/names.h).
//
// Transforms: transposed (GPT-2's Conv1D is [in, out]), merged (queries, keys and values are one matrix here;
// so are a gate and what it gates), tied (a second copy of the embedding, which must be equal), other float
// types to float32.
#pragma once

#include <string>
#include <vector>

#include "core/model.h"
#include "core/objective.h"
#include "io/json.h"
#include "io/tensor_files.h"
#include "train/exchange/huggingface/config.h"

namespace lmzoo {

enum class KeyFate {
  loaded,      // copied as it is
  transposed,  // [in, out] there, [out, in] here
  split,       // several tensors there are parts of one here
  tied,        // a copy of another tensor, and equal to it
  ignored,     // not used, for the reason in the note
  missing,     // here, but not there: an error
  fresh,       // here, but not there, and initialized as the note says
};

struct KeyRow {
  KeyFate fate = KeyFate::loaded;
  std::string theirs{};  // a name of the file; empty for fresh
  std::string ours{};    // "model.tokens.weight"; empty for ignored
  std::vector<int64_t> shape{};
  std::string note{};
};

// In the order of our tensors, then what is left of the file.
struct KeyAccount {
  std::vector<KeyRow> rows;

  int64_t count(KeyFate fate) const;
};
// A table; what differs only in the layer's number is one line.
std::string to_text(const KeyAccount& account);
Json to_json(const KeyAccount& account);

struct ImportOptions {
  std::string objective{};   // its name in the registry: tells which head of theirs is its own
  bool task_head = true;     // load that head; else the objective keeps its initial values
  bool allow_fresh = false;  // a head or a pooler that the file lacks as a whole keeps its initial values
  std::vector<int64_t> layers{};            // of theirs, for each of ours; empty: the same
  std::vector<std::string> allow_unused{};  // globs of names of theirs that may be left unused
};

// Fills model and objective (may be null). What does not fit is one InputError that names every tensor;
// nothing is changed then. Tensors that the file has and lmzoo does not know are errors, too.
KeyAccount import_weights(Model& model,
                          Objective* objective,
                          const TensorFiles& files,
                          const ModelFromFolder& from,
                          const ImportOptions& options = {});

}  // namespace lmzoo
