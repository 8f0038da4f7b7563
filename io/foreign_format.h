// Files that are no text in UTF-8, by their first bytes: read as text they would be nonsense that looks like success.
#pragma once

#include <optional>
#include <string_view>

namespace lmzoo {

// What the bytes at the beginning of a file say that it is, and what to do; nothing for text. gzip is not among them:
// readers of text take it. Without a byte order mark UTF-16 is known by its NUL bytes.
std::optional<std::string_view> foreign_format(std::string_view head);

// So many bytes of the beginning are enough.
inline constexpr size_t kFormatBytes = 256;

}  // namespace lmzoo
