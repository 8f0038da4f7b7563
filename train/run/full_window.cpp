#include "train/run/full_window.h"

#include <algorithm>
#include <memory>

#include "base/check.h"
#include "base/rng.h"
#include "data/batches/collate.h"

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
  throw InputError(fmt::format("the vocabulary of {} has next to no ids for text", vocabulary.size));
}

class Maker {
 public:
  Maker(const Vocabulary& vocabulary, const SampleShape& shape, Stream& stream)
      : vocabulary_(vocabulary), shape_(shape), stream_(stream) {}

  // Every text is as long as all may be together: the objective cuts them to a full window.
  Sample sample(int64_t raw, int64_t target) {
    const RecordShape& record = shape_.record;
    const bool is_joined = record.target && target == 0;  // text and target share the window
    Sample sample{.ids = text(is_joined ? (raw + 1) / 2 : raw)};
    sample.label = below(record.choices > 0 ? record.choices : shape_.classes);
    // A published model comes without data: a question has a passage all the same.
    const int64_t texts = record.answer ? std::max<int64_t>(record.texts, 2) : record.texts;
    for (int64_t i = 1; i < texts; ++i) {
      sample.further_texts.push_back(text(raw));
    }
    for (int64_t i = 0; i < record.choices; ++i) {
      sample.choices.push_back(text(raw));
    }
    if (record.target) {
      sample.target = text(is_joined ? raw / 2 : target);
    }
    sample.value = 0;
    sample.sentence_starts = {0};  // halves of the text
    if (sample.ids.size() > 1) {
      sample.sentence_starts.push_back(std::ssize(sample.ids) / 2);
    }
    if (record.labels && shape_.classes > 0) {
      sample.label_set = {below(shape_.classes)};
    }
    if (record.tags) {
      for (int64_t i = 0; i < raw; ++i) {
        sample.word_starts.push_back(i);
        sample.tags.push_back(below(shape_.classes));
      }
    }
    if (record.answer) {
      sample.passage = passage(raw);
    }
    return sample;
  }

 private:
  std::vector<int64_t> text(int64_t length) {
    std::vector<int64_t> ids;
    for (int64_t i = 0; i < length; ++i) {
      ids.push_back(content_id(vocabulary_, stream_));
    }
    return ids;
  }
  int64_t below(int64_t count) {
    return count > 0 ? static_cast<int64_t>(stream_.below(static_cast<uint64_t>(count))) : -1;
  }
  static std::shared_ptr<const Passage> passage(int64_t length) {
    auto made = std::make_shared<Passage>();
    made->text.assign(static_cast<size_t>(length), 'x');
    for (int64_t i = 0; i < length; ++i) {
      made->ids.push_back({i, i + 1});
    }
    made->answers = {{0, 1}};
    return made;
  }

  const Vocabulary& vocabulary_;
  const SampleShape& shape_;
  Stream& stream_;
};

}  // namespace

Batch full_windows(const Objective& objective,
                   Architecture architecture,
                   const Vocabulary& vocabulary,
                   const SampleShape& shape,
                   int64_t count,
                   uint64_t seed) {
  std::vector<Example> examples;
  const int64_t raw = std::max<int64_t>(objective.lengths().raw, 1);
  for (int64_t i = 0; i < count; ++i) {
    Stream stream({.seed = seed, .sample = static_cast<uint64_t>(i), .purpose = Purpose::sampling});
    Maker maker(vocabulary, shape, stream);
    Sample sample = maker.sample(raw, objective.lengths().target);
    sample.corpus = 0;  // not a query: a mixture draws one of its objectives
    if (objective.form().needs_another) {
      sample.another = [other = maker.sample(raw, 0)](Stream&) { return other; };
    }
    examples.push_back(objective.example(sample, {}, stream));
  }
  Batch batch = collate(examples, {architecture, vocabulary, objective.slots()});
  for (int64_t i = 0; i < count; ++i) {
    batch.samples.push_back(static_cast<uint64_t>(i));
  }
  return batch;
}

}  // namespace lmzoo
