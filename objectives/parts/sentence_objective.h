// Masked LM of two segments, and beside it a class of the pair: what next_sentence and sentence_order share. They differ in
// where the second segment comes from.
//
//   [CLS] first [SEP] second [SEP]     masked ids (objectives/parts/masking.h), and a class by a head on the first state
//   [CLS] first [SEP]                  a segment that has no other: masked ids alone
//
// The loss is that of BERT (google-research/bert, run_pretraining.py): the mean over the masked ids plus the mean over the
// pairs. The head is transformers' `cls.seq_relationship`: a linear map of BERT's pooler, without dropout; a model that
// has no pooler gets one with the head.
//
// Legend: n sequences, N positions, D width, K labeled pairs.
#pragma once

#include <string>

#include "core/input_frame.h"
#include "core/registry.h"
#include "objectives/parts/heads.h"
#include "objectives/parts/masking.h"
#include "objectives/parts/sentence_pairs.h"

namespace lmzoo {

struct SentenceOptions {
  MaskingDialect dialect = MaskingDialect::bert;
  Rate rate = 0.15;
  std::optional<double> eval_rate{};
  std::optional<double> mask_share{};
  std::optional<double> random_share{};
  std::optional<int64_t> max_predictions{};
  bool whole_words = false;
  double short_share = 0.1;     // BERT: so that pairs shorter than the window are known from pre-training
  double negative_share = 0.5;  // of the pairs
  double pair_weight = 1;

  static constexpr void fields(auto& self, auto& visit) {
    visit_masking(self, visit);
    visit("short_share",
          self.short_share,
          "share of the documents whose pairs have a length drawn anew, of 2 ids up to the longest",
          between(0, 1));
    visit("negative_share",
          self.negative_share,
          "share of the pairs of another document (next_sentence), or in the wrong order (sentence_order)",
          between(0, 1));
    visit("pair_weight", self.pair_weight, "weight of the loss of the class of the pair", at_least(0));
  }
};

class SentenceObjective : public Objective {
 public:
  SentenceObjective(const SentenceOptions& options, const ObjectiveContext& context, std::string name);

  std::vector<Slot> slots() const override {
    return {{.name = "masked"}, {.name = "pair", .level = Level::sequence, .predicts = Predicts::classes}};
  }
  ObjectiveLengths lengths() const override {
    return {.raw = room(), .source = length_, .target = 0, .added = frame_.added(2)};
  }
  Example example(const Sample& sample, const TrainingPlace& place, Stream& stream) const override {
    return examples(sample, place, stream).front();
  }
  // All pairs of a document.
  std::vector<Example> examples(const Sample& sample,
                                const TrainingPlace& place,
                                Stream& stream) const override;
  bool cuts(const Sample&) const override { return false; }
  Losses loss(Model& model, const Batch& batch, Stream& stream) override;

 protected:
  // Whole sentences [first, end) of a document.
  struct Chunk {
    int64_t first = 0, end = 0;
    int64_t target = 0;  // ids that were asked for
  };
  struct Taken {
    SegmentPair pair;
    int64_t next = 0;  // the sentence that the next chunk begins with
  };
  virtual Taken take(const Sample& sample, const Chunk& chunk, Stream& stream) const = 0;

  SentenceText sentences(const Sample& sample) const { return {sample, name_}; }
  static int64_t draw_split(const Chunk& chunk, Stream& stream) {  // of two sentences or more
    return chunk.first + 1 + static_cast<int64_t>(stream.below(chunk.end - chunk.first - 1));
  }
  bool draw_negative(Stream& stream) const { return stream.uniform() < options_.negative_share; }
  int64_t room() const { return length_ - frame_.added(2); }

 private:
  Example framed(const SegmentPair& pair, const TrainingPlace& place, Stream& stream) const;

  SentenceOptions options_;
  std::string name_;
  int64_t length_;
  InputFrame frame_;
  Masking masking_;
  Head head_;
};

// Registers an objective of these options.
template <class Made>
ObjectiveKind sentence_objective_kind(std::string name, std::string summary) {
  return {
      .name = std::move(name),
      .summary = std::move(summary),
      .defaults = AnyOptions(SentenceOptions{}),
      .make = [](const AnyOptions& options, const ObjectiveContext& context) -> std::shared_ptr<Objective> {
        return std::make_shared<Made>(options.as<SentenceOptions>(), context);
      }};
}

}  // namespace lmzoo
