// A text that is being rewritten, with the bytes of the original that each of its bytes comes from.
//
// The original is one stretch of the text that the user gave, beginning at byte `base` of it. Origins are
// counted from the user's text and always cover whole characters. They are kept only when asked for: encoding
// without offsets pays nothing for them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/published/unicode/unicode.h"

namespace lmzoo::huggingface {

struct Range {
  size_t begin = 0;
  size_t end = 0;
};

struct Origin {
  uint32_t begin = 0;
  uint32_t end = 0;
};

class AlignedText {
 public:
  AlignedText(std::string_view original, size_t base, bool tracked)
      : text_(original), base_(base), tracked_(tracked), at_start_(base == 0) {}

  const std::string& text() const { return text_; }
  bool tracked() const { return tracked_; }
  // Whether the first byte comes from the first byte of the user's text.
  bool at_start() const { return tracked_ && !text_.empty() ? origin(0, 1).begin == 0 : at_start_; }
  // Where the bytes [begin, end) come from; begin < end. Only for a tracked text.
  Origin origin(size_t begin, size_t end) const;

  // Rewrites everything. `skipped` characters are dropped before the first change applies.
  void transform(std::span<const Change> changes, size_t skipped = 0);
  // Drops every character for which keep(c) is false.
  template <class Keep>
  void filter(const Keep& keep);
  // Puts `content` in place of each match, which come in order and do not overlap. What is inserted comes
  // from the last character of the match.
  void replace(std::span<const Range> matches, std::string_view content);
  // Puts `content` before the text; it comes from the first character. No change to an empty text.
  void prepend(std::string_view content);
  void keep(Range part);  // drops all that stands outside of it
  AlignedText slice(Range part) const;

 private:
  friend class AlignedBuilder;
  Origin origin_of_byte(size_t at) const;
  void materialize();

  std::string text_;
  std::vector<Origin> origins_;  // one a byte; empty while the text is the original, and when not tracked
  size_t base_ = 0;
  bool tracked_ = false;
  bool rewritten_ = false;  // origins_ are in use
  bool at_start_ = false;
};

// Builds a text from parts of another one.
class AlignedBuilder {
 public:
  explicit AlignedBuilder(const AlignedText& from);
  void copy(Range part);
  // `content` comes from where byte `at` of the other text comes from.
  void insert(std::string_view content, size_t at);
  size_t size() const { return result_.text_.size(); }
  AlignedText take() { return std::move(result_); }

 private:
  const AlignedText& from_;
  AlignedText result_;
};

template <class Keep>
void AlignedText::filter(const Keep& keep) {
  size_t at = 0;
  while (at < text_.size()) {
    size_t end = at;
    if (!keep(next_code_point(text_, end))) {
      break;
    }
    at = end;
  }
  if (at == text_.size()) {
    return;
  }
  AlignedBuilder kept(*this);
  kept.copy({0, at});
  for (size_t begin = at; begin < text_.size();) {
    size_t end = begin;
    if (keep(next_code_point(text_, end))) {
      kept.copy({begin, end});
    }
    begin = end;
  }
  const bool drops_first = at == 0;
  *this = kept.take();
  at_start_ = at_start_ && !drops_first;
}

}  // namespace lmzoo::huggingface
