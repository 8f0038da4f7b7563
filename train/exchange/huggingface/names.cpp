#include "train/exchange/huggingface/names.h"

#include <algorithm>
#include <cctype>

namespace lmzoo {
namespace {

constexpr std::string_view kLayer = "{n}";

template <class Heads, class Member>
const HeadNames* find_head(const Heads& heads, Member member, std::string_view wanted) {
  const auto it =
      std::find_if(heads.begin(), heads.end(), [&](const HeadNames& head) { return head.*member == wanted; });
  return it == heads.end() ? nullptr : &*it;
}

size_t digits_at(std::string_view text) {
  size_t count = 0;
  while (count < text.size() && std::isdigit(static_cast<unsigned char>(text[count])) != 0) {
    ++count;
  }
  return count;
}

}  // namespace

const HeadNames* NameMap::head_of(std::string_view objective) const {
  // One class of transformers for all three; problem_type tells which.
  const bool shares = objective == "regression" || objective == "multi_label";
  return find_head(heads, &HeadNames::objective, shares ? "classification" : objective);
}

const HeadNames* NameMap::head_called(std::string_view architecture) const {
  return find_head(heads, &HeadNames::architecture, architecture);
}

std::optional<NameCaptures> match_name(std::string_view pattern, std::string_view name) {
  NameCaptures captures;
  while (!pattern.empty()) {
    if (pattern.starts_with(kLayer)) {
      const size_t digits = digits_at(name);
      if (digits == 0) {
        return std::nullopt;
      }
      captures.layer = name.substr(0, digits);
      name.remove_prefix(digits);
      pattern.remove_prefix(kLayer.size());
    } else if (pattern == "*") {
      captures.ending = name;
      return name == "weight" || name == "bias" ? std::optional(captures) : std::nullopt;
    } else {
      if (name.empty() || name.front() != pattern.front()) {
        return std::nullopt;
      }
      name.remove_prefix(1);
      pattern.remove_prefix(1);
    }
  }
  return name.empty() ? std::optional(captures) : std::nullopt;
}

std::string expand_name(std::string_view pattern, const NameCaptures& captures, std::string_view prefix) {
  std::string text;
  while (!pattern.empty()) {
    if (pattern.starts_with(kLayer)) {
      text += captures.layer;
      pattern.remove_prefix(kLayer.size());
      continue;
    }
    switch (pattern.front()) {
      case '@':
        text += prefix;
        break;
      case '*':
        text += captures.ending;
        break;
      default:
        text += pattern.front();
    }
    pattern.remove_prefix(1);
  }
  return text;
}

std::vector<std::string_view> alternatives_of(std::string_view theirs) {
  std::vector<std::string_view> all;
  for (size_t bar = theirs.find('|'); bar != std::string_view::npos; bar = theirs.find('|')) {
    all.push_back(theirs.substr(0, bar));
    theirs.remove_prefix(bar + 1);
  }
  all.push_back(theirs);
  return all;
}

}  // namespace lmzoo
