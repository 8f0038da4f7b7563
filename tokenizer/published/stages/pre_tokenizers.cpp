#include "tokenizer/published/stages/pre_tokenizers.h"

#include <string>
#include <utility>

#include "base/utf8.h"

namespace lmzoo::huggingface {
namespace {

// Cuts every word by stretches(word range, out).
template <class Stretches>
void split(Words& words, SplitBehavior behavior, const Stretches& stretches) {
  words.next.clear();
  for (const Range& word : words.words) {
    words.stretches.clear();
    stretches(word, words.stretches);
    apply(behavior, words.stretches, words.next);
  }
  std::swap(words.words, words.next);
}

template <class Predicate>
void split_characters(Words& words, SplitBehavior behavior, const Predicate& is_match) {
  split(words, behavior, [&](Range word, std::vector<Stretch>& out) {
    stretches_of_characters(is_match, words.text.text(), word, out);
  });
}

void split_pattern(Words& words, SplitBehavior behavior, MatchAt match) {
  split(words, behavior, [&](Range word, std::vector<Stretch>& out) {
    stretches_of(match, words.text.text(), word, out);
  });
}

std::string_view text_of(const Words& words, Range range) {
  return std::string_view(words.text.text()).substr(range.begin, range.end - range.begin);
}

class BertPreTokenizer final : public PreTokenizer {
 public:
  void apply(Words& words) const override {
    split_characters(words, SplitBehavior::removed, is_space);
    split_characters(words, SplitBehavior::isolated, is_old_punctuation);
  }
};

class ByteLevel final : public PreTokenizer {
 public:
  ByteLevel(bool prefix_space, bool use_regex) : prefix_space_(prefix_space), use_regex_(use_regex) {}

  void apply(Words& words) const override {
    if (prefix_space_) {
      add_spaces(words);
    }
    if (use_regex_) {
      split_pattern(words, SplitBehavior::isolated, match_gpt2);
    }
  }

 private:
  static void add_spaces(Words& words) {
    AlignedBuilder text(words.text);
    for (Range& word : words.words) {
      const size_t begin = text.size();
      if (!text_of(words, word).starts_with(' ')) {
        text.insert(" ", word.begin);
      }
      text.copy(word);
      word = {begin, text.size()};
    }
    words.text = text.take();
  }

  bool prefix_space_, use_regex_;
};

enum class PrependScheme { always, first, never };

class Metaspace final : public PreTokenizer {
 public:
  Metaspace(std::string replacement, PrependScheme scheme, bool split)
      : replacement_(std::move(replacement)), scheme_(scheme), split_(split) {}

  void apply(Words& words) const override {
    AlignedBuilder text(words.text);
    for (Range& word : words.words) {
      const size_t begin = text.size();
      const std::string_view bytes = text_of(words, word);
      const bool has_mark = bytes.starts_with(' ') || bytes.starts_with(replacement_);
      if (!has_mark && begins(words, word)) {
        text.insert(replacement_, word.begin);
      }
      for (size_t done = word.begin; done < word.end;) {
        const size_t space = std::min(words.text.text().find(' ', done), word.end);
        text.copy({done, space});
        if (space < word.end) {
          text.insert(replacement_, space);
        }
        done = space + 1;
      }
      word = {begin, text.size()};
    }
    words.text = text.take();
    if (split_) {
      split(words, SplitBehavior::merged_with_next, [&](Range word, std::vector<Stretch>& out) {
        stretches_of_literal(replacement_, words.text.text(), word, out);
      });
    }
  }

 private:
  // Whether a mark is put before this word.
  bool begins(const Words& words, Range word) const {
    if (scheme_ != PrependScheme::first) {
      return scheme_ == PrependScheme::always;
    }
    return words.text.tracked() ? words.text.origin(word.begin, word.begin + 1).begin == 0
                                : word.begin == 0 && words.text.at_start();
  }

  std::string replacement_;
  PrependScheme scheme_;
  bool split_;
};

class Whitespace final : public PreTokenizer {
 public:
  void apply(Words& words) const override {
    split(words, SplitBehavior::removed, [&](Range word, std::vector<Stretch>& out) {
      stretches_of(match_word_or_symbols, words.text.text(), word, out);
      for (Stretch& stretch : out) {
        stretch.is_match = !stretch.is_match;
      }
    });
  }
};

class WhitespaceSplit final : public PreTokenizer {
 public:
  void apply(Words& words) const override { split_characters(words, SplitBehavior::removed, is_space); }
};

class CharDelimiterSplit final : public PreTokenizer {
 public:
  explicit CharDelimiterSplit(char32_t delimiter) : delimiter_(delimiter) {}
  void apply(Words& words) const override {
    split_characters(words, SplitBehavior::removed, [this](char32_t c) { return c == delimiter_; });
  }

 private:
  char32_t delimiter_;
};

class Digits final : public PreTokenizer {
 public:
  explicit Digits(bool individual) : individual_(individual) {}
  void apply(Words& words) const override {
    split_characters(words,
                     individual_ ? SplitBehavior::isolated : SplitBehavior::contiguous,
                     [](char32_t c) { return class_of(c) == CharClass::number; });
  }

 private:
  bool individual_;
};

class PunctuationSplit final : public PreTokenizer {
 public:
  explicit PunctuationSplit(SplitBehavior behavior) : behavior_(behavior) {}
  void apply(Words& words) const override { split_characters(words, behavior_, is_old_punctuation); }

 private:
  SplitBehavior behavior_;
};

class Split final : public PreTokenizer {
 public:
  Split(std::string literal, MatchAt match, SplitBehavior behavior, bool invert)
      : literal_(std::move(literal)), match_(match), behavior_(behavior), invert_(invert) {}

  void apply(Words& words) const override {
    split(words, behavior_, [&](Range word, std::vector<Stretch>& out) {
      if (match_ != nullptr) {
        stretches_of(match_, words.text.text(), word, out);
      } else {
        stretches_of_literal(literal_, words.text.text(), word, out);
      }
      for (Stretch& stretch : out) {
        stretch.is_match = stretch.is_match != invert_;
      }
    });
  }

 private:
  std::string literal_;
  MatchAt match_;
  SplitBehavior behavior_;
  bool invert_;
};

class SequencePreTokenizer final : public PreTokenizer {
 public:
  explicit SequencePreTokenizer(std::vector<std::unique_ptr<const PreTokenizer>> parts)
      : parts_(std::move(parts)) {}
  void apply(Words& words) const override {
    for (const auto& part : parts_) {
      part->apply(words);
    }
  }

 private:
  std::vector<std::unique_ptr<const PreTokenizer>> parts_;
};

SplitBehavior read_behavior(const JsonPart& part, const std::string& absent) {
  const std::string name = absent.empty() ? part.text("behavior") : part.text_or("behavior", absent);
  const std::pair<std::string_view, SplitBehavior> known[] = {
      {"Removed", SplitBehavior::removed},
      {"Isolated", SplitBehavior::isolated},
      {"MergedWithPrevious", SplitBehavior::merged_with_previous},
      {"MergedWithNext", SplitBehavior::merged_with_next},
      {"Contiguous", SplitBehavior::contiguous}};
  for (const auto& [text, behavior] : known) {
    if (name == text) {
      return behavior;
    }
  }
  part.fail("behavior \"{}\" is not known here", printable(name));
}

std::unique_ptr<const PreTokenizer> read_split(const JsonPart& part) {
  part.only({"type", "pattern", "behavior", "invert"});
  const JsonPart pattern = part.at("pattern");
  pattern.only({"String", "Regex"});
  const SplitBehavior behavior = read_behavior(part, "");
  const bool invert = part.flag_or("invert", false);
  if (pattern.has("String")) {
    const std::string literal = pattern.text("String");
    pattern.require(!literal.empty(), "an empty string cannot split text");
    return std::make_unique<Split>(literal, nullptr, behavior, invert);
  }
  const std::string regex = pattern.text("Regex");
  const MatchAt match = known_pattern(regex);
  pattern.require(match != nullptr,
                  "the regular expression \"{}\" is not known here; those of GPT-2, LLaMA-3 and Qwen2 are",
                  printable(regex, 300));
  return std::make_unique<Split>("", match, behavior, invert);
}

std::unique_ptr<const PreTokenizer> read_metaspace(const JsonPart& part) {
  part.only({"type", "replacement", "prepend_scheme", "add_prefix_space", "split", "str_rep"});
  const std::string replacement = part.text("replacement");
  part.require(count_code_points(replacement) == 1, "replacement must be one character");
  // Files before 2023 have only add_prefix_space.
  const std::string scheme =
      part.text_or("prepend_scheme", part.flag_or("add_prefix_space", true) ? "always" : "never");
  const bool known = scheme == "always" || scheme == "first" || scheme == "never";
  part.require(known, "prepend_scheme \"{}\" is none of always, first, never", printable(scheme));
  return std::make_unique<Metaspace>(replacement,
                                     scheme == "always"  ? PrependScheme::always
                                     : scheme == "first" ? PrependScheme::first
                                                         : PrependScheme::never,
                                     part.flag_or("split", true));
}

PreTokenization read_pre_tokenizer_sequence(const JsonPart& part) {
  part.only({"type", "pretokenizers"});
  std::vector<std::unique_ptr<const PreTokenizer>> parts;
  bool byte_level = false;
  for (const JsonPart& item : part.at("pretokenizers").items()) {
    item.require(!byte_level, "nothing may follow ByteLevel");
    PreTokenization read = read_pre_tokenizer(item);
    byte_level = read.byte_level;
    parts.push_back(std::move(read.cut));
  }
  return {std::make_unique<SequencePreTokenizer>(std::move(parts)), byte_level};
}

std::unique_ptr<const PreTokenizer> read_simple(const JsonPart& part, const std::string& type) {
  if (type == "Digits") {
    part.only({"type", "individual_digits"});
    return std::make_unique<Digits>(part.flag_or("individual_digits", false));
  }
  if (type == "Punctuation") {
    part.only({"type", "behavior"});
    return std::make_unique<PunctuationSplit>(read_behavior(part, "Isolated"));
  }
  if (type == "CharDelimiterSplit") {
    part.only({"type", "delimiter"});
    const std::string delimiter = part.text("delimiter");
    part.require(count_code_points(delimiter) == 1, "delimiter must be one character");
    return std::make_unique<CharDelimiterSplit>(code_point_of(delimiter, 0));
  }
  part.only({"type"});
  if (type == "BertPreTokenizer") {
    return std::make_unique<BertPreTokenizer>();
  }
  if (type == "Whitespace") {
    return std::make_unique<Whitespace>();
  }
  part.require(
      type == "WhitespaceSplit",
      "the pre-tokenizer \"{}\" is not known here; known are BertPreTokenizer, ByteLevel, Metaspace, "
      "Whitespace, WhitespaceSplit, Split, Digits, Punctuation, CharDelimiterSplit, Sequence",
      printable(type));
  return std::make_unique<WhitespaceSplit>();
}

}  // namespace

PreTokenization read_pre_tokenizer(const JsonPart& part) {
  const std::string type = part.type();
  if (type == "ByteLevel") {
    part.only({"type", "add_prefix_space", "trim_offsets", "use_regex"});
    return {
        std::make_unique<ByteLevel>(part.flag_or("add_prefix_space", true), part.flag_or("use_regex", true)),
        true};
  }
  if (type == "Sequence") {
    return read_pre_tokenizer_sequence(part);
  }
  if (type == "Metaspace") {
    return {read_metaspace(part)};
  }
  if (type == "Split") {
    return {read_split(part)};
  }
  return {read_simple(part, type)};
}

}  // namespace lmzoo::huggingface
