#include "tokenizer/published/unicode/aligned_text.h"

#include <algorithm>
#include <utility>

#include "base/utf8.h"

namespace lmzoo::huggingface {

Origin AlignedText::origin_of_byte(size_t at) const {
  if (rewritten_) {
    return origins_[at];
  }
  size_t begin = at;
  while (begin > 0 && is_continuation(text_[begin])) {
    --begin;
  }
  size_t end = at + 1;
  while (end < text_.size() && is_continuation(text_[end])) {
    ++end;
  }
  return {static_cast<uint32_t>(base_ + begin), static_cast<uint32_t>(base_ + end)};
}

Origin AlignedText::origin(size_t begin, size_t end) const {
  return {origin_of_byte(begin).begin, origin_of_byte(end - 1).end};
}

void AlignedText::materialize() {
  if (!tracked_ || rewritten_) {
    return;
  }
  origins_.reserve(text_.size());
  for (size_t begin = 0; begin < text_.size();) {
    size_t end = begin;
    next_code_point(text_, end);
    origins_.insert(origins_.end(),
                    end - begin,
                    Origin{static_cast<uint32_t>(base_ + begin), static_cast<uint32_t>(base_ + end)});
    begin = end;
  }
  rewritten_ = true;
}

void AlignedText::transform(std::span<const Change> changes, size_t skipped) {
  materialize();
  std::string text;
  std::vector<Origin> origins;
  text.reserve(text_.size());
  origins.reserve(tracked_ ? text_.size() : 0);
  size_t at = 0;  // in the old text
  const auto skip = [&](size_t characters) {
    for (; characters > 0 && at < text_.size(); --characters) {
      next_code_point(text_, at);
    }
  };
  skip(skipped);
  const auto start = static_cast<uint32_t>(base_);
  for (const Change& change : changes) {
    const size_t before = text.size();
    append_utf8(text, change.c);
    if (tracked_) {
      // What is inserted belongs to the character before it.
      const Origin none{start, start};
      const Origin from = change.change > 0   ? (at == 0 ? none : origins_[at - 1])
                          : at < text_.size() ? origins_[at]
                                              : (origins_.empty() ? none : origins_.back());
      origins.insert(origins.end(), text.size() - before, from);
    }
    skip(change.change > 0 ? 0 : 1 + static_cast<size_t>(-change.change));
  }
  text_ = std::move(text);
  origins_ = std::move(origins);
  at_start_ = at_start_ && skipped == 0;
}

void AlignedText::replace(std::span<const Range> matches, std::string_view content) {
  if (matches.empty()) {
    return;
  }
  AlignedBuilder replaced(*this);
  size_t done = 0;
  for (const Range& match : matches) {
    replaced.copy({done, match.begin});
    replaced.insert(content, match.end == 0 ? 0 : match.end - 1);
    done = match.end;
  }
  replaced.copy({done, text_.size()});
  *this = replaced.take();
}

void AlignedText::prepend(std::string_view content) {
  if (text_.empty()) {
    return;
  }
  AlignedBuilder longer(*this);
  longer.insert(content, 0);
  longer.copy({0, text_.size()});
  *this = longer.take();
}

void AlignedText::keep(Range part) {
  if (part.begin > 0 || part.end < text_.size()) {
    *this = slice(part);
  }
}

AlignedText AlignedText::slice(Range part) const {
  AlignedBuilder builder(*this);
  builder.copy(part);
  AlignedText result = builder.take();
  result.at_start_ = at_start_ && part.begin == 0;
  return result;
}

AlignedBuilder::AlignedBuilder(const AlignedText& from)
    : from_(from), result_({}, from.base_, from.tracked_) {
  result_.rewritten_ = from.tracked_;
  result_.at_start_ = from.at_start_;
  result_.text_.reserve(from.text_.size() + 16);
  result_.origins_.reserve(from.tracked_ ? from.text_.size() + 16 : 0);
}

void AlignedBuilder::copy(Range part) {
  result_.text_.append(from_.text_, part.begin, part.end - part.begin);
  if (!from_.tracked_ || part.begin == part.end) {
    return;
  }
  if (from_.rewritten_) {
    const auto begin = from_.origins_.begin() + static_cast<std::ptrdiff_t>(part.begin);
    result_.origins_.insert(
        result_.origins_.end(), begin, begin + static_cast<std::ptrdiff_t>(part.end - part.begin));
    return;
  }
  for (size_t at = part.begin; at < part.end; ++at) {
    result_.origins_.push_back(from_.origin_of_byte(at));
  }
}

void AlignedBuilder::insert(std::string_view content, size_t at) {
  result_.text_ += content;
  if (from_.tracked_) {
    const Origin origin = from_.text_.empty()
                              ? Origin{static_cast<uint32_t>(from_.base_), static_cast<uint32_t>(from_.base_)}
                              : from_.origin_of_byte(at);
    result_.origins_.insert(result_.origins_.end(), content.size(), origin);
  }
}

}  // namespace lmzoo::huggingface
