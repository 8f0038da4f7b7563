// Answers as parts of a passage: bytes to positions for training, logits of positions to bytes for
// predicting. As transformers' run_qa example does both.
//
// Legend: L positions of a piece.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "core/batch.h"
#include "core/predictions.h"

namespace lmzoo {

// The part of a passage that one sequence reads: ids [first, first + count) stand at positions
// [offset, offset + count).
struct PassagePiece {
  std::shared_ptr<const Passage> passage{};
  int64_t first = 0, offset = 0, count = 0;
};

// The first and last id of `answer` among the passage's ids [first, first + count); absent when these do not
// hold all of it.
std::optional<std::pair<int64_t, int64_t>> ids_of_answer(const Passage& passage,
                                                         const ByteSpan& answer,
                                                         int64_t first,
                                                         int64_t count);

struct AnswerRules {
  int64_t candidates = 20;    // n-best
  int64_t longest = 30;       // ids of an answer
  bool no_answer = false;     // whether "none" is an answer
  double null_threshold = 0;  // none is chosen when its score exceeds the best answer's by more
};

// What one sequence says: logits [L] of being the first and the last position of the answer. Position 0
// stands for no answer.
struct PieceLogits {
  std::vector<double> begin, end;
};

// The best answers of a passage that was read in these pieces.
PassageAnswer best_answers(std::span<const PassagePiece> pieces,
                           std::span<const PieceLogits> logits,
                           const AnswerRules& rules);

}  // namespace lmzoo
