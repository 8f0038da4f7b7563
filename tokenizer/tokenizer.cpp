#include "tokenizer/tokenizer.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/utf8.h"
#include "io/files.h"

namespace lmzoo {
namespace {

// libsentencepiece counts bytes in an int and needs several times the text in memory.
constexpr size_t kMaxTextBytes = size_t{256} << 20;

// The text as encode_text() may see it; `storage` holds a repaired copy when one is needed.
std::string_view clean(std::string_view text, std::string& storage) {
  check(text.size() <= kMaxTextBytes,
        "a text of {} bytes is too long to encode; the limit is {}",
        text.size(),
        kMaxTextBytes);
  if (is_utf8(text) && text.find('\0') == std::string_view::npos) {
    return text;
  }
  storage = text;
  replace_invalid_utf8(storage);
  return storage;
}

// The longest special name that begins at `at`; the end of the map when there is none.
auto special_at(const SpecialTokens& specials, std::string_view text, size_t at) {
  auto best = specials.ids.end();
  for (auto it = specials.ids.begin(); it != specials.ids.end(); ++it) {
    const bool longer = best == specials.ids.end() || it->first.size() > best->first.size();
    if (longer && text.substr(at).starts_with(it->first)) {
      best = it;
    }
  }
  return best;
}

void append(std::vector<int64_t>& ids, const std::vector<int64_t>& more) {
  ids.insert(ids.end(), more.begin(), more.end());
}

}  // namespace

Tokenizer::Tokenizer(SpecialTokens specials) : specials_(std::move(specials)) {
  for (const auto& [name, id] : specials_.ids) {
    if (first_bytes_.find(name.front()) == std::string::npos) {
      first_bytes_ += name.front();
    }
  }
}

std::vector<int64_t> Tokenizer::encode(std::string_view text) const {
  std::string storage;
  return encode_text(clean(text, storage));
}

Encoding Tokenizer::encode_with_offsets(std::string_view text) const {
  std::string storage;
  return encode_text_with_offsets(clean(text, storage));
}

Encoding Tokenizer::encode_marked_with_offsets(std::string_view text) const {
  std::string storage;
  return encode_marked_text_with_offsets(clean(text, storage));
}

Encoding Tokenizer::encode_marked_text_with_offsets(std::string_view) const {
  throw InputError("this type of tokenizer cannot tell where in the text a token stands");
}

Encoding Tokenizer::encode_text_with_offsets(std::string_view) const {
  throw InputError("this type of tokenizer cannot tell where in the text a token stands");
}

FramedText Tokenizer::with_specials(std::span<const int64_t> first,
                                    std::optional<std::span<const int64_t>> second) const {
  const Vocabulary& ids = specials_.vocabulary;
  const bool as_bert = ids.cls && ids.sep;
  const std::optional<int64_t> end = as_bert ? ids.sep : ids.eos;
  FramedText framed;
  if (as_bert) {
    framed.ids.push_back(*ids.cls);
  }
  framed.first = std::ssize(framed.ids);
  const auto add = [&](std::span<const int64_t> text, int64_t type) {
    framed.ids.insert(framed.ids.end(), text.begin(), text.end());
    if (end) {
      framed.ids.push_back(*end);
    }
    framed.token_types.resize(framed.ids.size(), type);
  };
  add(first, 0);
  framed.second = std::ssize(framed.ids);
  if (second) {
    add(*second, as_bert ? 1 : 0);
  }
  return framed;
}

std::vector<int64_t> Tokenizer::encode_marked(std::string_view text) const {
  std::string storage;
  return encode_marked_text(clean(text, storage));
}

std::vector<int64_t> Tokenizer::encode_marked_text(std::string_view whole) const {
  std::vector<int64_t> ids;
  size_t begin = 0;  // of the text that is not encoded yet
  const auto flush = [&](size_t end) {
    const std::string_view part = whole.substr(begin, end - begin);
    if (!part.empty()) {
      append(ids, begin == 0 ? encode_text(part) : encode_continuation(part));
    }
  };
  for (size_t at = whole.find_first_of(first_bytes_); at != std::string_view::npos;
       at = whole.find_first_of(first_bytes_, at)) {
    const auto special = special_at(specials_, whole, at);
    if (special == specials_.ids.end()) {
      ++at;
      continue;
    }
    flush(at);
    ids.push_back(special->second);
    at += special->first.size();
    begin = at;
  }
  flush(whole.size());
  return ids;
}

std::string Tokenizer::decode(std::span<const int64_t> ids, Specials specials) const {
  for (const int64_t id : ids) {
    check(id >= 0 && id < specials_.vocabulary.size,
          "id {} is outside the tokenizer's vocabulary [0, {})",
          id,
          specials_.vocabulary.size);
  }
  return decode_ids(ids, specials);
}

std::string Tokenizer::decode_ids(std::span<const int64_t> ids, Specials specials) const {
  std::string text;
  std::vector<int64_t> run;  // of ids that are not special
  bool after_special = false;
  const auto flush = [&] {
    text += after_special ? decode_continuation(run) : decode_text(run);
    run.clear();
  };
  for (const int64_t id : ids) {
    const auto special = specials_.names.find(id);
    // An unknown token stands for text, so it is shown as such.
    if (special == specials_.names.end() || id == specials_.vocabulary.unk) {
      run.push_back(id);
    } else if (specials == Specials::show) {
      flush();
      if (trims_spaces() && !text.empty() && !text.ends_with(' ')) {
        text += ' ';
      }
      text += special->second;
      after_special = true;
    }
  }
  flush();
  return text;
}

std::string Tokenizer::piece(int64_t id) const {
  check(id >= 0 && id < specials_.vocabulary.size,
        "id {} is outside the tokenizer's vocabulary [0, {})",
        id,
        specials_.vocabulary.size);
  const auto special = specials_.names.find(id);
  return special != specials_.names.end() ? special->second : text_piece(id);
}

std::optional<int64_t> Tokenizer::id_of(std::string_view piece) const {
  const auto special = specials_.ids.find(piece);
  return special != specials_.ids.end() ? std::optional(special->second) : text_id(piece);
}

void Tokenizer::save(const std::string& folder) const {
  for (const auto& [name, bytes] : files()) {
    write_atomically(fmt::format("{}/{}", folder, name), bytes);
  }
}

std::string Tokenizer::fingerprint() const {
  ContentHash hash;
  for (const auto& [name, bytes] : files()) {
    hash.add(name).add(bytes);
  }
  return hash.hex();
}

std::vector<ShownToken> show(const Tokenizer& tokenizer, std::span<const int64_t> ids) {
  std::vector<ShownToken> tokens;
  for (const int64_t id : ids) {
    tokens.push_back({id, tokenizer.piece(id)});
  }
  return tokens;
}

}  // namespace lmzoo
