// YAML as a tree of nodes that know where they stand, read from untrusted bytes.
//
// Refused with `file:line:col: reason`: anchors, aliases, tags, duplicate keys, keys that are not plain text,
// several documents, NUL bytes, invalid UTF-8, and anything over the limits below. Columns count bytes
// from 1.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace lmzoo {

inline constexpr size_t kYamlMaxBytes = 1 << 20;
inline constexpr size_t kYamlMaxDepth = 64;
inline constexpr size_t kYamlMaxNodes = 100'000;
inline constexpr size_t kYamlMaxKeyBytes = 200;

struct YamlEntry;

struct YamlNode {
  enum class Kind { null, scalar, sequence, mapping };

  Kind kind = Kind::null;
  std::string scalar;   // as written, without quotes and escapes
  bool quoted = false;  // surely text: "1" and not 1
  Location where;       // of the value
  std::vector<YamlNode> items;
  std::vector<YamlEntry> entries;  // in the order of the file

  // The value of a key of this mapping, or nullptr (also when this is not a mapping).
  const YamlNode* find(std::string_view key) const;
  YamlNode* find(std::string_view key);

  // Text: quoted when YAML would read the bare word as something else (a number, a truth value, null).
  static YamlNode text(std::string value);
  // A number or truth value, to be written bare.
  static YamlNode plain(std::string value);
  // Overloads and not default arguments, which would need YamlEntry complete here.
  static YamlNode sequence();
  static YamlNode sequence(std::vector<YamlNode> items);
  static YamlNode mapping();
  static YamlNode mapping(std::vector<YamlEntry> entries);

  // Equal content; where it stood does not matter.
  bool operator==(const YamlNode& other) const;
};

struct YamlEntry {
  std::string key;
  Location key_where;
  YamlNode value;

  bool operator==(const YamlEntry& other) const { return key == other.key && value == other.value; }
};

// "null", "text", "list" or "mapping": for messages.
std::string_view name_of(YamlNode::Kind kind);

// One document. An empty one is a null node. `file` is only for messages.
YamlNode parse_yaml(std::string_view text, const std::string& file);
YamlNode read_yaml(const std::string& path);

// Block style, short lists of scalars on one line. parse_yaml(to_yaml(x)) == x, except that a bare scalar
// that YAML cannot write bare ("a: b") comes back quoted. Keys over kYamlMaxKeyBytes are a programming error.
std::string to_yaml(const YamlNode& node);

}  // namespace lmzoo
