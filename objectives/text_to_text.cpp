// A text from a text, whatever the task (Raffel et al., "T5", 2019): the source says with a prefix what is
// wanted (data.train.prefix), and the target is the answer in words.
//
//   prefix "sst2 sentence: "     source 3 8 99 7142 10 ... 1     target 1465 1
//
// On an encoder-decoder the source goes to the encoder; on a decoder-only model both are one sequence whose
// source is read from both sides, as data/batches/collate.h has it, and share data.sequence_length: the source is cut
// first.
#include "base/check.h"
#include "core/registry.h"
#include "objectives/parts/losses.h"
#include "objectives/parts/requirements.h"

namespace lmzoo {
namespace {

struct TextToTextOptions {
  int64_t target_length = 128;

  static constexpr void fields(auto& self, auto& visit) {
    visit("target_length", self.target_length, "a longer target is cut, in ids with its end", at_least(2));
  }
};

class TextToText final : public Objective {
 public:
  TextToText(const TextToTextOptions& options, const ObjectiveContext& context)
      : length_(context.sequence_length),
        target_length_(options.target_length),
        eos_(required_token(context.vocabulary.eos, "eos", "text_to_text")),
        joined_(context.architecture == Architecture::decoder_only) {
    require_column(context.record, &RecordShape::target, "target", "text_to_text");
    require_length(length_, joined_ ? target_length_ + 2 : 2, "text_to_text");
  }

  ObjectiveForm form() const override { return {.layout = Layout::source_target}; }
  ObjectiveLengths lengths() const override {
    const int64_t source = joined_ ? length_ - target_length_ : length_;
    return {.raw = source - 1, .source = source, .target = target_length_};
  }

  Example example(const Sample& sample, const TrainingPlace&, Stream&) const override {
    std::vector<int64_t> target = cut(sample.target, target_length_);
    std::vector<int64_t> source = sample.ids;
    for (const std::vector<int64_t>& text : sample.further_texts) {
      source.insert(source.end(), text.begin(), text.end());
    }
    const int64_t room = joined_ ? length_ - std::ssize(target) : length_;
    return source_target(cut(source, room), std::move(target));
  }

  bool cuts(const Sample& sample) const override {
    auto source = std::ssize(sample.ids);
    for (const std::vector<int64_t>& text : sample.further_texts) {
      source += std::ssize(text);
    }
    const int64_t target = std::ssize(sample.target) + 1;
    const int64_t room = joined_ ? length_ - std::min(target, target_length_) : length_;
    return target > target_length_ || source + 1 > room;
  }

  Losses loss(Model& model, const Batch& batch, Stream&) override {
    return {language_model_loss(model, batch)};
  }

 private:
  // At most `length` ids, the last of which is eos.
  std::vector<int64_t> cut(const std::vector<int64_t>& ids, int64_t length) const {
    const auto kept = std::min<int64_t>(std::ssize(ids), length - 1);
    std::vector<int64_t> out(ids.begin(), ids.begin() + kept);
    out.push_back(eos_);
    return out;
  }

  int64_t length_, target_length_, eos_;
  bool joined_;
};

}  // namespace

void register_text_to_text(Registry& registry) {
  registry.add(ObjectiveKind{
      .name = "text_to_text",
      .summary = "write a target for a source text",
      .defaults = AnyOptions(TextToTextOptions{}),
      .make = [](const AnyOptions& options, const ObjectiveContext& context) -> std::shared_ptr<Objective> {
        return std::make_shared<TextToText>(options.as<TextToTextOptions>(), context);
      }});
}

}  // namespace lmzoo
