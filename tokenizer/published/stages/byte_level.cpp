#include "tokenizer/published/stages/byte_level.h"

#include <algorithm>

#include "base/utf8.h"

namespace lmzoo::huggingface {
namespace {

constexpr std::array<char32_t, 256> kCharacters = [] {
  std::array<char32_t, 256> characters{};
  char32_t next = 0x100;
  for (char32_t byte = 0; byte < characters.size(); ++byte) {
    const bool shown = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    characters[byte] = shown ? byte : next++;
  }
  return characters;
}();

}  // namespace

char32_t byte_character(unsigned char byte) { return kCharacters[byte]; }

std::optional<unsigned char> byte_of_character(char32_t c) {
  const auto* found = std::find(kCharacters.begin(), kCharacters.end(), c);
  if (found == kCharacters.end()) {
    return std::nullopt;
  }
  return static_cast<unsigned char>(found - kCharacters.begin());
}

void append_byte_level(std::string_view bytes, std::string& out) {
  for (const char byte : bytes) {
    append_utf8(out, kCharacters[static_cast<unsigned char>(byte)]);
  }
}

}  // namespace lmzoo::huggingface
