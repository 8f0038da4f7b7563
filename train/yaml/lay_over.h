// A part of a document over another: how phases and arms change a configuration.
#pragma once

#include <optional>
#include <string_view>

#include "io/yaml.h"

namespace lmzoo {

// Mappings are merged, anything else replaces what was there, and `~` takes it away. A mapping whose `type` is another one
// replaces the whole: its other keys would mean nothing there.
void lay_over(YamlNode& below, const YamlNode& above);

// The value of a key, which the mapping loses; none when it is not there.
std::optional<YamlNode> taken(YamlNode& mapping, std::string_view key);

}  // namespace lmzoo
