// Text for people that came from data, files or names: nothing in it may steer the terminal that shows it.
// Everything that lmzoo prints passes here; printable() of utf8.h quotes a single value in a message by the same rule.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lmzoo {

// Controls (C0, DEL, C1), separators of lines and paragraphs, and marks that turn the direction of writing around
// (U+061C, U+200E, U+200F, U+202A-E, U+2066-9), by which a text can look like another.
bool steers_a_terminal(char32_t point);

// The bytes of what steers, and of what is no UTF-8, as \xNN; line breaks and tabs stay.
std::string visible(std::string_view text);

inline constexpr size_t kMessageBytes = 2000;
// A message of an error as one line: line breaks become spaces, and the middle of a very long one is left out, so that
// neither the place at its front nor the advice at its end is lost.
std::string message_line(std::string_view message, size_t limit = kMessageBytes);

// The same JSON document with what steers written as \uNNNN inside its texts (JSON itself demands that of C0 only).
std::string visible_json(std::string_view json);

}  // namespace lmzoo
