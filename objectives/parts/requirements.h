// What an objective needs of a run, refused at plan time in words that are the same for all.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/check.h"
#include "base/sample.h"
#include "base/vocabulary.h"

namespace lmzoo {

inline void require_length(int64_t sequence_length, int64_t shortest, std::string_view objective) {
  check(sequence_length >= shortest,
        "data.sequence_length is {} but {} needs at least {}",
        sequence_length,
        objective,
        shortest);
}

// A column that the objective learns from. Of a published model, which came without data, nothing is asked.
inline void require_column(const RecordShape& record,
                           bool RecordShape::*column,
                           std::string_view name,
                           std::string_view objective) {
  check(record.texts == 0 || record.*column,
        "{} needs data with a column of its answers: set data.train.{} (of jsonl or tsv files)",
        objective,
        name);
}

// Objectives that learn from text alone would not look at other columns.
inline void require_plain_text(const RecordShape& record, std::string_view objective) {
  const bool plain = record.texts <= 1 && record.choices == 0 && !record.labels && !record.tags &&
                     !record.value && !record.answer && !record.target && !record.sentences;
  check(plain,
        "{} reads one text and neither other columns nor sentences, but data.train names more",
        objective);
}

inline void require_sentences(const RecordShape& record, std::string_view objective) {
  check(record.texts == 0 || record.sentences,
        "{} learns from sentences: set data.train.sentences to lines, of files with a sentence a line and a "
        "blank line "
        "between documents (format paragraphs) or of jsonl",
        objective);
}

}  // namespace lmzoo
