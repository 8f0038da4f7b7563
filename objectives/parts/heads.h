// What tasks put on a model: a state for the whole sequence and a small network on it. Heads belong to the
// objective, so that a warm start takes the body and leaves the head; only BERT's pooler is the model's.
//
//   published head            pooling  dense  activation  input_dropout
//   BertForSequence...        pooler   false
//   RobertaForSequence...     first    true   tanh        true
//   DistilBertForSequence...  first    true   relu        false
//   ElectraForSequence...     first    true   gelu        true
//   GPT2ForSequence...        last     false  (and dropout 0, output_bias false)
//
// Legend: n sequences, N positions, D width, C outputs.
#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include "base/fields.h"
#include "core/input_frame.h"
#include "core/model.h"
#include "core/module.h"
#include "core/registry.h"
#include "nn/linear.h"

namespace lmzoo {

// Which state stands for a sequence.
enum class Pooling { first, last, mean, pooler };
template <>
struct EnumNames<Pooling> {
  static constexpr std::pair<Pooling, std::string_view> values[] = {{Pooling::first, "first"},
                                                                    {Pooling::last, "last"},
                                                                    {Pooling::mean, "mean"},
                                                                    {Pooling::pooler, "pooler"}};
};
enum class HeadActivation { tanh, relu, gelu };
template <>
struct EnumNames<HeadActivation> {
  static constexpr std::pair<HeadActivation, std::string_view> values[] = {
      {HeadActivation::tanh, "tanh"}, {HeadActivation::relu, "relu"}, {HeadActivation::gelu, "gelu"}};
};

// A linear map of a head: weight from N(0, 0.02²), bias 0.
std::shared_ptr<Linear> new_head_map(int64_t in, int64_t out, bool bias = true);

// Options of a head, for objectives that have more options beside them.
constexpr void visit_head(auto& self, auto& visit) {
  visit("pooling",
        self.pooling,
        "which state stands for the sequence: of its first or last token, the mean of all, or the first "
        "through the model's own pooler");
  visit("format",
        self.format,
        "special tokens: as the tokenizer says (auto), bert [CLS] a [SEP] b [SEP], plain a eos b eos");
  visit("dense", self.dense, "whether a layer with an activation comes before the output layer");
  visit("activation", self.activation, "of the dense layer");
  visit("input_dropout", self.input_dropout, "whether dropout comes before the dense layer, too");
  visit("dropout", self.dropout, "dropout before the output layer", half_open(0, 1));
  visit("output_bias", self.output_bias, "whether the output layer has a bias");
}

struct HeadOptions {
  Pooling pooling = Pooling::first;
  FrameKind format = FrameKind::automatic;
  bool dense = true;  // a layer of its own before the output; without it fewer weights are new
  HeadActivation activation = HeadActivation::tanh;
  bool input_dropout = false;  // before the dense layer, too
  double dropout = 0.1;        // on what the output layer reads
  bool output_bias = true;

  static constexpr void fields(auto& self, auto& visit) { visit_head(self, visit); }
};
HeadOptions head_options(const auto& o) {
  return {.pooling = o.pooling,
          .format = o.format,
          .dense = o.dense,
          .activation = o.activation,
          .input_dropout = o.input_dropout,
          .dropout = o.dropout,
          .output_bias = o.output_bias};
}

// The mean state of each sequence: [N, D] -> [n, D]
Tensor mean_pool(const Tensor& states, const Sequences& sequences);
// One row of each sequence: [n]
WantedRows first_rows(const Sequences& sequences);
WantedRows last_rows(const Sequences& sequences);

// state -> (dropout) -> dense + activation -> dropout -> output
class Head {
 public:
  // Its layers become children of the objective: `dense` and `output`. Refuses a pooling that the model
  // cannot give. `user`: the objective's name, for messages.
  Head(const HeadOptions& options, const ObjectiveContext& context, int64_t outputs, std::string_view user);
  void register_in(Module& objective);

  Tensor state(Model& model, const Inputs& inputs) const;  // [n, D]
  // The same of states [N, D] that are there already.
  Tensor state_of(Model& model, const Tensor& states, const Sequences& sequences) const;
  Tensor forward(const Tensor& state, bool is_training) const;  // [n, D] -> [n, C]

 private:
  WantedRows row_of_each(const Sequences& sequences) const;
  Tensor pooled(Model& model, const Tensor& rows) const;  // [n, D] -> [n, D]

  HeadOptions options_;
  std::shared_ptr<Linear> dense_, output_;  // dense_ is null without
};

}  // namespace lmzoo
