#include "tokenizer/simple_tokenizers.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "base/utf8.h"
#include "tokenizer/saved_format.h"
#include "tokenizer/special_tokens.h"

namespace lmzoo {
namespace {

constexpr int64_t kBytes = 256;

// A byte or an ASCII character for display: itself when it can be printed, else <0x0A>.
std::string shown_byte(unsigned byte) {
  if (byte >= 0x20 && byte < 0x7F) {
    return std::string(1, static_cast<char>(byte));
  }
  char text[8];
  std::snprintf(text, sizeof text, "<0x%02X>", byte);
  return text;
}

// The inverse of shown_byte().
std::optional<unsigned> byte_shown_as(std::string_view piece) {
  for (unsigned byte = 0; byte < kBytes; ++byte) {
    if (shown_byte(byte) == piece) {
      return byte;
    }
  }
  return std::nullopt;
}

class ByteTokenizer final : public Tokenizer {
 public:
  explicit ByteTokenizer(int64_t sentinels)
      : Tokenizer(standard_specials(kBytes, sentinels)),
        first_(static_cast<int64_t>(special_kinds().size())),
        sentinels_(sentinels) {}

 protected:
  std::map<std::string, std::string> files() const override {
    return {{kTokenizerFile, saved_header("byte", sentinels_).dump(1) + "\n"}};
  }

  std::vector<int64_t> encode_text(std::string_view text) const override {
    std::vector<int64_t> ids;
    ids.reserve(text.size());
    for (const char c : text) {
      ids.push_back(first_ + static_cast<unsigned char>(c));
    }
    return ids;
  }

  // The bytes of a character share its place.
  Encoding encode_text_with_offsets(std::string_view text) const override {
    Encoding encoding{.ids = encode_text(text), .begin = {}, .end = {}};
    for (size_t at = 0; at < text.size();) {
      const auto length = static_cast<size_t>(code_point_at(text, at).length);
      encoding.begin.resize(at + length, static_cast<int64_t>(at));
      encoding.end.resize(at + length, static_cast<int64_t>(at + length));
      at += length;
    }
    return encoding;
  }

  std::string decode_text(std::span<const int64_t> ids) const override {
    std::string text;
    for (const int64_t id : ids) {
      if (id < first_) {
        append_utf8(text, kReplacement);  // <unk>
      } else {
        text += static_cast<char>(id - first_);
      }
    }
    replace_invalid_utf8(text);
    return text;
  }

  std::string text_piece(int64_t id) const override { return shown_byte(static_cast<unsigned>(id - first_)); }

  std::optional<int64_t> text_id(std::string_view piece) const override {
    const auto byte = byte_shown_as(piece);
    return byte ? std::optional(first_ + static_cast<int64_t>(*byte)) : std::nullopt;
  }

 private:
  int64_t first_;  // id of byte 0
  int64_t sentinels_;
};

class CharacterTokenizer final : public Tokenizer {
 public:
  CharacterTokenizer(const std::u32string& characters, int64_t sentinels)
      : Tokenizer(standard_specials(static_cast<int64_t>(characters.size()), sentinels)),
        characters_(characters),
        first_(static_cast<int64_t>(special_kinds().size())),
        sentinels_(sentinels) {
    ascii_.fill(*vocabulary().unk);
    for (size_t i = 0; i < characters_.size(); ++i) {
      const int64_t id = first_ + static_cast<int64_t>(i);
      const bool added = ids_.emplace(characters_[i], id).second;
      check(added, "character \"{}\" is listed twice", shown(characters_[i]));
      if (characters_[i] < ascii_.size()) {
        ascii_[characters_[i]] = id;
      }
    }
  }

 protected:
  std::map<std::string, std::string> files() const override {
    Json saved = saved_header("char", sentinels_);
    std::string all;
    for (const char32_t c : characters_) {
      append_utf8(all, c);
    }
    saved["characters"] = all;
    return {{kTokenizerFile, saved.dump(1) + "\n"}};
  }

  std::vector<int64_t> encode_text(std::string_view text) const override {
    std::vector<int64_t> ids;
    ids.reserve(text.size());
    for (size_t at = 0; at < text.size();) {
      const CodePoint point = code_point_at(text, at);
      at += static_cast<size_t>(point.length);
      ids.push_back(id_of_character(point.value));
    }
    return ids;
  }

  Encoding encode_text_with_offsets(std::string_view text) const override {
    Encoding encoding{.ids = encode_text(text), .begin = {}, .end = {}};
    for (size_t at = 0; at < text.size();) {
      encoding.begin.push_back(static_cast<int64_t>(at));
      at += static_cast<size_t>(code_point_at(text, at).length);
      encoding.end.push_back(static_cast<int64_t>(at));
    }
    return encoding;
  }

  std::string decode_text(std::span<const int64_t> ids) const override {
    std::string text;
    for (const int64_t id : ids) {
      append_utf8(text, id < first_ ? kReplacement : characters_[static_cast<size_t>(id - first_)]);
    }
    return text;
  }

  std::string text_piece(int64_t id) const override {
    return shown(characters_[static_cast<size_t>(id - first_)]);
  }

  std::optional<int64_t> text_id(std::string_view piece) const override {
    const CodePoint point = code_point_at(piece, 0);
    const bool is_one = point.valid && static_cast<size_t>(point.length) == piece.size();
    char32_t character = point.value;
    if (!is_one) {
      const auto byte = byte_shown_as(piece);
      if (!byte || *byte >= ascii_.size()) {
        return std::nullopt;
      }
      character = *byte;
    }
    const auto found = ids_.find(character);
    return found != ids_.end() ? std::optional(found->second) : std::nullopt;
  }

 private:
  static std::string shown(char32_t character) {
    if (character < 0x80) {
      return shown_byte(character);
    }
    std::string text;
    append_utf8(text, character);
    return text;
  }

  int64_t id_of_character(char32_t character) const {
    if (character < ascii_.size()) {
      return ascii_[character];
    }
    const auto found = ids_.find(character);
    return found != ids_.end() ? found->second : *vocabulary().unk;
  }

  std::u32string characters_;
  std::unordered_map<char32_t, int64_t> ids_;
  std::array<int64_t, 128> ascii_{};  // the same for the most frequent
  int64_t first_;                     // id of the first character
  int64_t sentinels_;
};

}  // namespace

std::shared_ptr<const Tokenizer> make_byte_tokenizer(int64_t sentinels) {
  return std::make_shared<ByteTokenizer>(sentinels);
}

std::shared_ptr<const Tokenizer> make_character_tokenizer(const std::u32string& characters,
                                                          int64_t sentinels) {
  return std::make_shared<CharacterTokenizer>(characters, sentinels);
}

void CharacterCounter::add(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    at += static_cast<size_t>(point.length);
    ++counts_[point.value];
  }
}

std::u32string CharacterCounter::ranked() const {
  std::vector<std::pair<char32_t, int64_t>> all(counts_.begin(), counts_.end());
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::u32string characters;
  for (const auto& [character, count] : all) {
    characters += character;
  }
  return characters;
}

}  // namespace lmzoo
