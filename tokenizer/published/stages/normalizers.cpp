#include "tokenizer/published/stages/normalizers.h"

#include <algorithm>
#include <utility>

#include "base/utf8.h"
#include "tokenizer/published/unicode/base64.h"
#include "tokenizer/published/unicode/patterns.h"

namespace lmzoo::huggingface {
namespace {

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char byte) { return static_cast<signed char>(byte) >= 0; });
}

void to_normal_form(NormalForm form, AlignedText& text) {
  std::vector<Change> changes;
  if (normal_form(form, text.text(), changes)) {
    text.transform(changes);
  }
}

void to_lower(AlignedText& text) {
  std::vector<Change> changes;
  bool changed = false;
  std::u32string lower;
  for (size_t at = 0; at < text.text().size();) {
    const char32_t c = next_code_point(text.text(), at);
    lower.clear();
    append_lower(c, lower);
    changed = changed || lower[0] != c;
    for (size_t i = 0; i < lower.size(); ++i) {
      changes.push_back({lower[i], i > 0 ? 1 : 0});
    }
  }
  if (changed) {
    text.transform(changes);
  }
}

class FormNormalizer final : public Normalizer {
 public:
  explicit FormNormalizer(NormalForm form) : form_(form) {}
  void apply(AlignedText& text) const override { to_normal_form(form_, text); }

 private:
  NormalForm form_;
};

class Lowercase final : public Normalizer {
 public:
  void apply(AlignedText& text) const override { to_lower(text); }
};

class StripAccents final : public Normalizer {
 public:
  void apply(AlignedText& text) const override {
    text.filter([](char32_t c) { return c < 0x80 || !is_combining_mark(c); });
  }
};

class Strip final : public Normalizer {
 public:
  Strip(bool left, bool right) : left_(left), right_(right) {}
  void apply(AlignedText& text) const override { strip(text, left_, right_); }

 private:
  bool left_, right_;
};

class Prepend final : public Normalizer {
 public:
  explicit Prepend(std::string content) : content_(std::move(content)) {}
  void apply(AlignedText& text) const override { text.prepend(content_); }

 private:
  std::string content_;
};

class Replace final : public Normalizer {
 public:
  Replace(std::string literal, MatchAt match, std::string content)
      : literal_(std::move(literal)), match_(match), content_(std::move(content)) {}

  void apply(AlignedText& text) const override {
    std::vector<Stretch> stretches;
    const Range whole{0, text.text().size()};
    if (match_ != nullptr) {
      stretches_of(match_, text.text(), whole, stretches);
    } else {
      stretches_of_literal(literal_, text.text(), whole, stretches);
    }
    std::vector<Range> matches;
    for (const Stretch& stretch : stretches) {
      if (stretch.is_match) {
        matches.push_back(stretch.range);
      }
    }
    text.replace(matches, content_);
  }

 private:
  std::string literal_;
  MatchAt match_;
  std::string content_;
};

class BertNormalizer final : public Normalizer {
 public:
  struct Options {
    bool clean = true;
    bool cjk = true;
    bool accents = true;  // strip them
    bool lower = true;
  };
  explicit BertNormalizer(const Options& options) : options_(options) {}

  void apply(AlignedText& text) const override {
    const bool ascii = is_ascii(text.text());
    if (options_.clean) {
      clean(text);
    }
    if (options_.cjk && !ascii) {
      space_cjk(text);
    }
    if (options_.accents && !ascii) {
      to_normal_form(NormalForm::nfd, text);
      text.filter([](char32_t c) { return c < 0x80 || !is_old_nonspacing_mark(c); });
    }
    if (options_.lower) {
      to_lower(text);
    }
  }

 private:
  // Drops control characters, and makes every white space one ' '.
  static void clean(AlignedText& text) {
    text.filter([](char32_t c) { return c != 0 && c != kReplacement && !is_old_control(c); });
    std::vector<Change> changes;
    bool changed = false;
    for (size_t at = 0; at < text.text().size();) {
      const char32_t c = next_code_point(text.text(), at);
      const bool space = c != ' ' && is_space(c);
      changed = changed || space;
      changes.push_back({space ? U' ' : c, 0});
    }
    if (changed) {
      text.transform(changes);
    }
  }

  static void space_cjk(AlignedText& text) {
    std::vector<Change> changes;
    bool changed = false;
    for (size_t at = 0; at < text.text().size();) {
      const char32_t c = next_code_point(text.text(), at);
      if (is_cjk(c)) {
        changes.insert(changes.end(), {{U' ', 0}, {c, 1}, {U' ', 1}});
        changed = true;
      } else {
        changes.push_back({c, 0});
      }
    }
    if (changed) {
      text.transform(changes);
    }
  }

  Options options_;
};

class SequenceNormalizer final : public Normalizer {
 public:
  explicit SequenceNormalizer(std::vector<NormalizerPtr> parts) : parts_(std::move(parts)) {}
  void apply(AlignedText& text) const override {
    for (const NormalizerPtr& part : parts_) {
      part->apply(text);
    }
  }

 private:
  std::vector<NormalizerPtr> parts_;
};

NormalizerPtr read_bert(const JsonPart& part) {
  part.only({"type", "clean_text", "handle_chinese_chars", "strip_accents", "lowercase"});
  const bool lower = part.flag_or("lowercase", true);
  return std::make_unique<BertNormalizer>(
      BertNormalizer::Options{.clean = part.flag_or("clean_text", true),
                              .cjk = part.flag_or("handle_chinese_chars", true),
                              .accents = part.flag_or("strip_accents", lower),
                              .lower = lower});
}

NormalizerPtr read_replace_normalizer(const JsonPart& part) {
  part.only({"type", "pattern", "content"});
  const JsonPart pattern = part.at("pattern");
  pattern.only({"String", "Regex"});
  if (pattern.has("String")) {
    const std::string literal = pattern.text("String");
    pattern.require(!literal.empty(), "an empty string cannot be replaced");
    return std::make_unique<Replace>(literal, nullptr, part.text("content"));
  }
  const std::string regex = pattern.text("Regex");
  const MatchAt match = known_pattern(regex);
  pattern.require(match != nullptr, "the regular expression \"{}\" is not known here", printable(regex));
  return std::make_unique<Replace>("", match, part.text("content"));
}

NormalizerPtr read_normalizer_sequence(const JsonPart& part) {
  part.only({"type", "normalizers"});
  std::vector<NormalizerPtr> parts;
  for (const JsonPart& item : part.at("normalizers").items()) {
    parts.push_back(read_normalizer(item));
  }
  return std::make_unique<SequenceNormalizer>(std::move(parts));
}

}  // namespace

void strip(AlignedText& text, bool left, bool right) {
  Range inside{0, text.text().size()};
  for (size_t at = 0; left && at < inside.end;) {
    const bool space = is_space(next_code_point(text.text(), at));
    if (!space) {
      break;
    }
    inside.begin = at;
  }
  while (right && inside.end > inside.begin) {
    const size_t last = previous(text.text(), inside.end);
    if (!is_space(code_point_of(text.text(), last))) {
      break;
    }
    inside.end = last;
  }
  text.keep(inside);
}

NormalizerPtr read_normalizer(const JsonPart& part) {
  const std::string type = part.type();
  const std::pair<std::string_view, NormalForm> forms[] = {{"NFC", NormalForm::nfc},
                                                           {"NFD", NormalForm::nfd},
                                                           {"NFKC", NormalForm::nfkc},
                                                           {"NFKD", NormalForm::nfkd}};
  for (const auto& [name, form] : forms) {
    if (type == name) {
      part.only({"type"});
      return std::make_unique<FormNormalizer>(form);
    }
  }
  if (type == "BertNormalizer") {
    return read_bert(part);
  }
  if (type == "Replace") {
    return read_replace_normalizer(part);
  }
  if (type == "Sequence") {
    return read_normalizer_sequence(part);
  }
  if (type == "Strip") {
    part.only({"type", "strip_left", "strip_right"});
    return std::make_unique<Strip>(part.flag_or("strip_left", true), part.flag_or("strip_right", true));
  }
  if (type == "Prepend") {
    part.only({"type", "prepend"});
    return std::make_unique<Prepend>(part.text("prepend"));
  }
  if (type == "Precompiled") {
    part.only({"type", "precompiled_charsmap"});
    const auto bytes = from_base64(part.text("precompiled_charsmap"));
    part.require(bytes.has_value(), "precompiled_charsmap is not base64");
    return make_precompiled(*bytes, part);
  }
  const bool lower = type == "Lowercase";
  part.require(lower || type == "StripAccents",
               "the normalizer \"{}\" is not known here; known are BertNormalizer, NFC, NFD, NFKC, NFKD, "
               "Lowercase, StripAccents, Strip, Replace, Prepend, Precompiled, Sequence",
               printable(type));
  part.only({"type"});
  if (lower) {
    return std::make_unique<Lowercase>();
  }
  return std::make_unique<StripAccents>();
}

}  // namespace lmzoo::huggingface
