// One class for every sequence: a head on a pooled state of the model's source side, trained with the model.
// The head belongs to the objective, so a warm start takes the body and leaves the head.
//
//   format bert    101 4248 2829 102      [CLS] quick brown [SEP]
//   format plain   4248 2829 1            quick brown </s>
//
// Head: state -> dense + tanh -> dropout -> output (BERT's), or without `dense` only the last two.
//
// Legend: n sequences, N positions, D width, C classes.
#include <stdexcept>

#include <ATen/ops/dropout.h>
#include <ATen/ops/linear.h>

#include "core/registry.h"
#include "objectives/classifier.h"
#include "objectives/losses.h"
#include "objectives/requirements.h"

namespace lmzoo {
namespace {

enum class Pooling { first, last, mean };
enum class TextFormat { bert, plain };

struct ClassificationOptions {
  Pooling pooling = Pooling::first;
  TextFormat format = TextFormat::bert;
  bool dense = true;           // a layer of its own before the output; without it fewer weights are new
  double dropout = 0.1;        // on what the output layer reads
  double label_smoothing = 0;  // share of the target that goes to all classes evenly

  static constexpr void fields(auto& self, auto& visit) {
    visit("pooling",
          self.pooling,
          "which state stands for the sequence: of its first or last token, or the mean of all");
    visit("format", self.format, "special tokens: bert [CLS] text [SEP], plain text eos");
    visit("dense", self.dense, "whether a layer with tanh comes before the output layer");
    visit("dropout", self.dropout, "dropout before the output layer", half_open(0, 1));
    visit("label_smoothing",
          self.label_smoothing,
          "share of the target spread over all classes",
          half_open(0, 1));
  }
};

}  // namespace

template <>
struct EnumNames<Pooling> {
  static constexpr std::pair<Pooling, std::string_view> values[] = {
      {Pooling::first, "first"}, {Pooling::last, "last"}, {Pooling::mean, "mean"}};
};
template <>
struct EnumNames<TextFormat> {
  static constexpr std::pair<TextFormat, std::string_view> values[] = {{TextFormat::bert, "bert"},
                                                                       {TextFormat::plain, "plain"}};
};

namespace {

// states [N, D] -> one a sequence [n, D].
Tensor pool(const Tensor& states, const Sequences& sequences, Pooling pooling) {
  const Tensor starts = sequences.offsets();  // [n+1]
  const int64_t n = sequences.count();
  switch (pooling) {
    case Pooling::first:
      return states.index_select(0, starts.narrow(0, 0, n));
    case Pooling::last:
      return states.index_select(0, starts.narrow(0, 1, n) - 1);
    case Pooling::mean: {
      // Padded rather than index_add, which on a GPU adds in another order every time. Sums need float32.
      const Tensor exact = states.scalar_type() == torch::kFloat64 ? states : states.to(torch::kFloat32);
      return to_padded(exact, sequences).sum(1) / starts.diff().unsqueeze(1);
    }
  }
  throw std::logic_error("pool: no such pooling");
}

class Affine final : public torch::nn::Module {
 public:
  Affine(int64_t in, int64_t out)
      : weight_(register_parameter("weight", torch::empty({out, in}).normal_(0, 0.02))),
        bias_(register_parameter("bias", torch::zeros({out}))) {}

  Tensor forward(const Tensor& x) const { return at::linear(x, weight_, bias_); }  // [n, in] -> [n, out]

 private:
  Tensor weight_, bias_;
};

class Classification final : public Objective, public Classifier {
 public:
  Classification(const ClassificationOptions& options, const ObjectiveContext& context)
      : options_(options), classes_(context.classes), length_(context.sequence_length) {
    check(classes_.size() >= 2,
          "classification needs data with at least 2 different labels, and the training data has ",
          classes_.size());
    check(options.pooling != Pooling::first || context.architecture != Architecture::decoder_only,
          "pooling is first, but the first state of a decoder-only model has seen only one token; legal are "
          "last, mean");
    if (options.format == TextFormat::bert) {
      before_.push_back(required_token(context.vocabulary.cls, "[CLS]", "classification with format bert"));
      after_.push_back(required_token(context.vocabulary.sep, "[SEP]", "classification with format bert"));
    } else {
      after_.push_back(required_token(context.vocabulary.eos, "eos", "classification with format plain"));
    }
    require_length(length_, 1 + added(), "classification");
    if (options.dense) {
      dense_ = register_module("dense", std::make_shared<Affine>(context.width, context.width));
    }
    output_ = register_module("output", std::make_shared<Affine>(context.width, std::ssize(classes_)));
  }

  FormKind form() const override { return FormKind::labeled; }
  ObjectiveLengths lengths() const override {
    return {.raw = length_ - added(), .source = length_, .target = 0, .added = added()};
  }

  Example example(const Sample& sample, Stream&) const override {
    check(sample.label >= 0 && sample.label < std::ssize(classes_),
          "a sample has label ",
          sample.label,
          " but there are ",
          classes_.size(),
          " classes");
    return Labeled{.ids = input_ids(sample.ids), .label = sample.label};
  }

  LossSums loss(Model& model, const Batch& batch) override {
    return class_loss(scores(model, batch.inputs), batch.labels, options_.label_smoothing);
  }

  const std::vector<std::string>& classes() const override { return classes_; }

  std::vector<int64_t> input_ids(std::span<const int64_t> content) const override {
    std::vector<int64_t> ids = before_;
    ids.insert(ids.end(), content.begin(), content.end());
    ids.insert(ids.end(), after_.begin(), after_.end());
    return ids;
  }

  Tensor scores(Model& model, const Inputs& inputs) override {
    Tensor state = pool(model.encode(inputs), inputs.sequences, options_.pooling);  // [n, D]
    if (dense_ != nullptr) {
      state = dense_->forward(state).tanh();
    }
    return output_->forward(at::dropout(state, options_.dropout, is_training()));  // [n, C]
  }

 private:
  int64_t added() const { return std::ssize(before_) + std::ssize(after_); }

  ClassificationOptions options_;
  std::vector<std::string> classes_;
  int64_t length_;
  std::vector<int64_t> before_, after_;  // special ids around every text
  std::shared_ptr<Affine> dense_, output_;
};

}  // namespace

void register_classification(Registry& registry) {
  registry.add(ObjectiveKind{
      .name = "classification",
      .summary = "predict the class of a text",
      .defaults = AnyOptions(ClassificationOptions{}),
      .make = [](const AnyOptions& options, const ObjectiveContext& context) -> std::shared_ptr<Objective> {
        return std::make_shared<Classification>(options.as<ClassificationOptions>(), context);
      }});
}

}  // namespace lmzoo
