// Decoder-only transformers: GPT-1 (Radford et al. 2018), GPT-2 (Radford et al. 2019), and with RMS norm and
// SwiGLU the LLaMA kind (Touvron et al. 2023), as options of one model. The default is GPT-2 with rotary
// positions. Block and stack are in nn/block.h.
//
// Legend: N positions of all sequences, K wanted rows, D width, V vocabulary.
#include <algorithm>
#include <cmath>
#include <iterator>

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

struct GptOptions {
  int64_t layers = 4;
  int64_t width = 256;
  int64_t heads = 4;
  std::optional<int64_t> kv_heads{};
  std::optional<int64_t> head_width{};
  std::optional<int64_t> ffn_width{};
  FeedForwardKind activation = FeedForwardKind::gelu_tanh;
  NormKind norm = NormKind::layer;
  double norm_eps = 1e-5;
  bool pre_norm = true;
  bool bias = true;
  std::optional<bool> attention_bias{};
  std::optional<double> attention_scale{};
  PositionKind positions = PositionKind::rotary;
  double rope_theta = 10000;
  std::optional<RopeScaling> rope_scaling{};
  std::optional<int64_t> max_length{};
  std::optional<int64_t> vocab_size{};
  bool tie_embeddings = true;
  bool lm_head = true;
  double dropout = 0.1;
  std::optional<double> attention_dropout{};
  std::optional<double> embedding_dropout{};
  double init_std = 0.02;

  static constexpr void fields(auto& self, auto& visit) {
    visit("layers", self.layers, "blocks", between(1, 1000));
    visit("width", self.width, "D: numbers that stand for a position", at_least(1));
    visit("heads", self.heads, "attention heads; width is a multiple of them", at_least(1));
    visit("kv_heads", self.kv_heads, "heads of keys and values; absent: as many as heads", at_least(1));
    visit("head_width", self.head_width, "width of a head; absent: width / heads", at_least(1));
    visit("ffn_width", self.ffn_width, "inner width of the feed-forward; absent: 4 · width", at_least(1));
    visit("activation", self.activation, "of the feed-forward network");
    visit("norm", self.norm, "layer or rms");
    visit("norm_eps", self.norm_eps, "added to the variance", more_than(0));
    visit("pre_norm",
          self.pre_norm,
          "norm before each sublayer and at the end (GPT-2); false: after each (GPT-1)");
    visit("bias", self.bias, "whether linear maps have a bias");
    visit("attention_bias", self.attention_bias, "whether those of attention have one; absent: as bias");
    visit("attention_scale",
          self.attention_scale,
          "of query · key; absent: 1/sqrt(width of a head)",
          more_than(0));
    visit("positions", self.positions, "how the model knows where a token stands");
    visit("rope_theta", self.rope_theta, "base of the rotary angles", more_than(1));
    visit("rope_scaling", self.rope_scaling, "rotary angles of longer sequences; absent: unscaled");
    visit("max_length", self.max_length, "longest sequence; absent: data.sequence_length", at_least(1));
    visit("vocab_size", self.vocab_size, "rows of the embedding; absent: the tokenizer's size", at_least(1));
    visit("tie_embeddings", self.tie_embeddings, "whether the output projection is the embedding");
    visit("lm_head", self.lm_head, "false: without an output projection, as a published body has none");
    visit("dropout", self.dropout, "of embeddings and of what each sublayer adds", half_open(0, 1));
    visit("attention_dropout", self.attention_dropout, "of attention; absent: as dropout", half_open(0, 1));
    visit("embedding_dropout", self.embedding_dropout, "of embeddings; absent: as dropout", half_open(0, 1));
    visit("init_std", self.init_std, "standard deviation of the initial weights", more_than(0));
  }
};

HeadShape shape_of(const GptOptions& o) { return head_shape({o.width, o.heads, o.kv_heads, o.head_width}); }

BlockOptions gpt_block(const GptOptions& o) {
  return {.attention = {.width = o.width,
                        .shape = shape_of(o),
                        .bias = o.attention_bias.value_or(o.bias),
                        .dropout = o.attention_dropout.value_or(o.dropout),
                        .scale = o.attention_scale},
          .feed_forward = {.width = o.width,
                           .inner_width = o.ffn_width.value_or(4 * o.width),
                           .kind = o.activation,
                           .bias = o.bias},
          .norm = o.norm,
          .norm_eps = o.norm_eps,
          .norm_order = o.pre_norm ? NormOrder::pre : NormOrder::post,
          .dropout = o.dropout};
}

PositionOptions gpt_positions(const GptOptions& o, int64_t max_length) {
  return {.kind = o.positions,
          .width = o.width,
          .head_width = shape_of(o).width,
          .max_length = max_length,
          .theta = o.rope_theta,
          .scaling = o.rope_scaling};
}

class Gpt final : public Model {
 public:
  Gpt(const GptOptions& options, const ModelContext& context)
      : options_(options), max_length_(options.max_length.value_or(context.sequence_length)) {
    const BlockOptions block = gpt_block(options);
    tokens_ = register_module(
        "tokens", std::make_shared<Embedding>(vocabulary_rows(options.vocab_size, context), options.width));
    positions_ =
        register_module("positions", std::make_shared<Positions>(gpt_positions(options, max_length_)));
    stack_ = register_module("stack", std::make_shared<Stack>(uniform_stack(options.layers, block)));
    if (!options.tie_embeddings && options.lm_head) {
      head_ = register_module(
          "head", std::make_shared<Linear>(LinearOptions{options.width, vocab_rows(), /*bias=*/false}));
    }
    initialize();
  }

  Architecture architecture() const override { return Architecture::decoder_only; }
  int64_t width() const override { return options_.width; }
  int64_t vocab_rows() const override { return tokens_->weight.size(0); }
  int64_t max_length() const override { return max_length_; }

  std::vector<ModelPart> parts() const override {
    std::vector<ModelPart> all{{.name = "embeddings", .prefixes = {"tokens", "positions"}}};
    std::ranges::move(stack_->parts("stack", PartInput::source), std::back_inserter(all));
    if (head_) {
      all.push_back({.name = "head", .kind = PartKind::projection, .prefixes = {"head"}});
    }
    return all;
  }

  // Embed, then blocks of x + attention(norm(x)), x + feed_forward(norm(x)); without pre_norm
  // norm(x + attention(x)), norm(x + feed_forward(x)).
  Tensor hidden(const Inputs& inputs) override {
    const Place place = place_of(inputs);
    return stack_->forward(embed(inputs, place), view(inputs, place), /*cross=*/nullptr);
  }
  Tensor hidden_at(const Inputs& inputs, const WantedRows& wanted) override {
    const Place place = place_of(inputs);
    return stack_->forward_at(embed(inputs, place), view(inputs, place), wanted);  // [K, D]
  }

  std::unique_ptr<DecodingState> start(const DecodingPlan& plan) override {
    return stack_->start(plan, /*memory=*/{});
  }
  Tensor append(DecodingState& state, const NewPositions& added, const WantedRows& wanted) override {
    const at::NoGradGuard no_grad;
    auto& own = dynamic_cast<AttentionState&>(state);
    const AppendStep step = own.begin(added);
    Inputs inputs;
    inputs.ids = added.ids;
    inputs.sequences = added.sequences;
    inputs.prefix = added.prefix;
    const Place place{step.positions, step.end};
    const Tensor states = stack_->append(embed(inputs, place), view(inputs, place), own, step);  // [M, D]
    return states.index_select(0, wanted.rows);
  }

  // logits = states · embeddingᵀ
  Projection project(const Tensor& rows) override {
    check(options_.lm_head, "this gpt has no output projection (model.lm_head is false)");
    return {.rows = rows, .weight = head_ ? head_->weight : tokens_->weight, .bias = {}};
  }

  double train_flops(const SequenceLengths& lengths, double labeled) const override {
    const double head = options_.lm_head ? static_cast<double>(vocab_rows() * options_.width) : 0;
    return 6 * (lengths.source * matrix_weights(*stack_) + labeled * head) +
           attention_flops(options_.layers, options_.width, lengths.source, (lengths.source + 1) / 2);
  }

 private:
  // Where the given ids stand.
  struct Place {
    Tensor positions;  // [N]
    int64_t end = 0;   // after the last position of the longest sequence
  };

  static Place place_of(const Inputs& inputs) {
    return {inputs.sequences.positions(), inputs.sequences.longest()};
  }

  // dropout(token + position): [N, D]
  Tensor embed(const Inputs& inputs, const Place& place) const {
    const Tensor x = tokens_->forward(inputs.ids);                                      // [N, D]
    const Tensor rows = positions_->rows(place.positions, place.end, x.scalar_type());  // [N, D] or undefined
    return dropout(rows.defined() ? x + rows : x,
                   is_training() ? options_.embedding_dropout.value_or(options_.dropout) : 0);
  }

  SelfView view(const Inputs& inputs, const Place& place) const {
    return {.sequences = inputs.sequences,
            .mask = inputs.prefix.empty() ? MaskKind::causal : MaskKind::prefix,
            .prefix = inputs.prefix,
            .rotations = {positions_->rotation(place.positions, place.end)},
            .trace = inputs.trace};
  }

  // All weights N(0, 0.02); GPT-2 divides those that write to the residual stream by √(2 · layers)
  // (section 2.3), GPT-1 does not.
  void initialize() {
    if (!draws_initial_weights()) {
      return;
    }
    const double std = options_.init_std;
    const double depth = options_.pre_norm ? std::sqrt(2.0 * static_cast<double>(options_.layers)) : 1;
    init::normal(tokens_->weight, std);
    if (positions_->weight.defined()) {
      init::normal(positions_->weight, std);
    }
    for (const auto& block : stack_->blocks) {
      init::block(*block, {.std = std, .residual_std = std / depth});
    }
    if (stack_->final_norm) {
      init::identity(*stack_->final_norm);
    }
    if (head_) {
      init::normal(*head_, std);
    }
  }

  GptOptions options_;
  int64_t max_length_;
  std::shared_ptr<Embedding> tokens_;  // [V, D]
  std::shared_ptr<Positions> positions_;
  std::shared_ptr<Stack> stack_;
  std::shared_ptr<Linear> head_;  // untied only
};

// Sizes of Radford et al. 2018 and 2019 and of the published checkpoints.
GptOptions gpt2(int64_t layers, int64_t width, int64_t heads) {
  return {.layers = layers,
          .width = width,
          .heads = heads,
          .positions = PositionKind::learned,
          .max_length = 1024,
          .vocab_size = 50257};
}

GptOptions gpt1() {
  GptOptions o = gpt2(12, 768, 12);
  o.pre_norm = false;
  o.max_length = 512;
  o.vocab_size = 40478;
  return o;
}

// Touvron et al. 2023 and the kind that came of it; a context of 4096 is Llama 2's.
struct LlamaSize {
  int64_t layers = 0, width = 0, heads = 0, kv_heads = 0, ffn_width = 0;
};
GptOptions llama(const LlamaSize& size, int64_t vocab_size, int64_t max_length) {
  return {.layers = size.layers,
          .width = size.width,
          .heads = size.heads,
          .kv_heads = size.kv_heads,
          .ffn_width = size.ffn_width,
          .activation = FeedForwardKind::swiglu,
          .norm = NormKind::rms,
          .bias = false,
          .max_length = max_length,
          .vocab_size = vocab_size,
          .tie_embeddings = false,
          .dropout = 0};
}

GptOptions llama2_7b() { return llama({32, 4096, 32, 32, 11008}, 32000, 4096); }

GptOptions llama3_8b() {
  GptOptions o = llama({32, 4096, 32, 8, 14336}, 128256, 8192);
  o.rope_theta = 500000;
  return o;
}

GptOptions smollm2_135m() {
  GptOptions o = llama({30, 576, 9, 3, 1536}, 49152, 8192);
  o.tie_embeddings = true;
  o.rope_theta = 100000;
  return o;
}

}  // namespace

void register_gpt(Registry& registry) {
  registry.add(ModelFamily{
      .name = "gpt",
      .summary = "decoder-only transformer: GPT-1, GPT-2, and LLaMA-like by options",
      .defaults = AnyOptions(GptOptions{}),
      .presets = {{"gpt1", AnyOptions(gpt1())},
                  {"gpt2", AnyOptions(gpt2(12, 768, 12))},
                  {"gpt2-medium", AnyOptions(gpt2(24, 1024, 16))},
                  {"gpt2-large", AnyOptions(gpt2(36, 1280, 20))},
                  {"gpt2-xl", AnyOptions(gpt2(48, 1600, 25))},
                  {"llama-2-7b", AnyOptions(llama2_7b())},
                  {"llama-3-8b", AnyOptions(llama3_8b())},
                  {"smollm2-135m", AnyOptions(smollm2_135m())}},
      .make = [](const AnyOptions& options, const ModelContext& context) -> std::shared_ptr<Model> {
        return std::make_shared<Gpt>(options.as<GptOptions>(), context);
      }});
}

}  // namespace lmzoo
