// Base64 as JSON files carry bytes in.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lmzoo::huggingface {

std::string to_base64(std::string_view bytes);
std::optional<std::string> from_base64(std::string_view text);  // absent when it is none

}  // namespace lmzoo::huggingface
