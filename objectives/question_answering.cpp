// The answer to a question as a part of a passage (Rajpurkar et al., "SQuAD", 2016 and 2018; the head of
// Devlin et al. 2019): a score for each position of being the answer's first, and of being its last.
//
//   question 7 8, passage 10 11 12 13, answer 12 13     101 7 8 102 10 11 12 13 102     begin 6, end 7
//   no answer, or not in this piece                                                     begin 0, end 0
//
// A passage that is too long is read in pieces that overlap by `stride` ids: with room for 3 and stride 1
//   10 11 12 | 12 13
//
// Loss: the mean of the cross-entropies of both ends, over all positions of the sequence. Label: of several
// answers the first. Predictions: the n best of all pieces (objectives/parts/answer_spans.h).
//
// Legend: n sequences, N positions.
#include "base/check.h"
#include "core/registry.h"
#include "objectives/parts/answer_spans.h"
#include "objectives/parts/heads.h"
#include "objectives/parts/losses.h"
#include "objectives/parts/requirements.h"
#include "objectives/parts/task_objective.h"

namespace lmzoo {
namespace {

struct QuestionAnsweringOptions {
  FrameKind format = FrameKind::automatic;
  int64_t stride = 128;
  int64_t max_question_length = 64;
  int64_t max_answer_length = 30;
  int64_t n_best = 20;
  bool no_answer = false;
  double null_threshold = 0;

  static constexpr void fields(auto& self, auto& visit) {
    visit("format", self.format, "special tokens: as the tokenizer says (auto), bert, plain");
    visit("stride", self.stride, "ids that two pieces of a long passage share", at_least(0));
    visit("max_question_length", self.max_question_length, "a longer question is cut, in ids", at_least(1));
    visit(
        "max_answer_length", self.max_answer_length, "longest answer that is predicted, in ids", at_least(1));
    visit("n_best", self.n_best, "candidates that are kept of each passage", between(1, 1000));
    visit("no_answer", self.no_answer, "whether a passage may have no answer (SQuAD 2.0)");
    visit("null_threshold",
          self.null_threshold,
          "no answer is chosen when its score exceeds the best answer's by more");
  }
};

class QuestionAnswering final : public TaskObjective {
 public:
  QuestionAnswering(const QuestionAnsweringOptions& options, const ObjectiveContext& context)
      : options_(options),
        length_(context.sequence_length),
        frame_(options.format, context.vocabulary, "question_answering") {
    const RecordShape& record = context.record;
    require_column(record, &RecordShape::answer, "answer", "question_answering");
    check(record.texts == 0 || record.texts == 2,
          "question_answering reads a question and a passage, but data.train.text names {}{}; as in text: "
          "[question, context]",
          record.texts,
          record.texts == 1 ? " column" : " columns");
    const int64_t room = length_ - frame_.added(2) - options.max_question_length;
    check(room > options.stride,
          "question_answering has room for {} ids of a passage beside a question of {} (data.sequence_length "
          "{}), but they must be more than stride = {}",
          std::max<int64_t>(room, 0),
          options.max_question_length,
          length_,
          options.stride);
    output_ = register_module("output", new_head_map(context.width, 2));
  }

  ObjectiveForm form() const override { return {.layout = Layout::in_place}; }
  std::vector<Slot> slots() const override {
    return {{.name = "ends", .level = Level::sequence, .predicts = Predicts::rows, .width = 2}};
  }
  ObjectiveLengths lengths() const override {
    return {.raw = length_ - frame_.added(2), .source = length_, .target = 0, .added = frame_.added(2)};
  }

  Example example(const Sample& sample, const TrainingPlace& place, Stream& stream) const override {
    return examples(sample, place, stream).front();
  }

  std::vector<Example> examples(const Sample& sample, const TrainingPlace&, Stream&) const override {
    check(sample.passage != nullptr && sample.further_texts.size() == 1,
          "question_answering needs samples of a question and a passage");
    const auto question = head_of(sample.ids, options_.max_question_length);
    const std::vector<int64_t>& passage = sample.further_texts.front();
    const int64_t room = length_ - frame_.added(2) - std::ssize(question);
    std::vector<Example> pieces;
    for (int64_t first = 0;; first += room - options_.stride) {
      const int64_t count = std::min(room, std::ssize(passage) - first);
      const auto part = std::span(passage).subspan(static_cast<size_t>(first), static_cast<size_t>(count));
      FramedTexts texts = frame_.pair(question, part);
      const PassagePiece piece{
          .passage = sample.passage, .first = first, .offset = texts.second, .count = count};
      pieces.push_back(
          {.layout = Layout::in_place,
           .sequences = {{.ids = std::move(texts.ids), .token_types = std::move(texts.token_types)}},
           .targets = {{.labels = ends_in(piece)}},
           .note = piece});
      if (first + count == std::ssize(passage)) {
        return pieces;
      }
    }
  }

  // A long passage is read in pieces.
  bool cuts(const Sample& sample) const override {
    return std::ssize(sample.ids) > options_.max_question_length;
  }

 protected:
  Tensor outputs(Model& model, const Batch& batch) override {
    return output_->forward(model.encode(batch.inputs));  // [N, 2]
  }

  LossTerm loss_of(const Tensor& logits, const Batch& batch) const override {
    const Sequences& sequences = batch.inputs.sequences;
    const SlotBatch& targets = batch.slots.front();
    Tensor sum, right;
    for (const int64_t end : {0, 1}) {
      const Tensor padded = padded_logits(logits.select(1, end), sequences);
      const SlotBatch ends{.labels = targets.labels.select(1, end).contiguous(), .weights = targets.weights};
      const Tensor part = class_loss(padded, ends, 0).sum / 2;
      const Tensor hits = padded.detach().argmax(1).eq(ends.labels);
      sum = sum.defined() ? sum + part : part;
      right = right.defined() ? right.logical_and(hits) : hits;
    }
    return {.sum = sum, .metrics = {{"correct_spans", right.sum()}}};
  }

  Predictions predictions_of(const Tensor& logits, const Batch& batch) const override {
    const std::vector<std::vector<double>> rows = rows_of(logits);
    const Sequences& sequences = batch.inputs.sequences;
    const AnswerRules rules{.candidates = options_.n_best,
                            .longest = options_.max_answer_length,
                            .no_answer = options_.no_answer,
                            .null_threshold = options_.null_threshold};
    Predictions predictions;
    std::vector<PieceLogits> of_passage;
    std::vector<PassagePiece> pieces;
    for (int64_t i = 0; i < sequences.count(); ++i) {
      PieceLogits& own = of_passage.emplace_back();
      for (int64_t t = sequences.start(i); t < sequences.start(i) + sequences.length(i); ++t) {
        own.begin.push_back(rows[static_cast<size_t>(t)][0]);
        own.end.push_back(rows[static_cast<size_t>(t)][1]);
      }
      pieces.push_back(piece_at(batch, i));
      if (i + 1 == sequences.count() || piece_at(batch, i + 1).passage != pieces.back().passage) {
        predictions.answers.push_back(best_answers(pieces, of_passage, rules));
        of_passage.clear();
        pieces.clear();
      }
    }
    return predictions;
  }

 private:
  // First and last position of the answer in the sequence that reads this piece; 0 and 0 without one.
  static std::vector<int64_t> ends_in(const PassagePiece& piece) {
    if (piece.passage->answers.empty()) {
      return {0, 0};
    }
    const auto ids = ids_of_answer(*piece.passage, piece.passage->answers.front(), piece.first, piece.count);
    if (!ids) {
      return {0, 0};
    }
    return {piece.offset + ids->first - piece.first, piece.offset + ids->second - piece.first};
  }

  static const PassagePiece& piece_at(const Batch& batch, int64_t sequence) {
    return std::any_cast<const PassagePiece&>(batch.notes.at(static_cast<size_t>(sequence)));
  }

  QuestionAnsweringOptions options_;
  int64_t length_;
  InputFrame frame_;
  std::shared_ptr<Linear> output_;
};

}  // namespace

void register_question_answering(Registry& registry) {
  registry.add(ObjectiveKind{
      .name = "question_answering",
      .summary = "find the answer to a question in a passage",
      .defaults = AnyOptions(QuestionAnsweringOptions{}),
      .make = [](const AnyOptions& options, const ObjectiveContext& context) -> std::shared_ptr<Objective> {
        return std::make_shared<QuestionAnswering>(options.as<QuestionAnsweringOptions>(), context);
      }});
}

}  // namespace lmzoo
