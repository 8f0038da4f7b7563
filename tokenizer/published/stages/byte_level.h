// GPT-2's alphabet for bytes: each of the 256 is written as a character that can be seen. Printable Latin-1
// stands for itself, the others for U+0100 and up: "Ġ" is a space, "Ċ" a line end.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lmzoo::huggingface {

char32_t byte_character(unsigned char byte);
std::optional<unsigned char> byte_of_character(char32_t c);

// The bytes written with the alphabet: one character of one or two bytes each.
void append_byte_level(std::string_view bytes, std::string& out);
inline bool is_wide_byte(unsigned char byte) {
  return !(byte > ' ' && byte < 0x7F);
}  // its character has two bytes

}  // namespace lmzoo::huggingface
