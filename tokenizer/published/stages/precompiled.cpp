// SentencePiece's compiled rules, applied as Hugging Face's `tokenizers` does: to a short grapheme as a whole
// when rules match its beginning, else to its characters, and each time only the shortest rule that matches.
#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include "base/utf8.h"
#include "io/charsmap.h"
#include "tokenizer/published/stages/normalizers.h"

namespace lmzoo::huggingface {
namespace {

constexpr size_t kShortGrapheme = 6;  // bytes; longer ones are looked at by character

// The compiled rules (io/charsmap.h has the format), which were checked.
class Rules {
 public:
  explicit Rules(std::string charsmap) : bytes_(std::move(charsmap)) {
    uint32_t trie_bytes = 0;
    std::memcpy(&trie_bytes, bytes_.data(), sizeof trie_bytes);
    units_.resize(trie_bytes / sizeof(uint32_t));
    std::memcpy(units_.data(), bytes_.data() + sizeof trie_bytes, trie_bytes);
    outputs_ = std::string_view(bytes_).substr(sizeof trie_bytes + trie_bytes);
  }
  Rules(const Rules&) = delete;
  Rules& operator=(const Rules&) = delete;

  // What the shortest rule makes of the beginning of `text`.
  std::optional<std::string_view> find(std::string_view text) const {
    if (units_.empty()) {
      return std::nullopt;
    }
    uint32_t node = offset_of(units_[0]);
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      node ^= byte;
      if (node >= units_.size() || (units_[node] & (kIsValue | 0xFF)) != byte) {
        return std::nullopt;
      }
      const uint32_t unit = units_[node];
      node ^= offset_of(unit);
      if ((unit & kHasLeaf) != 0 && node < units_.size()) {
        const size_t begin = units_[node] & ~kIsValue;
        const size_t end = outputs_.find('\0', begin);
        return outputs_.substr(begin, end - begin);
      }
    }
    return std::nullopt;
  }

 private:
  static constexpr uint32_t kHasLeaf = 1u << 8;
  static constexpr uint32_t kIsValue = 1u << 31;
  static uint32_t offset_of(uint32_t unit) { return (unit >> 10) << ((unit & (1u << 9)) >> 6); }

  std::string bytes_;
  std::vector<uint32_t> units_;
  std::string_view outputs_;
};

class Precompiled final : public Normalizer {
 public:
  explicit Precompiled(std::string charsmap) : rules_(std::move(charsmap)) {
    for (size_t c = 0; c < plain_.size(); ++c) {
      const char text = static_cast<char>(c);
      plain_[c] = !rules_.find(std::string_view(&text, 1)).has_value();
    }
  }

  void apply(AlignedText& text) const override {
    const std::string& all = text.text();
    bool is_plain = true;
    for (const char c : all) {
      const auto byte = static_cast<unsigned char>(c);
      is_plain = is_plain && byte < plain_.size() && plain_[byte];
    }
    if (is_plain) {
      return;
    }
    std::vector<size_t> ends;
    grapheme_ends(all, ends);
    std::vector<Change> changes;
    changes.reserve(all.size());
    bool changed = false;
    size_t begin = 0;
    for (const size_t end : ends) {
      changed |= rewrite(std::string_view(all).substr(begin, end - begin), changes);
      begin = end;
    }
    if (changed) {
      text.transform(changes);
    }
  }

 private:
  bool rewrite(std::string_view grapheme, std::vector<Change>& changes) const {
    if (grapheme.size() < kShortGrapheme) {
      if (const auto output = rules_.find(grapheme)) {
        replace(grapheme, *output, changes);
        return true;
      }
    }
    bool changed = false;
    for (size_t at = 0; at < grapheme.size();) {
      const size_t begin = at;
      const char32_t c = next_code_point(grapheme, at);
      const std::string_view character = grapheme.substr(begin, at - begin);
      if (const auto output = rules_.find(character)) {
        replace(character, *output, changes);
        changed = true;
      } else {
        changes.push_back({c, 0});
      }
    }
    return changed;
  }

  // The surplus of characters goes to the last ones, a lack of them to the last one before, whoever that is.
  static void replace(std::string_view input, std::string_view output, std::vector<Change>& changes) {
    const size_t first = changes.size();
    for (size_t at = 0; at < output.size();) {
      changes.push_back({next_code_point(output, at), 0});
    }
    const auto surplus =
        static_cast<int>(changes.size() - first) - static_cast<int>(count_code_points(input));
    for (int i = 0; i < surplus; ++i) {
      changes[changes.size() - 1 - static_cast<size_t>(i)].change = 1;
    }
    if (surplus < 0 && !changes.empty()) {
      changes.back().change += surplus;
    }
  }

  Rules rules_;
  std::array<bool, 128> plain_{};  // ASCII that stays as it is
};

}  // namespace

NormalizerPtr make_precompiled(std::string charsmap, const JsonPart& part) {
  const std::string fault = charsmap_fault(charsmap);
  part.require(fault.empty(), "precompiled_charsmap: {}", fault);
  if (charsmap.empty()) {
    charsmap.assign(sizeof(uint32_t), '\0');
  }
  return std::make_unique<Precompiled>(std::move(charsmap));
}

}  // namespace lmzoo::huggingface
