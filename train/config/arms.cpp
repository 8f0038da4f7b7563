#include "train/config/arms.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "base/check.h"
#include "base/strings.h"
#include "base/utf8.h"
#include "train/yaml/lay_over.h"

namespace lmzoo {
namespace {

std::string name_of_arm(const YamlNode& arm, const std::vector<std::string>& before) {
  const std::string key = fmt::format("arms.{}", before.size());
  const YamlNode* name = arm.find("name");
  if (name == nullptr || name->kind != YamlNode::Kind::scalar) {
    throw InputError(arm.where, key + ": expected a mapping with a name, as in {name: wide, model: {...}}");
  }
  const std::string& text = name->scalar;
  const bool legal = !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
  });
  if (!legal || std::ranges::find(before, text) != before.end()) {
    throw InputError(name->where,
                     fmt::format("{}.name: '{}' is no name for it: letters, digits, '-', '_' and '.', and no "
                                 "name twice",
                                 key,
                                 printable(text)));
  }
  return text;
}

}  // namespace

std::vector<std::string> choose_arm(YamlNode& root) {
  const YamlNode arms = taken(root, "arms").value_or(YamlNode()),
                 chosen = taken(root, "arm").value_or(YamlNode());
  if (arms.kind != YamlNode::Kind::null && (arms.kind != YamlNode::Kind::sequence || arms.items.empty())) {
    throw InputError(arms.where, "arms: expected a list, as in [{name: wide, model: {width: 512}}, ...]");
  }
  std::vector<std::string> names;
  for (const YamlNode& arm : arms.items) {
    names.push_back(name_of_arm(arm, names));
  }
  if (chosen.kind == YamlNode::Kind::null) {
    return names;
  }
  const auto found = std::ranges::find(names, chosen.scalar);
  if (chosen.kind != YamlNode::Kind::scalar || found == names.end()) {
    throw InputError(chosen.where,
                     fmt::format("arm: '{}' is none of this document's: {}",
                                 printable(chosen.scalar),
                                 names.empty() ? "it has no arms" : joined(names)));
  }
  YamlNode sections = arms.items[static_cast<size_t>(found - names.begin())];
  std::erase_if(sections.entries, [](const YamlEntry& entry) { return entry.key == "name"; });
  lay_over(root, sections);
  return names;
}

Json arms_schema() {
  return {{"type", "array"},
          {"items", {{"type", "object"}, {"required", {"name"}}}},
          {"description", "variants that `lmzoo sweep` compares: a name, and sections that are laid over"}};
}

}  // namespace lmzoo
