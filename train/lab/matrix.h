// Which objectives go with which models: every pair of the zoo, built with default options on a vocabulary that has
// everything, and judged by what both declare (data/batches/collate.h: refusal). A new family or objective is in it without
// a line here.
#pragma once

#include <string>
#include <vector>

#include "core/registry.h"
#include "train/run/assemble.h"

namespace lmzoo {

struct MatrixCell {
  std::string objective, model;
  std::string refusal;  // why not, in a sentence; empty: they go together
};

// Objectives in their order, each with all models in theirs.
std::vector<MatrixCell> objective_matrix(const Registry& registry);

// The parts of a pair, with such a vocabulary, and a data set of two classes whose records have every column. `model`: of any options; the objective has its defaults. InputError when one of them cannot be built.
Parts matrix_parts(const ModelFamily& family,
                   const AnyOptions& model,
                   const ObjectiveKind& objective,
                   const Registry& registry);

// A table of objectives by models, and below it the reasons of what does not go.
std::string to_text(const std::vector<MatrixCell>& cells);
Json to_json(const std::vector<MatrixCell>& cells);

}  // namespace lmzoo
