#include "objectives/parts/sentence_objective.h"

#include "objectives/parts/losses.h"
#include "objectives/parts/requirements.h"

namespace lmzoo {
namespace {

HeadOptions relationship_head(const ObjectiveContext& context, const std::string& user) {
  check(context.architecture == Architecture::encoder_only,
        "{} reads a pair from both sides and tells its class from the first state: it needs an encoder-only "
        "model",
        user);
  return {
      .pooling = context.pooler ? Pooling::pooler : Pooling::first, .dense = !context.pooler, .dropout = 0};
}

// Its first state stands for the pair, so there must be one that is not of the text.
InputFrame pair_frame(const Vocabulary& vocabulary, const std::string& user) {
  required_token(vocabulary.cls, "[CLS]", user);
  return {FrameKind::automatic, vocabulary, user};
}

}  // namespace

SentenceObjective::SentenceObjective(const SentenceOptions& options,
                                     const ObjectiveContext& context,
                                     std::string name)
    : options_(options),
      name_(std::move(name)),
      length_(context.sequence_length),
      frame_(pair_frame(context.vocabulary, name_)),
      masking_(masking_options(options), context.vocabulary, name_),
      head_(relationship_head(context, name_), context, 2, name_) {
  require_sentences(context.record, name_);
  require_length(length_, 2 + frame_.added(2), name_);
  head_.register_in(*this);
}

std::vector<Example> SentenceObjective::examples(const Sample& sample,
                                                 const TrainingPlace& place,
                                                 Stream& stream) const {
  const bool is_short = stream.uniform() < options_.short_share;
  const int64_t target = is_short ? 2 + static_cast<int64_t>(stream.below(room() - 1)) : room();
  const SentenceText text = sentences(sample);
  std::vector<SegmentPair> pairs;
  for (int64_t first = 0; first < text.count();) {
    Taken taken = take(sample, {.first = first, .end = text.end_of(first, target), .target = target}, stream);
    pairs.push_back(std::move(taken.pair));
    first = taken.next;
  }
  std::vector<Example> made;
  for (const SegmentPair& pair : pairs) {
    made.push_back(framed(pair, place, stream));
  }
  return made;
}

Example SentenceObjective::framed(const SegmentPair& pair, const TrainingPlace& place, Stream& stream) const {
  const bool is_pair = !pair.second.empty();
  FramedTexts texts = is_pair ? frame_.pair(pair.first, pair.second) : frame_.one(pair.first);
  const int64_t end = is_pair ? texts.second + std::ssize(pair.second) : texts.first + std::ssize(pair.first);
  const Masking::Frame frame{.before = texts.first, .after = std::ssize(texts.ids) - end};
  MaskedText masked = masking_.corrupt(std::move(texts.ids), frame, place, stream);
  Example made = in_place(std::move(masked.ids), std::move(masked.positions), std::move(masked.labels));
  made.sequences.front().token_types = std::move(texts.token_types);
  made.targets.front().weights = std::move(masked.weights);
  if (is_pair) {
    made.targets.push_back({.slot = 1, .labels = {pair.label}});
  }
  return made;
}

Losses SentenceObjective::loss(Model& model, const Batch& batch, Stream&) {
  const Tensor states = model.hidden(batch.inputs);  // [N, D]
  const SlotBatch& pairs = batch.slots.at(1);
  const Tensor firsts = head_.state_of(model, states, batch.inputs.sequences);             // [n, D]
  const Tensor scores = head_.forward(firsts.index_select(0, pairs.rows), is_training());  // [K, 2]
  LossTerm relation = class_loss(scores, pairs, 0);
  relation.slot = 1;
  relation.weight = options_.pair_weight;
  return {language_model_loss(model, states, batch, 0), std::move(relation)};
}

}  // namespace lmzoo
