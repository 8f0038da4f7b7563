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

class Bart final : public Objective {
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
    CorruptedText text = restore(corrupted(sample.ids, stream), sample.ids, eos_);
    return source_target(std::move(text.source), std::move(text.target));
  }

  Losses loss(Model& model, const Batch& batch, Stream&) override {
    return {language_model_loss(model, batch)};
  }

 private:
  // The most that a text of so many ids becomes.
  SpanLengths bounds(int64_t raw) const {
    return {.raw = raw, .source = raw + share_of(options_.insert, raw) + 1, .target = raw + 1};
  }

  std::vector<int64_t> corrupted(const std::vector<int64_t>& text, Stream& stream) const {
    std::vector<int64_t> ids = text;
    if (shares_.permute_sentences > 0) {
      const std::vector<int64_t> ends = sentence_ends(ids, full_stops_);
      ids = reorder(ids, ends, draw_order(std::ssize(ends), shares_.permute_sentences, stream));
    }
    if (options_.delete_tokens > 0) {
      const int64_t count = share_of(options_.delete_tokens, std::ssize(ids));
      ids = erase_at(ids, draw_positions(std::ssize(ids), count, stream));
    }
    if (shares_.mask > 0) {
      ids = masked(ids, stream);
    }
    if (options_.insert > 0) {
      ids = with_masks(ids, share_of(options_.insert, std::ssize(ids)), stream);
    }
    if (shares_.rotate > 0 && stream.uniform() < shares_.rotate && !ids.empty()) {
      std::ranges::rotate(ids, ids.begin() + static_cast<int64_t>(stream.below(ids.size())));
    }
    return ids;
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

  std::vector<int64_t> masked(const std::vector<int64_t>& ids, Stream& stream) const {
    const std::vector<uint8_t> begins = begins_of_words(ids);
    std::vector<int64_t> starts;
    for (int64_t i = 0; i < std::ssize(ids); ++i) {
      if (begins[static_cast<size_t>(i)] != 0) {
        starts.push_back(i);
      }
    }
    std::vector<int64_t> words =
        lengths_of_spans_.draw_until(share_of(shares_.mask, std::ssize(starts)), stream);
    const auto inserted = std::erase(words, 0);
    stream.shuffle(std::span(starts));
    std::vector<InfilledSpan> spans;
    for (size_t i = 0; i < words.size(); ++i) {
      spans.push_back({.start = starts[i], .words = words[i], .filler = filler(stream)});
    }
    const std::vector<int64_t> infilled = infill_spans(ids, begins, spans);
    const int64_t room = std::max<int64_t>(lengths_.raw - std::ssize(infilled), 0);
    return with_masks(infilled, std::min<int64_t>(static_cast<int64_t>(inserted), room), stream);
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
