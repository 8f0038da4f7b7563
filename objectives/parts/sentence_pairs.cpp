#include "objectives/parts/sentence_pairs.h"

#include "base/check.h"

namespace lmzoo {

SentenceText::SentenceText(const Sample& sample, std::string_view user) : sample_(sample) {
  check(!sample.sentence_starts.empty(),
        "{} needs documents that are known as sentences: set `sentences` of each text, as of data.train",
        user);
}

int64_t SentenceText::start(int64_t sentence) const {
  return sentence < count() ? sample_.sentence_starts[static_cast<size_t>(sentence)]
                            : std::ssize(sample_.ids);
}

std::span<const int64_t> SentenceText::ids(int64_t first, int64_t end) const {
  return std::span(sample_.ids)
      .subspan(static_cast<size_t>(start(first)), static_cast<size_t>(start(end) - start(first)));
}

int64_t SentenceText::end_of(int64_t first, int64_t target) const {
  int64_t end = first + 1;
  while (end < count() && start(end) - start(first) < target) {
    ++end;
  }
  return end;
}

SegmentPair cut_pair(std::span<const int64_t> first,
                     std::span<const int64_t> second,
                     int64_t room,
                     Stream& stream) {
  while (std::ssize(first) + std::ssize(second) > room) {
    std::span<const int64_t>& longer = first.size() > second.size() ? first : second;
    longer = stream.uniform() < 0.5 ? longer.subspan(1) : longer.first(longer.size() - 1);
  }
  return {.first = {first.begin(), first.end()}, .second = {second.begin(), second.end()}};
}

}  // namespace lmzoo
