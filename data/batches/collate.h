// Adapters: what an objective predicts (a form) to what an architecture reads (a Batch). Batches are packed
// (core/batch.h), so `|` below only marks where a sequence ends. rows/labels are shown as row:label.
//
// Ids: 2 = [CLS], 3 = [SEP], 4 = [MASK], 1 = eos, 0 = pad, 90 91 = sentinels; 10.. are words.
//
// in_place, encoder-only: ids go in as they are, labels stand at their positions.
//     {ids 2 10 4 12 3, positions 2, labels 11}, {ids 2 4 3, positions 1, labels 13}
//     ids 2 10 4 12 3 | 2 4 3                       2:11 6:13
// in_place, encoder-decoder: the corrupted ids are the source, the full original is the target (BART's form).
//     {ids 2 10 4 12 3, positions 2, labels 11}
//     ids 2 10 4 12 3   decoder 0 2 10 11 12        0:2 1:10 2:11 3:12 4:3
// sequence_to_sequence, encoder-decoder: the decoder reads the target shifted right, beginning with pad (T5).
//     {source 10 90 13 1, target 90 11 12 1}
//     ids 10 90 13 1    decoder 0 90 11 12          0:90 1:11 2:12 3:1
// sequence_to_sequence, decoder-only: source and target joined and shifted right together, as seqio's prefix
//     LM has it. Visible from both sides is the source, and also the position that is fed its last id and
//     predicts the first of the target: prefix = source + 1. Only the target has labels.
//     {source 10 90 13 1, target 90 11 12 1}
//     ids 0 10 90 13 1 90 11 12   prefix 5          4:90 5:11 6:12 7:1
// token_stream, decoder-only: every id predicts the next.
//     {ids 10 11 12 1}, {ids 13 1}
//     ids 10 11 12 | 13                             0:11 1:12 2:1 3:1
// labeled, any: row i is sequence i. An encoder-decoder gets the encoder's ids only.
//     {ids 2 10 3, label 7}, {ids 2 11 12 3, label 5}
//     ids 2 10 3 | 2 11 12 3                        0:7 1:5
//     With values instead of labels, row i of Batch::values is sequence i's.
// tagged, any: classes at positions of the source.
//     {ids 2 10 11 3, positions 1 2, labels 4 0}
//     ids 2 10 11 3                                 1:4 2:0
// spanned, any: row i is sequence i, its label the first and last position of the answer in that sequence.
//     {ids 2 10 3 11 12 3, begin 3, end 4}
//     ids 2 10 3 11 12 3                            0:3,4
// choices, any: consecutive sequences share a label; the row is the first of them. With next_tokens every id
//     predicts the next as in a token_stream (Batch::next_rows, next_labels).
//     {ids 2 10 3 | 2 11 3, label 1}, {ids 2 12 3 | 2 13 3, label 0}
//     ids 2 10 3 | 2 11 3 | 2 12 3 | 2 13 3         0:1 2:0     groups 2 2
//
// Token types of examples that have any become Inputs::token_types, 0 for the others.
//
// The start symbol is pad, or bos or eos where a vocabulary lacks it. A token_stream of one id is a sequence
// without a label. Any number of labels may be 0: rows and labels are then empty tensors.
#pragma once

#include <span>
#include <string>

#include "base/vocabulary.h"
#include "core/batch.h"
#include "core/model.h"
#include "core/objective.h"

namespace lmzoo {

// One sentence that says why a form cannot be given to an architecture; empty when it can.
std::string refusal(FormKind form, Architecture architecture);

// All examples have one form, and refusal() is empty for it; else std::logic_error. Batch::samples is left to
// the caller. Thread-safe.
Batch collate(std::span<const Example> examples, Architecture architecture, const Vocabulary& vocabulary);

}  // namespace lmzoo
