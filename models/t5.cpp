// T5 (Raffel et al. 2020) and its version 1.1 (Shazeer 2020): an encoder and a decoder of pre-norm blocks
// without biases, RMS norms, unscaled attention and relative positions that every layer of a stack shares.
//
// Legend: N source positions, M target positions of all sequences, K wanted rows, D width, H heads,
//         Dh head width, V vocabulary.
#include <algorithm>
#include <cmath>
#include <iterator>
#include <stdexcept>

#include "base/check.h"
#include "core/registry.h"
#include "nn/block.h"
#include "nn/cost.h"
#include "nn/embedding.h"
#include "nn/init.h"
#include "nn/parameter.h"
#include "nn/positions.h"

namespace lmzoo {
namespace {

struct T5Options {
  int64_t layers = 4;
  std::optional<int64_t> decoder_layers{};
  int64_t width = 256;
  int64_t heads = 4;
  std::optional<int64_t> head_width{};
  std::optional<int64_t> ffn_width{};
  FeedForwardKind activation = FeedForwardKind::relu;
  double norm_eps = 1e-6;
  int64_t buckets = 32;
  int64_t max_distance = 128;
  std::optional<int64_t> vocab_size{};
  bool tie_embeddings = true;
  bool lm_head = true;
  double attention_scale = 1;
  std::optional<double> output_scale{};
  double embedding_std = 1;
  double dropout = 0.1;

  static constexpr void fields(auto& self, auto& visit) {
    visit("layers", self.layers, "blocks of the encoder, and of the decoder", between(1, 1000));
    visit(
        "decoder_layers", self.decoder_layers, "blocks of the decoder; absent: as layers", between(1, 1000));
    visit("width", self.width, "D: numbers that stand for a position", at_least(1));
    visit("heads", self.heads, "attention heads", at_least(1));
    visit("head_width", self.head_width, "width of a head; absent: width / heads", at_least(1));
    visit("ffn_width", self.ffn_width, "inner width of the feed-forward; absent: 4 · width", at_least(1));
    visit("activation", self.activation, "of the feed-forward network: relu, version 1.1: geglu_tanh");
    visit("norm_eps", self.norm_eps, "added to the mean square", more_than(0));
    visit("buckets", self.buckets, "of relative positions", at_least(4));
    visit("max_distance", self.max_distance, "from here on all distances share a bucket", at_least(2));
    visit("vocab_size", self.vocab_size, "rows of the embedding; absent: the tokenizer's size", at_least(1));
    visit("tie_embeddings",
          self.tie_embeddings,
          "output projection is the embedding, states scaled by 1/sqrt(D)");
    visit("lm_head", self.lm_head, "false: without an output projection, as a published body has none");
    visit("attention_scale",
          self.attention_scale,
          "of query · key; the initial queries are the smaller for it",
          more_than(0));
    visit("output_scale",
          self.output_scale,
          "of the states before the output projection; absent: 1/sqrt(D) with tied embeddings, else 1",
          more_than(0));
    // Adam's steps do not grow with a weight, so rows of unit size hardly turn in a short run
    visit("embedding_std", self.embedding_std, "standard deviation of the initial embedding", more_than(0));
    visit("dropout",
          self.dropout,
          "of embeddings, attention, activations and what each sublayer adds",
          half_open(0, 1));
  }
};

int64_t decoder_layers(const T5Options& o) { return o.decoder_layers.value_or(o.layers); }
int64_t ffn_width(const T5Options& o) { return o.ffn_width.value_or(4 * o.width); }

BlockOptions t5_block(const T5Options& o, bool decoder) {
  return {.attention = {.width = o.width,
                        .shape = head_shape({o.width, o.heads, /*kv_heads=*/{}, o.head_width}),
                        .bias = false,
                        .dropout = o.dropout,
                        .scale = o.attention_scale},
          .feed_forward = {.width = o.width,
                           .inner_width = ffn_width(o),
                           .kind = o.activation,
                           .bias = false,
                           .inner_dropout = o.dropout},
          .norm = NormKind::rms,
          .norm_eps = o.norm_eps,
          .cross = decoder,
          .dropout = o.dropout};
}

class T5 final : public Model {
 public:
  T5(const T5Options& options, const ModelContext& context)
      : options_(options), shape_(head_shape({options.width, options.heads, {}, options.head_width})) {
    check_options();
    RelativeOptions relative{.buckets = options.buckets, .max_distance = options.max_distance};
    tokens_ = register_module(
        "tokens", std::make_shared<Embedding>(vocabulary_rows(options.vocab_size, context), options.width));
    encoder_bias_ = register_module("encoder_bias", std::make_shared<RelativeBias>(options.heads, relative));
    encoder_ = register_module(
        "encoder",
        std::make_shared<Stack>(uniform_stack(options.layers, t5_block(options, /*decoder=*/false))));
    relative.bidirectional = false;
    decoder_bias_ = register_module("decoder_bias", std::make_shared<RelativeBias>(options.heads, relative));
    decoder_ = register_module(
        "decoder",
        std::make_shared<Stack>(uniform_stack(decoder_layers(options), t5_block(options, /*decoder=*/true))));
    if (!options.tie_embeddings && options.lm_head) {
      head_ = register_module(
          "head", std::make_shared<Linear>(LinearOptions{options.width, vocab_rows(), /*bias=*/false}));
    }
    initialize();
  }

  Architecture architecture() const override { return Architecture::encoder_decoder; }
  int64_t width() const override { return options_.width; }
  int64_t vocab_rows() const override { return tokens_->weight.size(0); }
  int64_t max_length() const override { return INT64_MAX; }  // relative positions know no end

  std::vector<ModelPart> parts() const override {
    std::vector<ModelPart> all{
        {.name = "embeddings", .prefixes = {"tokens", "encoder_bias", "decoder_bias"}}};
    std::ranges::move(encoder_->parts("encoder", PartInput::source), std::back_inserter(all));
    std::ranges::move(decoder_->parts("decoder", PartInput::target), std::back_inserter(all));
    if (head_) {
      all.push_back(
          {.name = "head", .kind = PartKind::projection, .prefixes = {"head"}, .input = PartInput::target});
    }
    return all;
  }

  Tensor encode(const Inputs& inputs) override { return encoded(inputs, inputs.trace); }

  // The decoder over its own past and, by cross-attention, over the encoder's output. Both stacks are blocks
  // of x + attention(norm(x)), x + feed_forward(norm(x)).
  Tensor hidden(const Inputs& inputs) override {
    const CrossView cross{.memory = encoded(inputs, /*trace=*/nullptr),  // [N, D]
                          .targets = inputs.decoder_sequences,
                          .sources = inputs.sequences};
    const SelfView view{.sequences = inputs.decoder_sequences,
                        .mask = MaskKind::causal,
                        .bias = decoder_bias_->forward(inputs.decoder_sequences.longest()),
                        .trace = inputs.trace};
    return dropped(decoder_->forward(embed(inputs.decoder_ids), view, &cross));  // [M, D]
  }

  // The sources are encoded, and projected to every layer's keys and values, once.
  std::unique_ptr<DecodingState> start(const DecodingPlan& plan) override {
    const at::NoGradGuard no_grad;
    if (plan.sources.sequences.count() != plan.sequences) {
      throw std::logic_error("t5: every sequence that is written needs a source");
    }
    return decoder_->start(plan, encoded(plan.sources, /*trace=*/nullptr));
  }
  Tensor append(DecodingState& state, const NewPositions& added, const WantedRows& wanted) override {
    const at::NoGradGuard no_grad;
    if (!added.prefix.empty()) {
      throw std::logic_error("t5: a source goes to the encoder, not before the target");
    }
    auto& own = dynamic_cast<AttentionState&>(state);
    const AppendStep step = own.begin(added);
    const SelfView view{
        .sequences = added.sequences, .mask = MaskKind::causal, .bias = decoder_bias_->forward(step.end)};
    const Tensor states = decoder_->append(embed(added.ids), view, own, step);  // [M, D]
    return dropped(states.index_select(0, wanted.rows));
  }

  // Version 1.0: logits = states / √D · embeddingᵀ; 1.1: a matrix of its own, unscaled.
  Projection project(const Tensor& rows) override {
    check(options_.lm_head, "this t5 has no output projection (model.lm_head is false)");
    const Tensor& weight = head_ ? head_->weight : tokens_->weight;
    const double scale =
        options_.output_scale.value_or(head_ ? 1 : std::pow(static_cast<double>(options_.width), -0.5));
    return {.rows = scale == 1 ? rows : rows * scale, .weight = weight, .bias = {}};
  }

  double train_flops(const SequenceLengths& lengths, double labeled) const override {
    const int64_t channels = shape_.heads * shape_.width;
    double cross_keys = 0;
    for (const auto& block : decoder_->blocks) {
      cross_keys += static_cast<double>(block->cross_attention->kv->weight.numel());
    }
    const double products =
        lengths.source * (matrix_weights(*encoder_) + cross_keys) +
        lengths.target * matrix_weights(*decoder_) +
        (options_.lm_head ? labeled * static_cast<double>(vocab_rows() * options_.width) : 0);
    return 6 * products + attention_flops(options_.layers, channels, lengths.source, lengths.source) +
           attention_flops(decoder_layers(options_), channels, lengths.target, (lengths.target + 1) / 2) +
           attention_flops(decoder_layers(options_), channels, lengths.target, lengths.source);
  }

 private:
  void check_options() const {
    const T5Options& o = options_;
    check(o.buckets % 4 == 0, "buckets is {} but must be a multiple of 4", o.buckets);
    check(o.max_distance > o.buckets / 2,
          "max_distance is {} but must be over half of buckets = {}",
          o.max_distance,
          o.buckets);
  }

  Tensor encoded(const Inputs& inputs, Trace* trace) const {
    const SelfView view{.sequences = inputs.sequences,
                        .bias = encoder_bias_->forward(inputs.sequences.longest()),
                        .trace = trace};
    const Tensor x = embed(inputs.ids);
    return dropped(encoder_->forward(x, view, /*cross=*/nullptr));  // [N, D]
  }

  Tensor dropped(const Tensor& x) const { return dropout(x, is_training() ? options_.dropout : 0); }
  Tensor embed(const Tensor& ids) const { return dropped(tokens_->forward(ids)); }

  // The variances of the published code, of each matrix before merging: embedding and untied head N(0, 1),
  // queries (D Dh)^-1/2, keys, values, feed-forward input and relative bias D^-1/2, attention output
  // (H Dh)^-1/2, feed-forward output F^-1/2.
  void initialize() {
    if (!draws_initial_weights()) {
      return;
    }
    const auto root = [](int64_t n) { return 1 / std::sqrt(static_cast<double>(n)); };
    const int64_t width = options_.width;
    const int64_t inner = shape_.heads * shape_.width;
    const init::BlockScales scales{.std = root(width), .residual_std = root(inner)};
    const double queries_std = root(width * shape_.width) / options_.attention_scale;
    for (const auto& stack : {encoder_, decoder_}) {
      for (const auto& block : stack->blocks) {
        init::block(*block, scales);
        Tensor queries = block->attention->qkv->weight.detach().narrow(0, 0, inner);
        init::normal(queries, queries_std);
        init::normal(*block->feed_forward->out, root(ffn_width(options_)));
        if (block->cross_attention) {
          init::normal(*block->cross_attention->q, queries_std);
        }
      }
      init::identity(*stack->final_norm);
    }
    init::normal(encoder_bias_->weight, root(width));
    init::normal(decoder_bias_->weight, root(width));
    init::normal(tokens_->weight, options_.embedding_std);
    if (head_) {
      init::normal(*head_, 1);
    }
  }

  T5Options options_;
  HeadShape shape_;
  std::shared_ptr<Embedding> tokens_;  // [V, D], of both stacks
  std::shared_ptr<RelativeBias> encoder_bias_, decoder_bias_;
  std::shared_ptr<Stack> encoder_, decoder_;
  std::shared_ptr<Linear> head_;  // untied only
};

T5Options version_1_0(int64_t layers, int64_t width, int64_t heads) {
  return {.layers = layers, .width = width, .heads = heads, .head_width = 64, .vocab_size = 32128};
}

T5Options version_1_1(int64_t layers, int64_t width, int64_t heads, int64_t ffn_width) {
  T5Options o = version_1_0(layers, width, heads);
  o.ffn_width = ffn_width;
  o.activation = FeedForwardKind::geglu_tanh;
  o.tie_embeddings = false;
  return o;
}

}  // namespace

void register_t5(Registry& registry) {
  registry.add(ModelFamily{
      .name = "t5",
      .summary = "encoder-decoder transformer with relative positions, versions 1.0 and 1.1",
      .defaults = AnyOptions(T5Options{}),
      .presets = {{"t5-small", AnyOptions(version_1_0(6, 512, 8))},
                  {"t5-base", AnyOptions(version_1_0(12, 768, 12))},
                  {"t5-large", AnyOptions(version_1_0(24, 1024, 16))},
                  {"t5-v1.1-small", AnyOptions(version_1_1(8, 512, 6, 1024))},
                  {"t5-v1.1-base", AnyOptions(version_1_1(12, 768, 12, 2048))},
                  {"t5-v1.1-large", AnyOptions(version_1_1(24, 1024, 16, 2816))}},
      .make = [](const AnyOptions& options, const ModelContext& context) -> std::shared_ptr<Model> {
        return std::make_shared<T5>(options.as<T5Options>(), context);
      }});
}

}  // namespace lmzoo
