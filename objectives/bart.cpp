// A text restored from its ruins: sentences in another order, spans of words behind one mask each, and masks where nothing
// was (Lewis et al., "BART", 2019, section 2.2). The noises, with ids, are in objectives/parts/bart_noise.h. With [MASK] 4
// and eos 1:
//
//   text      11 12 13 9 14 15 9
//   source    14 4 4 11 4 9 1
//   target    11 12 13 9 14 15 9 1
//
// In this order: sentences change places, tokens are deleted, spans are masked (their lengths Poisson, in words, until a
// share of the words is covered; spans that overlap become one), masks and random ids are inserted, and the text is
// rotated. Dialects are two sets of shares:
//   recipe    those of the published model: permute_sentences 1, mask 0.3, mask_random 0.1
//   fairseq   what fairseq's task denoising does when nothing is said: rotate 0.5 alone
//
// Beside fairseq: what stands behind the last full stop is a sentence however short it is; a random id is any of the
// vocabulary. There is no begin symbol: source and target end in eos, as those of all objectives here that write.
//
// A full window has data.sequence_length - 1 ids; a mask that would make it longer is not inserted.
#include <algorithm>
#include <numeric>

#include "core/drawing_objective.h"
#include "core/registry.h"
#include "objectives/parts/bart_noise.h"
#include "objectives/parts/denoiser.h"
#include "objectives/parts/losses.h"
#include "objectives/parts/requirements.h"
#include "objectives/parts/words.h"

namespace lmzoo {
namespace {

enum class BartDialect { recipe, fairseq };

struct BartShares {
  double permute_sentences, mask, mask_random, rotate;
};
constexpr BartShares kRecipe{.permute_sentences = 1, .mask = 0.3, .mask_random = 0.1, .rotate = 0};
constexpr BartShares kFairseq{.permute_sentences = 0, .mask = 0, .mask_random = 0, .rotate = 0.5};

struct BartOptions {
  BartDialect dialect = BartDialect::recipe;
  std::optional<double> permute_sentences{}, mask{}, mask_random{}, rotate{};
  double insert = 0;
  double delete_tokens = 0;
  double mean_length = 3;  // words; Poisson's lambda
  bool whole_words = true;
  std::vector<std::string> full_stops{"."};

  static constexpr void fields(auto& self, auto& visit) {
    visit("dialect",
          self.dialect,
          "the shares that are not set: of the published recipe, or fairseq's defaults");
    visit("permute_sentences",
          self.permute_sentences,
          "share of the sentences that change places",
          between(0, 1));
    visit("mask", self.mask, "share of the words that spans cover, each behind one mask", between(0, 1));
    visit("mask_random", self.mask_random, "share of masks that are a random token instead", between(0, 1));
    visit("rotate", self.rotate, "share of the texts that begin at any of their tokens", between(0, 1));
    visit("insert", self.insert, "masks that are inserted, as a share of the tokens", between(0, 1));
    visit("delete_tokens",
          self.delete_tokens,
          "share of the tokens that is left out without a mask",
          half_open(0, 1));
    visit("mean_length", self.mean_length, "mean length of a span in words", between(0.1, 64));
    visit("whole_words", self.whole_words, "whether lengths count words; false: tokens");
    visit("full_stops", self.full_stops, "names of the tokens that end a sentence");
  }

  BartShares shares() const {
    const BartShares& usual = dialect == BartDialect::recipe ? kRecipe : kFairseq;
    return {.permute_sentences = permute_sentences.value_or(usual.permute_sentences),
            .mask = mask.value_or(usual.mask),
            .mask_random = mask_random.value_or(usual.mask_random),
            .rotate = rotate.value_or(usual.rotate)};
  }
};

}  // namespace

template <>
struct EnumNames<BartDialect> {
  static constexpr std::pair<BartDialect, std::string_view> values[] = {{BartDialect::recipe, "recipe"},
                                                                        {BartDialect::fairseq, "fairseq"}};
};

namespace {

// A text that noise went over, and what was drawn for it.
struct Ruin {
  std::vector<int64_t> ids;
  std::vector<int64_t> order{};    // of the sentences
  std::vector<int64_t> starts{};   // where a span may begin, ascending
  std::vector<int64_t> lengths{};  // of spans in words, in the order of the draws
  std::vector<InfilledSpan> spans{};
  std::optional<int64_t> first{};  // of a text that was rotated
};

// A plan whose tokenizer is not trained knows none yet.
std::vector<int64_t> full_stops_of(const std::vector<std::string>& names, const Vocabulary& vocabulary) {
  std::vector<int64_t> ids;
  if (!vocabulary.ask.id_of_piece) {
    return ids;
  }
  for (const std::string& name : names) {
    const std::optional<int64_t> id = vocabulary.ask.id_of_piece(name);
    check(id && id != vocabulary.unk,
          "bart needs the tokens that end sentences, but the tokenizer has no token '{}'; name others in "
          "full_stops, or "
          "set permute_sentences: 0",
          name);
    ids.push_back(*id);
  }
  return ids;
}

class Bart final : public DrawingObjective {
 public:
  Bart(const BartOptions& options, const ObjectiveContext& context)
      : options_(options),
        shares_(options.shares()),
        lengths_of_spans_(options.mean_length),
        vocabulary_size_(context.vocabulary.size),
        eos_(required_token(context.vocabulary.eos, "eos", "bart")) {
    require_plain_text(context.record, "bart");
    if (shares_.mask > 0 || options.insert > 0) {
      mask_ = required_token(context.vocabulary.mask, "[MASK]", "bart");
    }
    if (shares_.permute_sentences > 0) {
      full_stops_ = full_stops_of(options.full_stops, context.vocabulary);
    }
    if (shares_.mask > 0 && options.whole_words) {
      edges_ = required_edges(context.vocabulary, "bart with whole_words");
    }
    const bool joined = context.architecture == Architecture::decoder_only;
    const SpanLengths shortest = bounds(2);
    require_length(context.sequence_length,
                   joined ? shortest.source + shortest.target : shortest.source,
                   joined ? "bart of a decoder-only model" : "bart");
    lengths_ =
        longest_that_fits(context.sequence_length, joined, [this](int64_t raw) { return bounds(raw); });
  }

  ObjectiveForm form() const override { return {.layout = Layout::source_target}; }
  ObjectiveLengths lengths() const override {
    return {.raw = lengths_.raw, .source = lengths_.source, .target = lengths_.target};
  }

  Example example(const Sample& sample, const TrainingPlace&, Stream& stream) const override {
    CorruptedText text = restore(ruined(sample.ids, stream).ids, sample.ids, eos_);
    return source_target(std::move(text.source), std::move(text.target));
  }

  std::vector<Promise> promises() const override;

  Losses loss(Model& model, const Batch& batch, Stream&) override {
    return {language_model_loss(model, batch)};
  }

 private:
  // The most that a text of so many ids becomes.
  SpanLengths bounds(int64_t raw) const {
    return {.raw = raw, .source = raw + share_of(options_.insert, raw) + 1, .target = raw + 1};
  }

  Ruin ruined(const std::vector<int64_t>& text, Stream& stream) const {
    Ruin ruin{.ids = text};
    std::vector<int64_t>& ids = ruin.ids;
    if (shares_.permute_sentences > 0) {
      const std::vector<int64_t> ends = sentence_ends(ids, full_stops_);
      ruin.order = draw_order(std::ssize(ends), shares_.permute_sentences, stream);
      ids = reorder(ids, ends, ruin.order);
    }
    if (options_.delete_tokens > 0) {
      const int64_t count = share_of(options_.delete_tokens, std::ssize(ids));
      ids = erase_at(ids, draw_positions(std::ssize(ids), count, stream));
    }
    if (shares_.mask > 0) {
      mask(ruin, stream);
    }
    if (options_.insert > 0) {
      ids = with_masks(ids, share_of(options_.insert, std::ssize(ids)), stream);
    }
    if (shares_.rotate > 0 && stream.uniform() < shares_.rotate && !ids.empty()) {
      ruin.first = static_cast<int64_t>(stream.below(ids.size()));
      std::ranges::rotate(ids, ids.begin() + *ruin.first);
    }
    return ruin;
  }

  std::vector<uint8_t> begins_of_words(const std::vector<int64_t>& ids) const {
    if (edges_ == nullptr) {
      return std::vector<uint8_t>(ids.size(), 1);
    }
    std::vector<uint8_t> begins(ids.size(), 0);
    const Units words = words_of(ids, *edges_);
    for (int64_t word = 0; word < words.count(); ++word) {
      begins[static_cast<size_t>(words.at(word).front())] = 1;
    }
    return begins;
  }

  void mask(Ruin& ruin, Stream& stream) const {
    const std::vector<uint8_t> begins = begins_of_words(ruin.ids);
    for (int64_t i = 0; i < std::ssize(begins); ++i) {
      if (begins[static_cast<size_t>(i)] != 0) {
        ruin.starts.push_back(i);
      }
    }
    ruin.lengths = lengths_of_spans_.draw_until(share_of(shares_.mask, std::ssize(ruin.starts)), stream);
    std::vector<int64_t> words = ruin.lengths;
    const auto inserted = std::erase(words, 0);
    std::vector<int64_t> starts = ruin.starts;
    stream.shuffle(std::span(starts));
    for (size_t i = 0; i < words.size(); ++i) {
      ruin.spans.push_back({.start = starts[i], .words = words[i], .filler = filler(stream)});
    }
    const std::vector<int64_t> infilled = infill_spans(ruin.ids, begins, ruin.spans);
    const int64_t room = std::max<int64_t>(lengths_.raw - std::ssize(infilled), 0);
    ruin.ids = with_masks(infilled, std::min<int64_t>(static_cast<int64_t>(inserted), room), stream);
  }

  int64_t filler(Stream& stream) const {
    const bool is_random = stream.uniform() < shares_.mask_random;
    return is_random ? static_cast<int64_t>(stream.below(vocabulary_size_)) : mask_;
  }

  // `count` masks anywhere, of which a share, rounded up, are random ids.
  std::vector<int64_t> with_masks(const std::vector<int64_t>& ids, int64_t count, Stream& stream) const {
    std::vector<int64_t> fillers(static_cast<size_t>(count), mask_);
    for (const int64_t i : draw_positions(count, share_of(shares_.mask_random, count), stream)) {
      fillers[static_cast<size_t>(i)] = static_cast<int64_t>(stream.below(vocabulary_size_));
    }
    return insert_at(ids, draw_positions(std::ssize(ids) + count, count, stream), fillers);
  }

  BartOptions options_;
  BartShares shares_;
  PoissonLengths lengths_of_spans_;
  int64_t vocabulary_size_, eos_;
  int64_t mask_ = 0;
  std::vector<int64_t> full_stops_;
  SharedEdges edges_;  // null: every id is a word
  SpanLengths lengths_;
};

// The first sentence of the new order. Of c sentences m change places among themselves, so that it is the first one again
// with probability 1 - m/c + 1/c, and any other with the same.
void add_first_sentence(Evenly& even, std::span<const int64_t> order, double share) {
  const auto count = static_cast<double>(order.size());
  const auto moved = static_cast<double>(share_of(share, std::ssize(order)));
  const double again = 1 - moved / count + 1 / count;
  if (order.size() > 1 && moved > 1) {
    const double each = (1 - again) / (count - 1);
    const auto first = static_cast<double>(order.front());
    order.front() == 0 ? even.add(0, again) : even.add(again + (first - 1) * each, each);
  }
}

// Poisson but for the last one, which takes what is left of the budget.
void add_span_lengths(Evenly& even, std::span<const int64_t> lengths, const PoissonLengths& law) {
  int64_t left = std::accumulate(lengths.begin(), lengths.end(), int64_t{0});
  for (const int64_t length : lengths) {
    const double below = law.shorter_than(length);
    even.add(below, (length == left ? 1 : law.shorter_than(length + 1)) - below);
    left -= length;
  }
}

// Spans grow together and sentences change places, so that the draws do not show in the source: they are drawn again.
std::vector<Promise> Bart::promises() const {
  const auto ruin_of = [this](const SeenExample& seen) {
    Stream again = seen.stream;
    return ruined(seen.sample.ids, again);
  };
  std::vector<Promise> all{
      always("the source is what the draws make, the target is the text", [=, this](const SeenExample& seen) {
        const CorruptedText made = restore(ruin_of(seen).ids, seen.sample.ids, eos_);
        return made.source == seen.example.sequences.at(0).ids &&
               made.target == seen.example.sequences.at(1).ids;
      })};
  if (shares_.permute_sentences > 0) {
    all.push_back(
        promise<Evenly>("the first sentence among all", {}, [=, this](const SeenExample& seen, Evenly& even) {
          add_first_sentence(even, ruin_of(seen).order, shares_.permute_sentences);
        }));
  }
  if (shares_.mask > 0) {
    all.push_back(
        promise<Evenly>("lengths of spans (Poisson)", {}, [=, this](const SeenExample& seen, Evenly& even) {
          add_span_lengths(even, ruin_of(seen).lengths, lengths_of_spans_);
        }));
    all.push_back(
        promise<Evenly>("where spans begin, in words", {}, [=, this](const SeenExample& seen, Evenly& even) {
          const Ruin ruin = ruin_of(seen);
          for (const InfilledSpan& span : ruin.spans) {
            even.add_of(std::ranges::lower_bound(ruin.starts, span.start) - ruin.starts.begin(),
                        std::ssize(ruin.starts));
          }
        }));
    all.push_back(promise<Mean>(
        "spans that become a random token", {}, [=, this](const SeenExample& seen, Mean& share) {
          const double other = 1 - 1 / static_cast<double>(vocabulary_size_);
          for (const InfilledSpan& span : ruin_of(seen).spans) {
            share.add_case(span.filler != mask_, shares_.mask_random * other);
          }
        }));
  }
  if (shares_.rotate > 0) {
    all.push_back(
        promise<Mean>("texts that are rotated", {}, [=, this](const SeenExample& seen, Mean& share) {
          share.add_case(ruin_of(seen).first.has_value(), shares_.rotate);
        }));
    all.push_back(promise<Evenly>("where they begin", {}, [=, this](const SeenExample& seen, Evenly& even) {
      const Ruin ruin = ruin_of(seen);
      if (ruin.first) {
        even.add_of(*ruin.first, std::ssize(ruin.ids));
      }
    }));
  }
  return all;
}

}  // namespace

void register_bart(Registry& registry) {
  registry.add(ObjectiveKind{
      .name = "bart",
      .summary = "restore a text whose sentences were permuted and whose words were masked",
      .defaults = AnyOptions(BartOptions{}),
      .make = [](const AnyOptions& options, const ObjectiveContext& context) -> std::shared_ptr<Objective> {
        return std::make_shared<Bart>(options.as<BartOptions>(), context);
      }});
}

}  // namespace lmzoo
