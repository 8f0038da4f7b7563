// Sentence-order prediction beside masked LM (Lan et al. 2020, "ALBERT", section 3.1): whether two segments of one document,
// which follow each other, have changed places.
//
//   document a b | c | d e                  label
//   [CLS] a b [SEP] c d e [SEP]             0: in order
//   [CLS] c d e [SEP] a b [SEP]             1: changed
//   [CLS] a b c d e [SEP]                   of one sentence: there is no order to ask for
//
// ALBERT's own code gives a chunk of one sentence a piece of another document and calls that changed, which the paper does
// not: here it is masked and no more. Labels are transformers' sentence_order_label. Pairs, cuts and lengths:
// objectives/parts/sentence_pairs.h.
#include "objectives/parts/sentence_objective.h"

namespace lmzoo {
namespace {

class SentenceOrder final : public SentenceObjective {
 public:
  SentenceOrder(const SentenceOptions& options, const ObjectiveContext& context)
      : SentenceObjective(options, context, "sentence_order") {}

  ObjectiveForm form() const override { return {.layout = Layout::in_place, .needs_both_sides = true}; }

 protected:
  Taken take(const Sample& sample, const Chunk& chunk, Stream& stream) const override {
    const SentenceText text = sentences(sample);
    if (chunk.end - chunk.first == 1) {
      return {.pair = cut_pair(text.ids(chunk.first, chunk.end), {}, room(), stream), .next = chunk.end};
    }
    const int64_t split = draw_split(chunk, stream);
    std::span<const int64_t> first = text.ids(chunk.first, split), second = text.ids(split, chunk.end);
    const bool is_swapped = draw_negative(stream);
    if (is_swapped) {
      std::swap(first, second);
    }
    Taken taken{.pair = cut_pair(first, second, room(), stream), .next = chunk.end};
    taken.pair.label = is_swapped ? 1 : 0;
    return taken;
  }
};

}  // namespace

void register_sentence_order(Registry& registry) {
  registry.add(sentence_objective_kind<SentenceOrder>(
      "sentence_order", "predict hidden tokens of two segments, and whether they have changed places"));
}

}  // namespace lmzoo
