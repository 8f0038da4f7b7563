// BERT (Devlin et al. 2019): an encoder whose every position sees its whole sequence, with a masked-LM head.
// With an embedding_width of its own it is ELECTRA's encoder (Clark et al. 2020; google-research/electra, modeling.py):
// all of the embeddings, and the head, have that width, and a map leads from it to the blocks.
//
// Legend: N positions of all sequences, K wanted rows, D width, E embedding width, V vocabulary.
#include <algorithm>
#include <iterator>

#include <ATen/ops/zeros_like.h>

#include "core/registry.h"
#include "nn/block.h"
#include "nn/cost.h"
#include "nn/embedding.h"
#include "nn/init.h"
#include "nn/parameter.h"
#include "nn/positions.h"

namespace lmzoo {
namespace {

struct BertOptions {
  int64_t layers = 4;
  int64_t width = 256;
  std::optional<int64_t> embedding_width{};
  int64_t heads = 4;
  std::optional<int64_t> ffn_width{};
  FeedForwardKind activation = FeedForwardKind::gelu;
  NormKind norm = NormKind::layer;
  double norm_eps = 1e-12;
  bool pre_norm = false;
  bool bias = true;
  PositionKind positions = PositionKind::learned;
  int64_t position_offset = 0;
  double rope_theta = 10000;
  int64_t token_types = 2;
  std::optional<int64_t> max_length{};
  std::optional<int64_t> vocab_size{};
  bool pooler = false;
  bool lm_head = true;
  double dropout = 0.1;
  std::optional<double> attention_dropout{};
  double init_std = 0.02;

  static constexpr void fields(auto& self, auto& visit) {
    visit("layers", self.layers, "blocks", between(1, 1000));
    visit("width", self.width, "D: numbers that stand for a position", at_least(1));
    visit("embedding_width",
          self.embedding_width,
          "E: numbers in a row of the embeddings, which a map takes to width; absent: width, without a map",
          at_least(1));
    visit("heads", self.heads, "attention heads; width is a multiple of them", at_least(1));
    visit("ffn_width", self.ffn_width, "inner width of the feed-forward; absent: 4 · width", at_least(1));
    visit("activation", self.activation, "of the feed-forward network and, without a gate, of the head");
    visit("norm", self.norm, "layer or rms");
    visit("norm_eps", self.norm_eps, "added to the variance", more_than(0));
    visit("pre_norm", self.pre_norm, "norm before each sublayer instead of after it");
    visit("bias", self.bias, "whether the blocks' linear maps have a bias");
    visit("positions", self.positions, "how the model knows where a token stands");
    visit("position_offset",
          self.position_offset,
          "learned positions: row of the first (RoBERTa: 2)",
          at_least(0));
    visit("rope_theta", self.rope_theta, "rotary positions: base of the angles", more_than(1));
    visit("token_types", self.token_types, "kinds of segments; 0: no such embedding", at_least(0));
    visit("max_length", self.max_length, "longest sequence; absent: data.sequence_length", at_least(1));
    visit("vocab_size", self.vocab_size, "rows of the embedding; absent: the tokenizer's size", at_least(1));
    visit("pooler", self.pooler, "the dense layer over [CLS] of the published checkpoints");
    visit("lm_head", self.lm_head, "the masked-LM head");
    visit("dropout", self.dropout, "of embeddings and of what each sublayer adds", half_open(0, 1));
    visit("attention_dropout", self.attention_dropout, "of attention; absent: as dropout", half_open(0, 1));
    visit("init_std", self.init_std, "standard deviation of the initial weights", more_than(0));
  }
};

BlockOptions bert_block(const BertOptions& o) {
  return {.attention = {.width = o.width,
                        .shape = head_shape({o.width, o.heads}),
                        .bias = o.bias,
                        .dropout = o.attention_dropout.value_or(o.dropout)},
          .feed_forward = {.width = o.width,
                           .inner_width = o.ffn_width.value_or(4 * o.width),
                           .kind = o.activation,
                           .bias = o.bias},
          .norm = o.norm,
          .norm_eps = o.norm_eps,
          .norm_order = o.pre_norm ? NormOrder::pre : NormOrder::post,
          .dropout = o.dropout};
}

PositionOptions bert_positions(const BertOptions& o, int64_t embedding_width, int64_t max_length) {
  return {.kind = o.positions,
          .width = embedding_width,
          .head_width = o.width / o.heads,
          .max_length = max_length,
          .offset = o.position_offset,
          .theta = o.rope_theta};
}

// The options with the sizes that the embeddings have which it shares with another model.
BertOptions with_shared_sizes(BertOptions options, const ModelContext& context) {
  if (const Model* const other = context.embeddings) {
    options.embedding_width = options.embedding_width.value_or(other->embedding_width());
    options.vocab_size = options.vocab_size.value_or(other->vocab_rows());
    options.max_length = options.max_length.value_or(other->max_length());
  }
  return options;
}

bool have_same_shapes(const Module& a, const Module& b) {
  return std::ranges::equal(a.named_parameters(), b.named_parameters(), [](const auto& x, const auto& y) {
    return x.name == y.name && x.value.sizes() == y.value.sizes();
  });
}

class Bert final : public Model {
 public:
  Bert(const BertOptions& given, const ModelContext& context)
      : options_(with_shared_sizes(given, context)),
        max_length_(options_.max_length.value_or(context.sequence_length)) {
    const BertOptions& options = options_;
    const int64_t width = options.width;
    const int64_t narrow = embedding_width();
    const BlockOptions block = bert_block(options);
    const NormOptions norm{.kind = options.norm, .width = narrow, .eps = options.norm_eps};
    tokens_ = shared_or(
        "tokens", std::make_shared<Embedding>(vocabulary_rows(options.vocab_size, context), narrow), context);
    check(context.embeddings == nullptr || !shared_.empty(),
          "takes the embeddings of a model that has {} rows of {} numbers for its tokens, but vocab_size is "
          "{} and "
          "embedding_width {}; leave both out",
          context.embeddings == nullptr ? 0 : context.embeddings->vocab_rows(),
          context.embeddings == nullptr ? 0 : context.embeddings->embedding_width(),
          vocab_rows(),
          narrow);
    positions_ = shared_or(
        "positions", std::make_shared<Positions>(bert_positions(options, narrow, max_length_)), context);
    if (options.token_types > 0) {
      token_types_ =
          shared_or("token_types", std::make_shared<Embedding>(options.token_types, narrow), context);
    }
    embedding_norm_ = shared_or("embedding_norm", std::make_shared<Norm>(norm), context);
    if (narrow != width) {
      embedding_map_ =
          register_module("embedding_map", std::make_shared<Linear>(LinearOptions{narrow, width}));
    }
    stack_ = register_module("stack", std::make_shared<Stack>(uniform_stack(options.layers, block)));
    if (options.pooler) {
      pooler_ = register_module("pooler", std::make_shared<Linear>(LinearOptions{width, width}));
    }
    if (options.lm_head) {
      head_ = register_module("head", std::make_shared<Linear>(LinearOptions{width, narrow}));
      head_norm_ = register_module("head_norm", std::make_shared<Norm>(norm));
      head_bias_ = register_parameter("head_bias", new_parameter({vocab_rows()}));
    }
    initialize();
  }

  Architecture architecture() const override { return Architecture::encoder_only; }
  int64_t width() const override { return options_.width; }
  int64_t embedding_width() const override { return options_.embedding_width.value_or(options_.width); }
  int64_t vocab_rows() const override { return tokens_->weight.size(0); }
  int64_t max_length() const override { return max_length_; }

  std::vector<ModelPart> parts() const override {
    std::vector<ModelPart> all{
        {.name = "embeddings",
         .prefixes = {"tokens", "positions", "token_types", "embedding_norm", "embedding_map"}}};
    std::ranges::move(stack_->parts("stack", PartInput::source), std::back_inserter(all));
    if (pooler_) {
      all.push_back({.name = "pooler", .kind = PartKind::head, .prefixes = {"pooler"}});
    }
    if (head_) {
      all.push_back({.name = "head", .kind = PartKind::head, .prefixes = {"head", "head_norm", "head_bias"}});
    }
    return all;
  }

  // Embed, then blocks of norm(x + attention(x)), norm(x + feed_forward(x)); with pre_norm
  // x + attention(norm(x)), x + feed_forward(norm(x)).
  Tensor hidden(const Inputs& inputs) override {
    return stack_->forward(embed(inputs), view(inputs), /*cross=*/nullptr);  // [N, D]
  }
  Tensor hidden_at(const Inputs& inputs, const WantedRows& wanted) override {
    return stack_->forward_at(embed(inputs), view(inputs), wanted);  // [K, D]
  }

  // tanh(dense(first states)): [n, D]
  bool has_pooler() const override { return pooler_ != nullptr; }
  Tensor pool(const Tensor& firsts) override {
    return pooler_ != nullptr ? pooler_->forward(firsts).tanh() : Model::pool(firsts);
  }

  // logits = norm(gelu(dense(rows))) · embeddingᵀ + bias
  Projection project(const Tensor& rows) override {
    check(head_ != nullptr, "this bert has no masked-LM head (model.lm_head is false)");
    const Branch dense = head_->branch(rows);  // [K, D]
    const Tensor x = activate({.x = dense.x, .bias = dense.bias}, activation_of(options_.activation));
    return {.rows = head_norm_->forward(x), .weight = tokens_->weight, .bias = head_bias_};
  }

  double train_flops(const SequenceLengths& lengths, double labeled) const override {
    const double head = static_cast<double>((vocab_rows() + options_.width) * embedding_width());
    const double map = embedding_map_ ? static_cast<double>(options_.width * embedding_width()) : 0;
    return 6 * (lengths.source * (map + matrix_weights(*stack_)) + labeled * head) +
           attention_flops(options_.layers, options_.width, lengths.source, lengths.source);
  }

 private:
  // A part of the embeddings: that of the model which shares its own, if it has the same shape, else the new one.
  template <class Part>
  std::shared_ptr<Part> shared_or(const std::string& name,
                                  const std::shared_ptr<Part>& made,
                                  const ModelContext& context) {
    const auto theirs = context.embeddings != nullptr ? context.embeddings->child<Part>(name) : nullptr;
    if (theirs == nullptr || !have_same_shapes(*theirs, *made)) {
      return register_module(name, made);
    }
    shared_.push_back(name + ".");
    return register_module(name, theirs);
  }

  // map(dropout(norm(token + position + type))): [N, D]. Sum and norm are one fused pass, whose stream stays
  // float32 under autocast.
  Tensor embed(const Inputs& inputs) const {
    const Sequences& sequences = inputs.sequences;
    ResidualUpdate sum;
    sum.x = tokens_->forward(inputs.ids);  // [N, E]
    sum.residual = positions_->rows(sequences.positions(), sequences.longest(), sum.x.scalar_type());
    if (!sum.residual.defined()) {
      sum.residual = at::zeros_like(sum.x);  // rotary positions add nothing here
    }
    const bool has_types = token_types_ && token_types_->weight.size(0) > 1;  // RoBERTa knows only type 0
    if (has_types && inputs.token_types.defined()) {
      sum.residual = sum.residual + token_types_->forward(inputs.token_types);
    } else if (token_types_) {
      sum.bias = token_types_->weight[0];
    }
    const Tensor normed = dropout_add_norm(sum, embedding_norm_->kernel(), NormPlacement::post).stream;
    const Tensor x = dropout(normed, is_training() ? options_.dropout : 0);
    return embedding_map_ ? embedding_map_->forward(x) : x;
  }

  SelfView view(const Inputs& inputs) const {
    const Sequences& sequences = inputs.sequences;
    return {.sequences = sequences,
            .rotations = {positions_->rotation(sequences.positions(), sequences.longest())},
            .trace = inputs.trace};
  }

  // Every matrix and embedding N(0, 0.02) cut at two deviations, biases 0, norms the identity (the published
  // code's truncated_normal_initializer). What it shares has been drawn by the other model.
  void initialize() {
    if (!draws_initial_weights()) {
      return;
    }
    const at::NoGradGuard no_grad;
    for (auto& item : named_parameters()) {
      Tensor& parameter = item.value;
      if (std::ranges::any_of(shared_, [&](const auto& part) { return item.name.starts_with(part); })) {
        continue;
      }
      if (parameter.dim() == 2) {
        init::truncated_normal(parameter, options_.init_std);
      } else {
        parameter.fill_(item.name.ends_with("norm.weight") ? 1 : 0);
      }
    }
  }

  BertOptions options_;
  int64_t max_length_;
  std::vector<std::string> shared_{};  // "tokens.": parts of the embeddings that are another model's, too
  std::shared_ptr<Embedding> tokens_;  // [V, E]
  std::shared_ptr<Positions> positions_;
  std::shared_ptr<Embedding> token_types_;  // [types, E] or null
  std::shared_ptr<Norm> embedding_norm_;
  std::shared_ptr<Linear> embedding_map_;  // null where E = D
  std::shared_ptr<Stack> stack_;
  std::shared_ptr<Linear> pooler_;  // null without `pooler`; not part of hidden()
  std::shared_ptr<Linear> head_;    // null without `lm_head`, as all of the head
  std::shared_ptr<Norm> head_norm_;
  Tensor head_bias_;  // [V]
};

BertOptions published(int64_t layers, int64_t width, int64_t heads) {
  return {.layers = layers, .width = width, .heads = heads, .max_length = 512, .vocab_size = 30522};
}

// Liu et al. 2019: no segments; positions begin after the id of padding, which is 1.
BertOptions roberta(int64_t layers, int64_t width, int64_t heads) {
  BertOptions o = published(layers, width, heads);
  o.norm_eps = 1e-5;
  o.position_offset = 2;
  o.token_types = 1;
  o.vocab_size = 50265;
  return o;
}

// Clark et al. 2020, table 6, as google-research/electra publishes them.
BertOptions electra(int64_t layers, int64_t width, int64_t heads) {
  BertOptions o = published(layers, width, heads);
  o.lm_head = false;
  return o;
}
BertOptions electra_small() {
  BertOptions o = electra(12, 256, 4);
  o.embedding_width = 128;
  return o;
}

// Sanh et al. 2019: half of BERT's layers, no segments.
BertOptions distilbert() {
  BertOptions o = published(6, 768, 12);
  o.token_types = 0;
  return o;
}

}  // namespace

void register_bert(Registry& registry) {
  registry.add(ModelFamily{
      .name = "bert",
      .summary = "encoder-only transformer with a masked-LM head",
      .defaults = AnyOptions(BertOptions{}),
      .presets = {{"bert-base", AnyOptions(published(12, 768, 12))},
                  {"bert-large", AnyOptions(published(24, 1024, 16))},
                  {"distilbert-base", AnyOptions(distilbert())},
                  {"electra-base", AnyOptions(electra(12, 768, 12))},
                  {"electra-large", AnyOptions(electra(24, 1024, 16))},
                  {"electra-small", AnyOptions(electra_small())},
                  {"roberta-base", AnyOptions(roberta(12, 768, 12))},
                  {"roberta-large", AnyOptions(roberta(24, 1024, 16))}},
      .make = [](const AnyOptions& options, const ModelContext& context) -> std::shared_ptr<Model> {
        return std::make_shared<Bert>(options.as<BertOptions>(), context);
      }});
}

}  // namespace lmzoo
