#include "objectives/parts/sequence_task.h"

#include "base/check.h"
#include "objectives/parts/requirements.h"

namespace lmzoo {

SequenceTask::SequenceTask(const HeadOptions& options,
                           const ObjectiveContext& context,
                           Slot slot,
                           int64_t outputs,
                           const std::string& name)
    : slot_(std::move(slot)),
      texts_(std::max<int64_t>(context.record.texts, 1)),
      length_(context.sequence_length),
      frame_(options.format, context.vocabulary, name),
      head_(options, context, outputs, name) {
  check(texts_ <= 2, "{} reads one text or a pair, but data.train.text names {} columns", name, texts_);
  require_length(length_, texts_ + added(), name);
  head_.register_in(*this);
}

Example SequenceTask::framed(const Sample& sample) const {
  FramedTexts texts;
  if (sample.further_texts.empty()) {
    texts = frame_.one(head_of(sample.ids, length_ - frame_.added(1)));
  } else {
    const auto [a, b] =
        longest_first(std::ssize(sample.ids), std::ssize(sample.further_texts[0]), length_ - frame_.added(2));
    texts = frame_.pair(head_of(sample.ids, a), head_of(sample.further_texts[0], b));
  }
  return {.layout = Layout::in_place,
          .sequences = {{.ids = std::move(texts.ids), .token_types = std::move(texts.token_types)}},
          .targets = {{}}};
}

Tensor SequenceTask::scores(Model& model, const Inputs& inputs) {
  return head_.forward(head_.state(model, inputs), is_training());
}

}  // namespace lmzoo
