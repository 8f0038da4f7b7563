#include "core/input_frame.h"

#include "base/check.h"

namespace lmzoo {
namespace {

void append(std::vector<int64_t>& ids, std::span<const int64_t> more) {
  ids.insert(ids.end(), more.begin(), more.end());
}

InputTemplate bert_template(const Vocabulary& vocabulary, const std::string& user) {
  const int64_t sep = required_token(vocabulary.sep, "[SEP]", user);
  return {.before = {required_token(vocabulary.cls, "[CLS]", user)},
          .between = {sep},
          .after = {sep},
          .second_type = true};
}

InputTemplate plain_template(const Vocabulary& vocabulary, const std::string& user) {
  const int64_t eos = required_token(vocabulary.eos, "eos", user);
  return {.before = {}, .between = {eos}, .after = {eos}};
}

InputTemplate template_of(FrameKind kind, const Vocabulary& vocabulary, std::string_view objective) {
  const auto user = [&](std::string_view name) { return fmt::format("{} with format {}", objective, name); };
  const bool as_bert = vocabulary.cls && vocabulary.sep;
  if (kind == FrameKind::automatic && vocabulary.inputs) {
    return *vocabulary.inputs;
  }
  return kind == FrameKind::bert || (kind == FrameKind::automatic && as_bert)
             ? bert_template(vocabulary, user("bert"))
             : plain_template(vocabulary, user("plain"));
}

}  // namespace

InputFrame::InputFrame(FrameKind kind, const Vocabulary& vocabulary, std::string_view objective)
    : frame_(template_of(kind, vocabulary, objective)) {}

InputFrame InputFrame::of_text(Architecture architecture, const Vocabulary& vocabulary) {
  switch (architecture) {
    case Architecture::encoder_only:
      if (vocabulary.inputs) {
        return InputFrame(*vocabulary.inputs);
      }
      return InputFrame(vocabulary.cls && vocabulary.sep ? bert_template(vocabulary, "bert")
                                                         : InputTemplate{});
    case Architecture::encoder_decoder:
      return InputFrame(vocabulary.eos ? plain_template(vocabulary, "plain") : InputTemplate{});
    case Architecture::decoder_only:
      break;
  }
  return InputFrame(InputTemplate{});
}

InputFrame InputFrame::of_source(const Vocabulary& vocabulary) {
  return InputFrame(plain_template(vocabulary, "a source text"));
}

int64_t start_symbol(const Vocabulary& vocabulary) {
  for (const std::optional<int64_t>& id : {vocabulary.pad, vocabulary.bos, vocabulary.eos}) {
    if (id) {
      return *id;
    }
  }
  throw InputError("the decoder needs a symbol to begin with, but the tokenizer has no pad, bos or eos");
}

int64_t InputFrame::added(int64_t texts) const {
  if (texts <= 1 && frame_.alone) {
    return std::ssize(frame_.alone->before) + std::ssize(frame_.alone->after);
  }
  return std::ssize(frame_.before) + std::ssize(frame_.after) + (texts > 1 ? std::ssize(frame_.between) : 0);
}

FramedTexts InputFrame::one(std::span<const int64_t> text) const {
  const std::vector<int64_t>& before = frame_.alone ? frame_.alone->before : frame_.before;
  FramedTexts framed{.ids = before, .token_types = {}, .first = std::ssize(before)};
  append(framed.ids, text);
  append(framed.ids, frame_.alone ? frame_.alone->after : frame_.after);
  framed.second = std::ssize(framed.ids);
  return framed;
}

FramedTexts InputFrame::pair(std::span<const int64_t> a, std::span<const int64_t> b) const {
  FramedTexts framed{.ids = frame_.before, .token_types = {}, .first = std::ssize(frame_.before)};
  append(framed.ids, a);
  append(framed.ids, frame_.between);
  framed.second = std::ssize(framed.ids);
  append(framed.ids, b);
  append(framed.ids, frame_.after);
  if (frame_.second_type) {
    framed.token_types.assign(static_cast<size_t>(framed.second), 0);
    framed.token_types.resize(framed.ids.size(), 1);
  }
  return framed;
}

std::pair<int64_t, int64_t> longest_first(int64_t a, int64_t b, int64_t room) {
  if (a + b <= room) {
    return {a, b};
  }
  const bool a_is_shorter = a <= b;
  int64_t shorter = std::min(a, b);
  int64_t longer = std::max(shorter, room - shorter);
  if (shorter + longer > room) {
    shorter = room / 2;
    longer = room - shorter;
  }
  return a_is_shorter ? std::pair(shorter, longer) : std::pair(longer, shorter);
}

}  // namespace lmzoo
