// SpanBERT (Joshi et al. 2020, "SpanBERT: improving pre-training by representing and predicting spans"): whole spans of
// words are hidden, and their pieces are predicted twice, at the masks (masked LM) and from the two states around the
// span alone (span boundary objective, section 3.2).
//
//   text      [CLS] super bowl 50 was an american football game [SEP]
//   ids       [CLS] super bowl 50 was [MASK] [MASK] [MASK] game [SEP]
//   masked    5:an 6:american 7:football
//   boundary  4 and 8 and place 0: an, place 1: american, place 2: football
//
// Spans (section 3.1): lengths in words l ~ Geometric(0.2) cut to 1 ... 10, beginning at the word of a position that
// is drawn uniformly and redrawn if it is hidden already, until ceil(0.15 · n) of the n pieces are hidden; the last
// span is cut there. Spans that touch or overlap are one. 80/10/10 is drawn for a span.
//
// Boundary (equations 1-3): y_i = f(x_{s-1}, x_{e+1}, p_{i-s+1}) with p an embedding of the place in the span,
//
//   h = LayerNorm(GELU(W_1 [x_{s-1}; x_{e+1}; p] + b_1)),  y = LayerNorm(GELU(W_2 h + b_2)),  loss = L_MLM + L_SBO
//
// and the model's own map to the vocabulary. As in the authors' code spans at the ends of the text have no boundary
// loss, nor do places behind the 15th of a span.
//
// Legend: N positions, K boundary targets, D width, P width of places.
#include <algorithm>

#include <ATen/ops/cat.h>

#include "core/drawing_objective.h"
#include "core/registry.h"
#include "nn/embedding.h"
#include "nn/init.h"
#include "nn/norm.h"
#include "nn/parameter.h"
#include "objectives/parts/heads.h"
#include "objectives/parts/losses.h"
#include "objectives/parts/masking.h"
#include "objectives/parts/requirements.h"
#include "objectives/parts/word_spans.h"

namespace lmzoo {
namespace {

struct SpanBertOptions {
  double rate = 0.15;
  double stop_share = 0.2;  // p of the geometric distribution; less: longer spans
  int64_t longest = 10;
  double mask_share = 0.8;
  double random_share = 0.1;
  double boundary_weight = 1;
  int64_t boundary_places = 15;
  int64_t position_width = 200;

  static constexpr void fields(auto& self, auto& visit) {
    visit("rate", self.rate, "share of the tokens that is predicted", inside(0, 1));
    visit("stop_share",
          self.stop_share,
          "probability that a span ends behind a word: p of the geometric distribution",
          Range{0, 1, true, false});
    visit("longest", self.longest, "most words of a span", at_least(1));
    visit("mask_share", self.mask_share, "share of the spans that is replaced by masks", between(0, 1));
    visit("random_share",
          self.random_share,
          "share of the spans that is replaced by random tokens",
          between(0, 1));
    visit("boundary_weight",
          self.boundary_weight,
          "weight of the loss from the states around a span; 0: none",
          at_least(0));
    visit("boundary_places", self.boundary_places, "most tokens of a span that have it", at_least(1));
    visit("position_width", self.position_width, "width of the embedding of a place in a span", at_least(1));
  }
};

// f of equations 1 and 2, but for the map to the vocabulary.
class SpanBoundary : public Module {
 public:
  SpanBoundary(int64_t width, int64_t places, int64_t place_width) {
    constexpr double kStd = 0.02;
    places_ = register_module("places", std::make_shared<Embedding>(places, place_width));
    first_ = register_module("first", new_head_map(2 * width + place_width, width));
    first_norm_ = register_module("first_norm", std::make_shared<Norm>(NormOptions{.width = width}));
    second_ = register_module("second", new_head_map(width, width));
    second_norm_ = register_module("second_norm", std::make_shared<Norm>(NormOptions{.width = width}));
    if (draws_initial_weights()) {
      init::normal(places_->weight, kStd);
      init::identity(*first_norm_);
      init::identity(*second_norm_);
    }
  }

  // States left and right of the spans [K, D] each, and places in them [K] -> [K, D].
  Tensor forward(const Tensor& left, const Tensor& right, const Tensor& place) const {
    const Tensor around = at::cat({left, right, places_->forward(place)}, 1);     // [K, 2D + P]
    return layer(*second_norm_, *second_, layer(*first_norm_, *first_, around));  // [K, D]
  }

 private:
  static Tensor layer(const Norm& norm, const Linear& map, const Tensor& x) {
    const Branch mapped = map.branch(x);
    return norm.forward(activate({.x = mapped.x, .bias = mapped.bias}, Activation::gelu));
  }

  std::shared_ptr<Embedding> places_;
  std::shared_ptr<Linear> first_, second_;
  std::shared_ptr<Norm> first_norm_, second_norm_;
};

class SpanBert final : public DrawingObjective {
 public:
  SpanBert(const SpanBertOptions& options, const ObjectiveContext& context)
      : options_(options),
        length_(context.sequence_length),
        edges_(required_edges(context.vocabulary, "spanbert")),
        cls_(required_token(context.vocabulary.cls, "[CLS]", "spanbert")),
        sep_(required_token(context.vocabulary.sep, "[SEP]", "spanbert")),
        replacement_(
            required_replacement(context.vocabulary, options.mask_share, options.random_share, "spanbert")) {
    require_plain_text(context.record, "spanbert");
    require_length(length_, 3, "spanbert");
    check(context.architecture != Architecture::encoder_decoder,
          "spanbert predicts from the states around a span, but an encoder-decoder writes the whole text; it "
          "needs an encoder-only model");
    replacement_.pool = text_ids(context.vocabulary);
    if (options.boundary_weight > 0) {
      boundary_ = register_module(
          "boundary",
          std::make_shared<SpanBoundary>(context.width, options.boundary_places, options.position_width));
    }
  }

  ObjectiveForm form() const override { return {.layout = Layout::in_place, .needs_both_sides = true}; }
  // A boundary target reads the rows before and behind its span, and its own, of which only the place counts.
  std::vector<Slot> slots() const override { return {{.name = "masked"}, {.name = "boundary", .reads = 3}}; }
  ObjectiveLengths lengths() const override { return {.raw = length_ - 2, .source = length_, .added = 2}; }

  Example example(const Sample& sample, const TrainingPlace&, Stream& stream) const override {
    const Units words = words_of(sample.ids, *edges_);
    const Units spans = draw_word_spans(words, noise(), stream).spans;
    std::vector<int64_t> originals, sizes;
    for (int64_t span = 0; span < spans.count(); ++span) {
      sizes.push_back(std::ssize(spans.at(span)));
    }
    for (const int64_t position : spans.positions) {
      originals.push_back(sample.ids[static_cast<size_t>(position)]);
    }
    const std::vector<int64_t> drawn = draw_replacements(originals, sizes, replacement_, stream);
    MaskedText masked = replace_tokens(sample.ids, spans.positions, drawn);
    for (int64_t& position : masked.positions) {
      ++position;  // behind [CLS]
    }
    Example made =
        in_place(framed_text(cls_, masked.ids, sep_), std::move(masked.positions), std::move(masked.labels));
    made.targets.push_back(boundary_targets(sample.ids, spans));
    return made;
  }

  std::vector<Promise> promises() const override;

  Losses loss(Model& model, const Batch& batch, Stream&) override {
    const SlotBatch& around = batch.slots.at(1);
    if (boundary_ == nullptr || around.count() == 0) {
      return {language_model_loss(model, batch)};
    }
    const Tensor states = model.hidden(batch.inputs);  // [N, D]
    const Tensor left = around.rows.select(1, 0);      // [K]
    const Tensor right = around.rows.select(1, 1);
    const Tensor place = around.rows.select(1, 2) - left - 1;
    Projection logits = model.project(states.narrow(0, 0, 1));  // for its map: the rows are our own
    check(logits.weight.size(1) == states.size(1),
          "spanbert maps states around a span to the embedding: model.embedding_width must be model.width");
    logits.rows = boundary_->forward(states.index_select(0, left), states.index_select(0, right), place);
    const CrossEntropy entropy = linear_cross_entropy(logits, {around.labels, around.weights});
    return {language_model_loss(model, states, batch, 0),
            {.slot = 1,
             .sum = entropy.sum,
             .weight = options_.boundary_weight,
             .metrics = {{"correct", entropy.correct}}}};
  }

 private:
  WordSpanNoise noise() const {
    return {.rate = options_.rate, .stop_share = options_.stop_share, .longest = options_.longest};
  }

  // Positions count from [CLS], so those of the text are one more than in `spans`.
  Target boundary_targets(const std::vector<int64_t>& text, const Units& spans) const {
    Target around{.slot = 1};
    for (int64_t span = 0; boundary_ != nullptr && span < spans.count(); ++span) {
      const std::span<const int64_t> positions = spans.at(span);
      if (positions.front() == 0 || positions.back() + 1 == std::ssize(text)) {
        continue;
      }
      for (const int64_t position : head_of(positions, options_.boundary_places)) {
        around.at.insert(around.at.end(), {positions.front(), positions.back() + 2, position + 1});
        around.labels.push_back(text[static_cast<size_t>(position)]);
      }
    }
    return around;
  }

  SpanBertOptions options_;
  int64_t length_;
  SharedEdges edges_;
  int64_t cls_, sep_;
  Replacement replacement_;
  std::shared_ptr<SpanBoundary> boundary_;  // null without its loss
};

std::vector<int64_t> first_positions(const Units& words) {
  std::vector<int64_t> firsts;
  for (int64_t word = 0; word < words.count(); ++word) {
    firsts.push_back(words.at(word).front());
  }
  return firsts;
}

// Spans grow together and the last is cut, so that their lengths do not show: they are drawn again.
std::vector<Promise> SpanBert::promises() const {
  using View = const MaskedView&;
  const MaskedViewOf view = [cls = cls_, sep = sep_](const SeenExample& seen) {
    return view_of_masked(framed_text(cls, seen.sample.ids, sep), seen.example);
  };
  std::vector<Promise> all = replacement_promises(replacement_, Fate::of_several, view);
  const auto draws_of = [noise = noise(), edges = edges_](const SeenExample& seen) {
    Stream again = seen.stream;
    return draw_word_spans(words_of(seen.sample.ids, *edges), noise, again);
  };
  all.push_back(promise_of_view<Mean>("tokens that are predicted",
                                      {},
                                      view,
                                      [noise = noise()](const SeenExample& seen, View text, Mean& share) {
                                        const auto length = std::ssize(seen.sample.ids);
                                        share.add(static_cast<double>(text.positions.size()),
                                                  static_cast<double>(word_span_budget(length, noise)),
                                                  0,
                                                  length);
                                      }));
  all.push_back(promise_of_view<Always>(
      "spans are those drawn, from the beginning of a word",
      {},
      view,
      [draws_of, edges = edges_](const SeenExample& seen, View text, Always& cases) {
        std::vector<int64_t> hidden = draws_of(seen).spans.positions;
        std::ranges::transform(hidden, hidden.begin(), [](int64_t position) { return position + 1; });
        const std::vector<int64_t> firsts = first_positions(words_of(seen.sample.ids, *edges));
        bool all_begin = hidden == text.positions;
        for (size_t i = 0; all_begin && i < text.positions.size(); ++i) {
          all_begin = !text.begins_run(i) || std::ranges::binary_search(firsts, text.positions[i] - 1);
        }
        cases.add(all_begin);
      }));
  all.push_back(promise<Spread>("words of a span",
                                Spread(word_span_shares(noise())),
                                [draws_of](const SeenExample& seen, Spread& lengths) {
                                  for (const DrawnWordSpan& drawn : draws_of(seen).draws) {
                                    lengths.add(drawn.words - 1);
                                  }
                                }));
  all.push_back(promise<Evenly>(
      "where a span begins, in tokens", {}, [draws_of](const SeenExample& seen, Evenly& even) {
        for (const DrawnWordSpan& drawn : draws_of(seen).draws) {
          even.add_of(drawn.anchor, std::ssize(seen.sample.ids));
        }
      }));
  return all;
}

}  // namespace

void register_spanbert(Registry& registry) {
  registry.add(ObjectiveKind{
      .name = "spanbert",
      .summary = "predict hidden spans of words, at the masks and from the states around them",
      .defaults = AnyOptions(SpanBertOptions{}),
      .make = [](const AnyOptions& options, const ObjectiveContext& context) -> std::shared_ptr<Objective> {
        return std::make_shared<SpanBert>(options.as<SpanBertOptions>(), context);
      }});
}

}  // namespace lmzoo
