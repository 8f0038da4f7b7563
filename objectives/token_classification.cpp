// A class for each word of a sentence: named entities, parts of speech. Words are encoded one by one, so
// every id belongs to one; the first id of each is labeled.
//
//   words     Ada Lovelace wrote          tags   B-PER I-PER O  = 1 2 0
//   ids       101 9262 8590 10732 2626 102       [CLS] ada love ##lace wrote [SEP]
//   labels         1    2          0             subwords first: positions 1 2 4
//                  1    2    2     0             subwords all: B- goes on as I-
//
// Words beyond data.sequence_length have no label. Loss: cross-entropy of each label.
//
// Legend: N positions, K labels, C classes.
#include <map>

#include <ATen/ops/dropout.h>

#include "base/check.h"
#include "core/registry.h"
#include "objectives/parts/heads.h"
#include "objectives/parts/losses.h"
#include "objectives/parts/requirements.h"
#include "objectives/parts/task_objective.h"

namespace lmzoo {
namespace {

enum class Subwords { first, all };

struct TokenClassificationOptions {
  FrameKind format = FrameKind::automatic;
  Subwords subwords = Subwords::first;
  double dropout = 0.1;

  static constexpr void fields(auto& self, auto& visit) {
    visit("format", self.format, "special tokens around the text: as the tokenizer says (auto), bert, plain");
    visit("subwords", self.subwords, "which ids of a word are labeled: its first, or all");
    visit("dropout", self.dropout, "dropout before the output layer", half_open(0, 1));
  }
};

}  // namespace

template <>
struct EnumNames<Subwords> {
  static constexpr std::pair<Subwords, std::string_view> values[] = {{Subwords::first, "first"},
                                                                     {Subwords::all, "all"}};
};

namespace {

// What the further ids of a word have: inside instead of begin, where there is such a class.
std::vector<int64_t> continued(const std::vector<std::string>& classes) {
  std::map<std::string, int64_t> indexes;
  for (size_t i = 0; i < classes.size(); ++i) {
    indexes.emplace(classes[i], i);
  }
  std::vector<int64_t> next;
  for (size_t i = 0; i < classes.size(); ++i) {
    const auto inside =
        classes[i].starts_with("B-") ? indexes.find("I" + classes[i].substr(1)) : indexes.end();
    next.push_back(inside == indexes.end() ? static_cast<int64_t>(i) : inside->second);
  }
  return next;
}

// A note: which of an example's labels are the first of a word; predictions are theirs.
using FirstLabels = std::vector<int64_t>;

class TokenClassification final : public TaskObjective {
 public:
  TokenClassification(const TokenClassificationOptions& options, const ObjectiveContext& context)
      : options_(options),
        length_(context.sequence_length),
        frame_(options.format, context.vocabulary, "token_classification"),
        continued_(continued(context.classes)) {
    require_column(context.record, &RecordShape::tags, "tags", "token_classification");
    check(continued_.size() >= 2,
          "token_classification needs data with at least 2 different tags, and the training data has {}",
          continued_.size());
    require_length(length_, 1 + frame_.added(1), "token_classification");
    output_ = register_module("output", new_head_map(context.width, std::ssize(continued_)));
  }

  ObjectiveForm form() const override { return {.layout = Layout::in_place}; }
  std::vector<Slot> slots() const override { return {{.name = "tag", .predicts = Predicts::classes}}; }
  ObjectiveLengths lengths() const override {
    return {.raw = length_ - frame_.added(1), .source = length_, .target = 0, .added = frame_.added(1)};
  }

  Example example(const Sample& sample, const TrainingPlace&, Stream&) const override {
    const int64_t kept = std::min(std::ssize(sample.ids), lengths().raw);
    FramedTexts text = frame_.one(head_of(sample.ids, kept));
    Target tags;
    FirstLabels words;
    for (size_t w = 0; w < sample.word_starts.size(); ++w) {
      const int64_t begin = sample.word_starts[w];
      const int64_t end = std::min(
          kept, w + 1 < sample.word_starts.size() ? sample.word_starts[w + 1] : std::ssize(sample.ids));
      if (begin >= end) {
        continue;  // cut off, or of characters that the tokenizer drops
      }
      words.push_back(std::ssize(tags.at));
      add(tags, text.first + begin, sample.tags.at(w));
      for (int64_t i = begin + 1; i < end && options_.subwords == Subwords::all; ++i) {
        add(tags, text.first + i, continued_.at(static_cast<size_t>(sample.tags[w])));
      }
    }
    return {.layout = Layout::in_place,
            .sequences = {{.ids = std::move(text.ids)}},
            .targets = {std::move(tags)},
            .note = std::move(words)};
  }

 protected:
  Tensor outputs(Model& model, const Batch& batch) override {
    const Tensor rows = model.encode_at(batch.inputs, batch.slots.front().wanted());  // [K, D]
    return output_->forward(at::dropout(rows, options_.dropout, is_training()));
  }
  LossTerm loss_of(const Tensor& scores, const Batch& batch) const override {
    return class_loss(scores, batch.slots.front(), 0);
  }

  Predictions predictions_of(const Tensor& scores, const Batch& batch) const override {
    const std::vector<int64_t> best = list_of(scores.argmax(1));
    const SlotBatch& tagged = batch.slots.front();
    const std::vector<int64_t> labels = list_of(tagged.labels);
    Predictions predictions;
    Compared<std::vector<int64_t>>& tags = predictions.tags;
    int64_t first = 0;  // of the example's labels
    for (size_t i = 0; i < batch.notes.size(); ++i) {
      std::vector<int64_t>& given = tags.given.emplace_back();
      std::vector<int64_t>& expected = tags.expected.emplace_back();
      for (const int64_t word : std::any_cast<const FirstLabels&>(batch.notes[i])) {
        given.push_back(best[static_cast<size_t>(first + word)]);
        expected.push_back(labels[static_cast<size_t>(first + word)]);
      }
      first += tagged.counts[i];
    }
    return predictions;
  }

 private:
  static void add(Target& tags, int64_t position, int64_t label) {
    tags.at.push_back(position);
    tags.labels.push_back(label);
  }

  TokenClassificationOptions options_;
  int64_t length_;
  InputFrame frame_;
  std::vector<int64_t> continued_;  // [C]
  std::shared_ptr<Linear> output_;
};

}  // namespace

void register_token_classification(Registry& registry) {
  registry.add(ObjectiveKind{
      .name = "token_classification",
      .summary = "predict a class for each word",
      .defaults = AnyOptions(TokenClassificationOptions{}),
      .make = [](const AnyOptions& options, const ObjectiveContext& context) -> std::shared_ptr<Objective> {
        return std::make_shared<TokenClassification>(options.as<TokenClassificationOptions>(), context);
      }});
}

}  // namespace lmzoo
