// What users should know of a text: what was left out, replaced or cut on the way to what is learned from. `plan` and
// `train` print it, and it stands in metrics.jsonl.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/objective.h"
#include "data/batches/mixture.h"
#include "data/store/token_store.h"
#include "text/source.h"
#include "train/loop/metrics.h"

namespace lmzoo {

// So many of the first ones that were looked at.
struct Share {
  int64_t count = 0;
  int64_t among = 0;
  bool all = true;  // there are no others
};

struct TextNotes {
  std::string name;  // train, valid, test, data
  ReadNotes read{};
  bool read_to_the_end = true;
  Quotes quotes = Quotes::none;
  int64_t tokens = 0;      // 0: not encoded yet
  Share cut{};             // texts that are longer than their window
  Share without_labels{};  // samples in which the objective finds nothing to predict
};

// Of a text that is not encoded yet.
TextNotes text_notes(const std::string& name, const TextOptions& text, const TextCounts& counts);
// Of one that is.
TextNotes text_notes(const std::string& name, const TextOptions& text, const Windows& windows);

// Adds what becomes of samples: the first records of a text, or the first windows.
void look_at_samples(TextNotes& notes, const Objective& objective, std::span<const Sample> first, bool all);
void look_at_samples(TextNotes& notes,
                     const Objective& objective,
                     const MixedWindows& windows);  // of one text

// A sentence for each that is not 0.
std::vector<std::string> to_lines(const TextNotes& notes);
TextRow to_row(const TextNotes& notes);

// A file that is named twice, or that is trained on and evaluated, too.
std::vector<std::string> repetitions(const std::string& name, const TextOptions& text);
std::vector<std::string> overlaps(const TextOptions& train,
                                  const std::string& name,
                                  const TextOptions& other);

}  // namespace lmzoo
