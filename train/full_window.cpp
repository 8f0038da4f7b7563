#include "train/full_window.h"

#include <algorithm>

#include "core/check.h"
#include "core/rng.h"
#include "data/collate.h"

namespace lmzoo {
namespace {

// An id that stands for text. Special ids are few and at the ends of a vocabulary, so a few draws suffice.
int64_t content_id(const Vocabulary& vocabulary, Stream& stream) {
  constexpr int kDraws = 1000;
  for (int i = 0; i < kDraws; ++i) {
    const auto id = static_cast<int64_t>(stream.below(static_cast<uint64_t>(vocabulary.size)));
    if (id != vocabulary.unk && !vocabulary.is_special(id)) {
      return id;
    }
  }
  throw InputError(concat("the vocabulary of ", vocabulary.size, " has next to no ids for text"));
}

}  // namespace

Batch full_windows(const Objective& objective,
                   Architecture architecture,
                   const Vocabulary& vocabulary,
                   int64_t classes,
                   int64_t count,
                   uint64_t seed) {
  std::vector<Example> examples;
  const int64_t raw = std::max<int64_t>(objective.lengths().raw, 1);
  for (int64_t i = 0; i < count; ++i) {
    Stream stream({.seed = seed, .sample = static_cast<uint64_t>(i), .purpose = Purpose::sampling});
    Sample sample;
    for (int64_t j = 0; j < raw; ++j) {
      sample.ids.push_back(content_id(vocabulary, stream));
    }
    sample.label = classes > 0 ? static_cast<int64_t>(stream.below(static_cast<uint64_t>(classes))) : -1;
    examples.push_back(objective.example(sample, stream));
  }
  Batch batch = collate(examples, architecture, vocabulary);
  for (int64_t i = 0; i < count; ++i) {
    batch.samples.push_back(static_cast<uint64_t>(i));
  }
  return batch;
}

}  // namespace lmzoo
