#include "tokenizer/special_tokens.h"

#include <array>

namespace lmzoo {

std::span<const SpecialKind> special_kinds() {
  static constexpr std::array kKinds{SpecialKind{"<pad>", &Vocabulary::pad},
                                     SpecialKind{"</s>", &Vocabulary::eos},
                                     SpecialKind{"<unk>", &Vocabulary::unk},
                                     SpecialKind{"<s>", &Vocabulary::bos},
                                     SpecialKind{"[CLS]", &Vocabulary::cls},
                                     SpecialKind{"[SEP]", &Vocabulary::sep},
                                     SpecialKind{"[MASK]", &Vocabulary::mask}};
  return kKinds;
}

std::string sentinel_name(int64_t index) { return "<extra_id_" + std::to_string(index) + ">"; }

void add_special(SpecialTokens& tokens, const SpecialKind& kind, int64_t id, std::string_view name) {
  tokens.vocabulary.*kind.id = id;
  tokens.ids.emplace(name, id);
  tokens.names.emplace(id, name);
}

void add_sentinels(SpecialTokens& tokens, int64_t first, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const int64_t id = first + count - 1 - i;
    tokens.vocabulary.sentinels.push_back(id);
    tokens.ids.emplace(sentinel_name(i), id);
    tokens.names.emplace(id, sentinel_name(i));
  }
}

SpecialTokens standard_specials(int64_t pieces, int64_t sentinels) {
  SpecialTokens tokens;
  int64_t next = 0;
  for (const SpecialKind& kind : special_kinds()) {
    add_special(tokens, kind, next++, kind.name);
  }
  add_sentinels(tokens, next + pieces, sentinels);
  tokens.vocabulary.size = next + pieces + sentinels;
  return tokens;
}

}  // namespace lmzoo
