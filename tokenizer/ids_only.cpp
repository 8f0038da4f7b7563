#include "tokenizer/ids_only.h"

#include "base/check.h"
#include "tokenizer/saved_format.h"
#include "tokenizer/special_tokens.h"

namespace lmzoo {
namespace {

[[noreturn]] void refuse() {
  throw InputError(
      "this checkpoint came without a tokenizer (tokenizer.json, vocab.txt, vocab.json with merges.txt, "
      "spiece.model or tokenizer.model), so it takes ids and no text");
}

std::string key_of(const SpecialKind& kind) { return std::string(kind.name); }

SpecialTokens named(const Vocabulary& vocabulary) {
  SpecialTokens tokens;
  tokens.vocabulary.size = vocabulary.size;
  for (const SpecialKind& kind : special_kinds()) {
    const std::optional<int64_t> id = vocabulary.*kind.id;
    if (id && !tokens.names.contains(*id)) {
      add_special(tokens, kind, *id, kind.name);
    } else if (id) {
      tokens.vocabulary.*kind.id = id;  // one id for two purposes, as GPT-2's <|endoftext|>
    }
  }
  return tokens;
}

class IdsOnlyTokenizer final : public Tokenizer {
 public:
  explicit IdsOnlyTokenizer(const Vocabulary& vocabulary) : Tokenizer(named(vocabulary)) {}

  // Ids come with whatever frame they need.
  FramedText with_specials(std::span<const int64_t> first,
                           std::optional<std::span<const int64_t>> second) const override {
    FramedText text{.ids = {first.begin(), first.end()}, .token_types = {}, .first = 0, .second = 0};
    text.second = std::ssize(text.ids);
    text.ids.insert(
        text.ids.end(), second ? second->begin() : first.end(), second ? second->end() : first.end());
    text.token_types.resize(text.ids.size());
    return text;
  }

 protected:
  std::map<std::string, std::string> files() const override {
    Json saved = saved_header("ids", 0);
    saved["size"] = vocabulary().size;
    for (const SpecialKind& kind : special_kinds()) {
      if (const std::optional<int64_t> id = vocabulary().*kind.id) {
        saved[key_of(kind)] = *id;
      }
    }
    return {{kTokenizerFile, saved.dump(1) + "\n"}};
  }

  std::vector<int64_t> encode_text(std::string_view) const override { refuse(); }
  // Ids as they are: "17 3 42".
  std::string decode_text(std::span<const int64_t> ids) const override {
    std::string text;
    for (const int64_t id : ids) {
      text += (text.empty() ? "" : " ") + std::to_string(id);
    }
    return text;
  }
  std::string text_piece(int64_t id) const override { return std::to_string(id); }
  std::optional<int64_t> text_id(std::string_view) const override { return std::nullopt; }
};

}  // namespace

std::shared_ptr<const Tokenizer> make_ids_only_tokenizer(const Vocabulary& special) {
  return std::make_shared<IdsOnlyTokenizer>(special);
}

std::shared_ptr<const Tokenizer> load_ids_only_tokenizer(const Json& saved, const std::string& path) {
  const auto id = [&](const std::string& key, int64_t end) {
    const bool fits =
        saved[key].is_number_unsigned() && saved[key].get<uint64_t>() < static_cast<uint64_t>(end);
    check(fits, "{}: {} must be a whole number below {}", path, key, end);
    return saved[key].get<int64_t>();
  };
  check(saved.contains("size"), "{}: size is missing", path);
  Vocabulary vocabulary;
  vocabulary.size = id("size", int64_t{1} << 31);
  for (const SpecialKind& kind : special_kinds()) {
    if (saved.contains(key_of(kind))) {
      vocabulary.*kind.id = id(key_of(kind), vocabulary.size);
    }
  }
  return make_ids_only_tokenizer(vocabulary);
}

}  // namespace lmzoo
