// The adapter: what objectives predict (Example) to what an architecture reads and a loss scores (Batch). It knows
// three layouts and three levels, and nothing of the objectives behind them. Batches are packed (core/batch.h), so
// `|` below only marks where a sequence ends. rows/labels are shown as row:label.
//
// Ids: 2 = [CLS], 3 = [SEP], 4 = [MASK], 1 = eos, 0 = pad, 90 91 = sentinels; 10.. are words.
//
// in_place, encoder-only and decoder-only: ids go in as they are, positions are labeled where they stand.
//     {ids 2 10 4 12 3, at 2, labels 11}, {ids 2 4 3, at 1, labels 13}
//     ids 2 10 4 12 3 | 2 4 3                       2:11 6:13
//     On a decoder-only model attention is causal; an example that sees both sides has prefix = its length.
// in_place, encoder-decoder: classes, rows and numbers are predicted of the encoder's states. Ids are predicted by
//     the decoder: the sequence is the source, and its full original the target (BART's form).
//     {ids 2 10 4 12 3, at 2, labels 11}
//     ids 2 10 4 12 3   decoder 0 2 10 11 12        0:2 1:10 2:11 3:12 4:3
// source_target, encoder-decoder: the decoder reads the target shifted right, beginning with pad (T5).
//     {source 10 90 13 1, target 90 11 12 1, at 0 1 2 3}
//     ids 10 90 13 1    decoder 0 90 11 12          0:90 1:11 2:12 3:1
// source_target, decoder-only: source and target joined and shifted right together, as seqio's prefix LM has it.
//     Visible from both sides is the source, and also the position that is fed its last id and predicts the first of
//     the target: prefix = source + 1.
//     {source 10 90 13 1, target 90 11 12 1, at 0 1 2 3}
//     ids 0 10 90 13 1 90 11 12   prefix 5          4:90 5:11 6:12 7:1
// stream, decoder-only: ids go in as they are; a position sees those before it.
//     {ids 10 11 12, at 0 1 2, labels 11 12 1}, {ids 13, at 0, labels 1}
//     ids 10 11 12 | 13                             0:11 1:12 2:1 3:1
//
// Levels. Targets of sequences have the sequence as their row, those of groups the first sequence of the example:
//     {ids 2 10 3, label 7}, {ids 2 11 12 3, label 5}
//     ids 2 10 3 | 2 11 12 3                        0:7 1:5
//     {ids 2 10 3 | 2 11 3, label 1}, {ids 2 12 3 | 2 13 3, label 0}
//     ids 2 10 3 | 2 11 3 | 2 12 3 | 2 13 3         0:1 2:0     groups 2 2
//
// Token types of sequences that have any become Inputs::token_types, 0 for the others. The start symbol is pad, or bos
// or eos where a vocabulary lacks it. Any number of targets may be 0: rows and labels are then empty tensors.
#pragma once

#include <span>
#include <string>

#include "base/vocabulary.h"
#include "core/batch.h"
#include "core/model.h"
#include "core/objective.h"

namespace lmzoo {

// One sentence that says why what an objective predicts cannot be given to a model; empty when it can.
std::string refusal(const ObjectiveForm& form, const Model& model);
std::string refusal(const ObjectiveForm& form,
                    Architecture architecture);  // to one that is no model of words

// What the examples of a run become.
struct CollateRules {
  Architecture architecture = Architecture::encoder_only;
  const Vocabulary& vocabulary;
  std::vector<Slot> slots;  // of the objective
};

// An example that its architecture cannot carry, or that does not fit its slots, is a std::logic_error.
// Batch::samples is left to the caller. Thread-safe.
Batch collate(std::span<const Example> examples, const CollateRules& rules);

}  // namespace lmzoo
