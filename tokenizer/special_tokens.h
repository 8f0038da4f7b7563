// Making SpecialTokens: which names there are, and where their ids stand.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "tokenizer/tokenizer.h"

namespace lmzoo {

// A special token with its place in a Vocabulary, in the order in which tokenizers made here number them.
struct SpecialKind {
  std::string_view name;
  std::optional<int64_t> Vocabulary::*id;
};
std::span<const SpecialKind> special_kinds();

std::string sentinel_name(int64_t index);  // <extra_id_3>

void add_special(SpecialTokens& tokens, const SpecialKind& kind, int64_t id, std::string_view name);
// Sentinels in descending order on the ids [first, first + count).
void add_sentinels(SpecialTokens& tokens, int64_t first, int64_t count);

// Special tokens on 0..6, then `pieces` ids for text, then the sentinels.
SpecialTokens standard_specials(int64_t pieces, int64_t sentinels);

}  // namespace lmzoo
