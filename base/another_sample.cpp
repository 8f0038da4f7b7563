#include "base/another_sample.h"

#include "base/check.h"

namespace lmzoo {

Sample with_another(Sample sample, const SampleSource& source) {
  check(source.count > 1,
        "the text is one document, but what is learned from it needs others: put blank lines between "
        "documents, or name "
        "more files");
  sample.another = [source, own = sample.ids](Stream& stream) {
    constexpr int kDraws = 10;
    Sample drawn;
    for (int i = 0; i < kDraws && (i == 0 || drawn.ids == own); ++i) {
      drawn = source.at(static_cast<int64_t>(stream.below(static_cast<uint64_t>(source.count))));
    }
    return drawn;
  };
  return sample;
}

}  // namespace lmzoo
