// The writing half of io/yaml.h.
#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <stdexcept>

#include "base/utf8.h"
#include "io/yaml.h"

namespace lmzoo {
namespace {

constexpr size_t kFlowWidth = 100;  // columns that a list of scalars may take before it gets a line an item

bool is_one_of(std::string_view word, const auto&... words) { return ((word == words) || ...); }

// What YAML 1.1 or 1.2 readers take for null or a truth value when it is not quoted.
bool is_reserved_word(std::string_view word) {
  std::string lower(word);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return is_one_of(lower, "", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n");
}

// Numbers, dates, .inf, .nan, hexadecimal: anything that some reader could take for a number. Too much is
// harmless.
bool looks_numeric(std::string_view word) {
  const bool starts =
      std::isdigit(static_cast<unsigned char>(word[0])) || word[0] == '+' || word[0] == '-' || word[0] == '.';
  return starts && word.find_first_not_of("0123456789+-.:_abcdefxoinABCDEFXOIN") == std::string_view::npos;
}

// Whether a reader of a bare `word` in block style gets exactly `word`.
bool can_be_bare(std::string_view word) {
  if (word.empty() || is_one_of(word, "~", "null", "Null", "NULL")) {
    return false;
  }
  static constexpr std::string_view kIndicators = "?:,[]{}#&*!|>'\"%@`";
  const bool dash = word[0] == '-' && (word.size() == 1 || word[1] == ' ' || word[1] == '-');
  if (dash || word.starts_with("...") || kIndicators.find(word[0]) != std::string_view::npos ||
      word.front() == ' ' || word.back() == ' ' || word.back() == ':') {
    return false;
  }
  if (word.find(": ") != std::string_view::npos || word.find(" #") != std::string_view::npos) {
    return false;
  }
  for (size_t i = 0; i < word.size();) {
    const CodePoint point = code_point_at(word, i);
    if (!point.valid || point.value < 0x20 || (point.value >= 0x7F && point.value <= 0xA0) ||
        point.value == 0x2028 || point.value == 0x2029 || point.value == 0xFEFF) {
      return false;
    }
    i += point.length;
  }
  return true;
}

void append_escape(std::string& out, char32_t value) {
  std::array<char, 16> escape{};
  std::snprintf(
      escape.data(), escape.size(), value < 0x80 ? "\\x%02x" : "\\u%04x", static_cast<unsigned>(value));
  out += escape.data();
}

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (size_t i = 0; i < text.size();) {
    const CodePoint point = code_point_at(text, i);
    if (point.value == '"' || point.value == '\\') {
      out += {'\\', static_cast<char>(point.value)};
    } else if (point.value == '\n') {
      out += "\\n";
    } else if (point.value == '\t') {
      out += "\\t";
    } else if (point.value < 0x20 || (point.value >= 0x7F && point.value < 0xA0) || point.value == 0x2028 ||
               point.value == 0x2029 || point.value == 0xFEFF) {
      append_escape(out, point.value);
    } else {
      append_utf8(out, point.value);
    }
    i += point.length;
  }
  return out + "\"";
}

bool is_bare(const YamlNode& node) { return !node.quoted && can_be_bare(node.scalar); }

std::string scalar_text(const YamlNode& node) {
  if (node.kind == YamlNode::Kind::null) {
    return "null";
  }
  return is_bare(node) ? node.scalar : quote(node.scalar);
}

std::string key_text(const std::string& key) {
  if (key.size() > kYamlMaxKeyBytes) {
    throw std::logic_error("a YAML key is longer than " + std::to_string(kYamlMaxKeyBytes) + " bytes");
  }
  return can_be_bare(key) ? key : quote(key);
}

bool is_leaf(const YamlNode& node) {
  return node.kind == YamlNode::Kind::null || node.kind == YamlNode::Kind::scalar;
}

// Whether a list on one line can hold the node as it is.
bool fits_in_flow(const YamlNode& node) {
  return is_leaf(node) && (!is_bare(node) || node.scalar.find_first_of(",[]{}?") == std::string::npos);
}

// The node on one line, or nothing when it needs a block.
std::string inline_text(const YamlNode& node) {
  if (is_leaf(node)) {
    return scalar_text(node);
  }
  if (node.kind == YamlNode::Kind::mapping) {
    return node.entries.empty() ? "{}" : "";
  }
  std::string list = "[";
  for (const YamlNode& item : node.items) {
    if (!fits_in_flow(item) || list.size() > kFlowWidth) {
      return "";
    }
    list += (list.size() > 1 ? ", " : "") + scalar_text(item);
  }
  return list.size() < kFlowWidth ? list + "]" : "";
}

// Writes a node that needs a block; the first line continues the current one ("- a: 1").
void write_block(std::string& out, const YamlNode& node, size_t indent) {
  bool first = true;
  const auto begin_line = [&] {
    if (!first) {
      out.append(indent, ' ');
    }
    first = false;
  };
  for (const YamlNode& item : node.items) {
    begin_line();
    const std::string line = inline_text(item);
    out += "- ";
    if (line.empty()) {
      write_block(out, item, indent + 2);
    } else {
      out += line + "\n";
    }
  }
  for (const YamlEntry& entry : node.entries) {
    begin_line();
    const std::string line = inline_text(entry.value);
    out += key_text(entry.key) + ":";
    if (line.empty()) {
      out += "\n" + std::string(indent + 2, ' ');
      write_block(out, entry.value, indent + 2);
    } else {
      out += " " + line + "\n";
    }
  }
}

}  // namespace

YamlNode YamlNode::text(std::string value) {
  YamlNode node = plain(std::move(value));
  node.quoted = is_reserved_word(node.scalar) || looks_numeric(node.scalar) || !can_be_bare(node.scalar);
  return node;
}

YamlNode YamlNode::plain(std::string value) {
  YamlNode node;
  node.kind = Kind::scalar;
  node.scalar = std::move(value);
  return node;
}

YamlNode YamlNode::sequence() { return sequence(std::vector<YamlNode>{}); }

YamlNode YamlNode::sequence(std::vector<YamlNode> items) {
  YamlNode node;
  node.kind = Kind::sequence;
  node.items = std::move(items);
  return node;
}

YamlNode YamlNode::mapping() { return mapping(std::vector<YamlEntry>{}); }

YamlNode YamlNode::mapping(std::vector<YamlEntry> entries) {
  YamlNode node;
  node.kind = Kind::mapping;
  node.entries = std::move(entries);
  return node;
}

std::string to_yaml(const YamlNode& node) {
  const std::string line = inline_text(node);
  if (!line.empty()) {
    return line + "\n";
  }
  std::string out;
  write_block(out, node, 0);
  return out;
}

}  // namespace lmzoo
