// Text for HTML: element content and quoted attributes.
#pragma once

#include <string>
#include <string_view>

namespace lmzoo {

// & < > " ' escaped; control characters except line feed and tab become U+FFFD.
std::string html_escape(std::string_view text);

}  // namespace lmzoo
