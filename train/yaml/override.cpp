// --set KEY=VALUE of bind.h.
#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

#include "base/check.h"
#include "base/utf8.h"
#include "train/yaml/bind.h"

namespace lmzoo {
namespace {

void set_places(YamlNode& node, const Location& where) {
  node.where = where;
  for (YamlNode& item : node.items) {
    set_places(item, where);
  }
  for (YamlEntry& entry : node.entries) {
    entry.key_where = where;
    set_places(entry.value, where);
  }
}

// The node that `name` leads to, made when it is not there yet.
YamlNode& step_into(YamlNode& node, const std::string& name, const Location& where) {
  if (node.kind == YamlNode::Kind::sequence) {
    size_t index = 0;
    const auto [stop, error] = std::from_chars(name.data(), name.data() + name.size(), index);
    const bool whole = error == std::errc{} && stop == name.data() + name.size();
    if (!whole || index >= node.items.size()) {
      throw InputError(
          where,
          fmt::format(
              "'{}' is no item of a list of {}; items count from 0", printable(name), node.items.size()));
    }
    return node.items[index];
  }
  if (node.kind != YamlNode::Kind::mapping) {
    node = YamlNode::mapping();
    node.where = where;
  }
  if (YamlNode* found = node.find(name)) {
    return *found;
  }
  node.entries.push_back({name, where, YamlNode{}});
  return node.entries.back().value;
}

}  // namespace

Override parse_override(const std::string& argument) {
  const size_t equals = argument.find('=');
  const std::string key = argument.substr(0, equals);
  check(equals != std::string::npos && !key.empty() && !key.starts_with('.') && !key.ends_with('.') &&
            key.find("..") == std::string::npos,
        "--set {}: expected KEY=VALUE, as in --set train.steps=100",
        printable(argument));
  check(key.size() <= kYamlMaxKeyBytes, "--set: a key is longer than {} bytes", kYamlMaxKeyBytes);
  return {key, argument.substr(equals + 1)};
}

void apply_override(YamlNode& root, const Override& override) {
  const std::string flag = "--set " + override.key;
  const Location where{.file = printable(flag)};
  YamlNode value = override.value.empty() ? YamlNode::text("") : parse_yaml(override.value, where.file);
  set_places(value, where);
  YamlNode* node = &root;
  for (size_t begin = 0; begin <= override.key.size();) {
    const size_t dot = std::min(override.key.find('.', begin), override.key.size());
    node = &step_into(*node, override.key.substr(begin, dot - begin), where);
    begin = dot + 1;
  }
  *node = std::move(value);
}

}  // namespace lmzoo
