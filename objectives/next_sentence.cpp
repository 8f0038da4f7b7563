// Next-sentence prediction beside masked LM (Devlin et al. 2019, "BERT", section 3.1, task 2): whether the second segment
// follows the first, or is a piece of another document.
//
//   document a b | c | d e, another x y | z       label
//   [CLS] a b c [SEP] d e [SEP]                   0: is next
//   [CLS] a b [SEP] x y [SEP]                     1: is not; c and d e are read again as the next chunk
//
// As in create_pretraining_data.py the piece begins with any sentence of the other document and has at least as many ids
// as the first segment leaves of the length that the pair shall have; a chunk of one sentence always gets such a piece.
// Labels are transformers' next_sentence_label. Pairs, cuts and lengths: objectives/parts/sentence_pairs.h.
#include "base/check.h"
#include "objectives/parts/sentence_objective.h"

namespace lmzoo {
namespace {

class NextSentence final : public SentenceObjective {
 public:
  NextSentence(const SentenceOptions& options, const ObjectiveContext& context)
      : SentenceObjective(options, context, "next_sentence") {}

  ObjectiveForm form() const override {
    return {.layout = Layout::in_place, .needs_both_sides = true, .needs_another = true};
  }

 protected:
  Taken take(const Sample& sample, const Chunk& chunk, Stream& stream) const override {
    const SentenceText text = sentences(sample);
    const bool is_one = chunk.end - chunk.first == 1;
    const int64_t split = is_one ? chunk.end : draw_split(chunk, stream);
    const std::span<const int64_t> first = text.ids(chunk.first, split);
    if (!is_one && !draw_negative(stream)) {
      Taken next{.pair = cut_pair(first, text.ids(split, chunk.end), room(), stream), .next = chunk.end};
      next.pair.label = 0;
      return next;
    }
    const Sample another = sample.another(stream);
    const SentenceText other = sentences(another);
    const auto begin = static_cast<int64_t>(stream.below(other.count()));
    const int64_t end = other.end_of(begin, chunk.target - std::ssize(first));
    Taken random{.pair = cut_pair(first, other.ids(begin, end), room(), stream), .next = split};
    random.pair.label = 1;
    return random;
  }
};

}  // namespace

void register_next_sentence(Registry& registry) {
  registry.add(sentence_objective_kind<NextSentence>(
      "next_sentence", "predict hidden tokens of two segments, and whether the second follows the first"));
}

}  // namespace lmzoo
