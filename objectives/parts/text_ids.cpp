#include "objectives/parts/text_ids.h"

#include <charconv>
#include <optional>

namespace lmzoo {
namespace {

// I of `<extra_id_I>`.
std::optional<size_t> sentinel_index(std::string_view name) {
  constexpr std::string_view kBefore = "<extra_id_";
  if (!name.starts_with(kBefore) || !name.ends_with('>')) {
    return std::nullopt;
  }
  const std::string_view digits = name.substr(kBefore.size(), name.size() - kBefore.size() - 1);
  size_t index = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
  return error == std::errc() && end == digits.data() + digits.size() ? std::optional(index) : std::nullopt;
}

}  // namespace

std::vector<int64_t> ids_of_text(const Vocabulary& vocabulary, std::string_view text) {
  if (vocabulary.ask.encode) {
    return vocabulary.ask.encode(text);
  }
  return std::vector<int64_t>(text.empty() ? 0 : text.size() + 1, vocabulary.unk.value_or(0));
}

int64_t named_token(const Vocabulary& vocabulary, std::string_view name, std::string_view user) {
  const std::optional<size_t> index = sentinel_index(name);
  if (index) {
    check(*index < vocabulary.sentinels.size(),
          "{} needs the token {}, but the tokenizer has {} sentinels",
          user,
          name,
          vocabulary.sentinels.size());
    return vocabulary.sentinels[*index];
  }
  const auto id = vocabulary.ask.id_of_piece ? vocabulary.ask.id_of_piece(name) : std::nullopt;
  check(id.has_value(), "{} needs the token {}, and the tokenizer has no such token", user, name);
  return *id;
}

}  // namespace lmzoo
