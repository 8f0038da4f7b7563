// BERT (Devlin et al. 2019): an encoder whose every position sees its whole sequence, with a masked-LM head.
//
// Legend: N positions of all sequences, K wanted rows, D width, V vocabulary.
#include "core/registry.h"
#include "models/block.h"
#include "models/cost.h"
#include "models/init.h"
#include "models/parameter.h"

namespace lmzoo {
namespace {

struct BertOptions {
  int64_t layers = 4;
  int64_t width = 256;
  int64_t heads = 4;
  int64_t ffn_width = 1024;
  FeedForwardKind activation = FeedForwardKind::gelu;
  double norm_eps = 1e-12;
  bool pre_norm = false;
  int64_t token_types = 2;
  std::optional<int64_t> max_length{};
  std::optional<int64_t> vocab_size{};
  bool pooler = false;
  bool lm_head = true;
  double dropout = 0.1;
  std::optional<double> attention_dropout{};
  double init_std = 0.02;

  static constexpr void fields(auto& self, auto& visit) {
    visit("layers", self.layers, "blocks", at_least(1));
    visit("width", self.width, "D: numbers that stand for a position", at_least(1));
    visit("heads", self.heads, "attention heads; width is a multiple of them", at_least(1));
    visit("ffn_width", self.ffn_width, "inner width of the feed-forward network", at_least(1));
    visit("activation", self.activation, "of the feed-forward network and of the head");
    visit("norm_eps", self.norm_eps, "added to the variance", more_than(0));
    visit("pre_norm", self.pre_norm, "norm before each sublayer instead of after it");
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

StackOptions stack_options(const BertOptions& o) {
  return {.block = {.attention = {.width = o.width,
                                  .shape = {o.heads, o.heads, o.width / o.heads},
                                  .dropout = o.attention_dropout.value_or(o.dropout)},
                    .feed_forward = {.width = o.width, .inner_width = o.ffn_width, .kind = o.activation},
                    .norm = NormKind::layer,
                    .norm_eps = o.norm_eps,
                    .pre_norm = o.pre_norm,
                    .dropout = o.dropout},
          .layers = o.layers};
}

class Bert final : public Model {
 public:
  Bert(const BertOptions& options, const ModelContext& context)
      : options_(options), max_length_(options.max_length.value_or(context.sequence_length)) {
    check_options(context);
    const int64_t width = options.width;
    tokens_ = register_module(
        "tokens", std::make_shared<Embedding>(options.vocab_size.value_or(context.vocabulary.size), width));
    positions_ = register_module("positions", std::make_shared<Embedding>(max_length_, width));
    if (options.token_types > 0) {
      token_types_ = register_module("token_types", std::make_shared<Embedding>(options.token_types, width));
    }
    embedding_norm_ =
        register_module("embedding_norm", std::make_shared<Norm>(NormKind::layer, width, options.norm_eps));
    stack_ = register_module("stack", std::make_shared<Stack>(stack_options(options)));
    if (options.pooler) {
      pooler_ = register_module("pooler", std::make_shared<Linear>(LinearOptions{width, width}));
    }
    if (options.lm_head) {
      head_ = register_module("head", std::make_shared<Linear>(LinearOptions{width, width}));
      head_norm_ =
          register_module("head_norm", std::make_shared<Norm>(NormKind::layer, width, options.norm_eps));
      head_bias_ = register_parameter("head_bias", new_parameter({vocab_rows()}));
    }
    initialize();
  }

  Architecture architecture() const override { return Architecture::encoder_only; }
  int64_t width() const override { return options_.width; }
  int64_t vocab_rows() const override { return tokens_->weight.size(0); }
  int64_t max_length() const override { return max_length_; }

  // norm(token + position + type), then blocks of norm(x + attention(x)), norm(x + feed_forward(x)).
  Tensor hidden(const Inputs& inputs) override {
    Tensor x = tokens_->forward(inputs.ids) + positions_->forward(inputs.sequences.positions());  // [N, D]
    if (token_types_) {
      x = x + (inputs.token_types.defined() ? token_types_->forward(inputs.token_types)
                                            : token_types_->weight[0]);
    }
    x = dropout(embedding_norm_->forward(x), is_training() ? options_.dropout : 0);
    const SelfView view{.sequences = inputs.sequences, .trace = inputs.trace};
    return stack_->forward(x, view, /*cross=*/nullptr, /*cache=*/nullptr);  // [N, D]
  }

  // logits = norm(gelu(dense(rows))) · embeddingᵀ + bias
  Projection project(const Tensor& rows) override {
    check(head_ != nullptr, "this bert has no masked-LM head (model.lm_head is false)");
    const Activation kind =
        options_.activation == FeedForwardKind::gelu_tanh ? Activation::gelu_tanh : Activation::gelu;
    const Tensor dense = activate({.x = head_->without_bias(rows), .bias = head_->bias}, kind);  // [K, D]
    return {.rows = head_norm_->forward(dense), .weight = tokens_->weight, .bias = head_bias_};
  }

  double train_flops(const SequenceLengths& lengths, double labeled) const override {
    const double head = static_cast<double>((vocab_rows() + options_.width) * options_.width);
    return 6 * (lengths.source * matrix_weights(*stack_) + labeled * head) +
           attention_flops(options_.layers, options_.width, lengths.source, lengths.source);
  }

 private:
  void check_options(const ModelContext& context) const {
    const BertOptions& o = options_;
    check(o.width % o.heads == 0, "width is ", o.width, " but must be a multiple of heads = ", o.heads);
    check(!is_gated(o.activation) || !o.lm_head, "a gated activation has no place in the masked-LM head");
    check(!o.vocab_size || *o.vocab_size >= context.vocabulary.size,
          "vocab_size is ",
          o.vocab_size.value_or(0),
          " but the tokenizer has ",
          context.vocabulary.size,
          " ids");
  }

  // All weights N(0, 0.02), biases 0, norms the identity (Devlin et al. 2019, appendix A.2 and the published
  // code).
  void initialize() {
    const double std = options_.init_std;
    init::normal(tokens_->weight, std);
    init::normal(positions_->weight, std);
    if (token_types_) {
      init::normal(token_types_->weight, std);
    }
    init::identity(*embedding_norm_);
    for (const auto& block : stack_->blocks) {
      init::block(*block, {.std = std, .residual_std = std});
    }
    if (stack_->final_norm) {
      init::identity(*stack_->final_norm);
    }
    if (pooler_) {
      init::normal(*pooler_, std);
    }
    if (head_) {
      init::normal(*head_, std);
      init::identity(*head_norm_);
      const at::NoGradGuard no_grad;
      head_bias_.zero_();
    }
  }

  BertOptions options_;
  int64_t max_length_;
  std::shared_ptr<Embedding> tokens_, positions_, token_types_;  // [V, D], [max_length, D], [types, D]
  std::shared_ptr<Norm> embedding_norm_;
  std::shared_ptr<Stack> stack_;
  std::shared_ptr<Linear> pooler_;
  std::shared_ptr<Linear> head_;
  std::shared_ptr<Norm> head_norm_;
  Tensor head_bias_;  // [V]
};

BertOptions published(int64_t layers, int64_t width, int64_t heads) {
  return {.layers = layers,
          .width = width,
          .heads = heads,
          .ffn_width = 4 * width,
          .max_length = 512,
          .vocab_size = 30522};
}

}  // namespace

void register_bert(Registry& registry) {
  registry.add(ModelFamily{
      .name = "bert",
      .summary = "encoder-only transformer with a masked-LM head",
      .defaults = AnyOptions(BertOptions{}),
      .presets = {{"bert-base", AnyOptions(published(12, 768, 12))},
                  {"bert-large", AnyOptions(published(24, 1024, 16))}},
      .make = [](const AnyOptions& options, const ModelContext& context) -> std::shared_ptr<Model> {
        return std::make_shared<Bert>(options.as<BertOptions>(), context);
      }});
}

}  // namespace lmzoo
