#include "train/yaml/lay_over.h"

#include <algorithm>
#include <string>
#include <utility>

namespace lmzoo {
namespace {

std::string type_of(const YamlNode& node) {
  const YamlNode* type = node.find("type");
  return type != nullptr && type->kind == YamlNode::Kind::scalar ? type->scalar : "";
}

}  // namespace

void lay_over(YamlNode& below, const YamlNode& above) {
  const bool both = below.kind == YamlNode::Kind::mapping && above.kind == YamlNode::Kind::mapping;
  const std::string type = type_of(above);
  if (!both || (!type.empty() && type != type_of(below))) {
    below = above;
    return;
  }
  for (const YamlEntry& entry : above.entries) {
    YamlNode* known = below.find(entry.key);
    if (entry.value.kind == YamlNode::Kind::null) {
      std::erase_if(below.entries, [&](const YamlEntry& e) { return e.key == entry.key; });
    } else if (known == nullptr) {
      below.entries.push_back(entry);
    } else {
      lay_over(*known, entry.value);
    }
  }
}

std::optional<YamlNode> taken(YamlNode& mapping, std::string_view key) {
  const auto it = std::ranges::find(mapping.entries, key, &YamlEntry::key);
  if (it == mapping.entries.end()) {
    return std::nullopt;
  }
  YamlNode value = std::move(it->value);
  mapping.entries.erase(it);
  return value;
}

}  // namespace lmzoo
