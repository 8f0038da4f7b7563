#include "io/yaml.h"

#include <algorithm>
#include <sstream>
#include <unordered_set>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "base/utf8.h"
#include "io/files.h"

namespace lmzoo {
namespace {

// Builds the tree from yaml-cpp's events, which come before it builds anything itself, so that a document is
// refused at the first event that is too much.
class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(const std::string& file) : file_(file) {}

  YamlNode take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) {
      throw InputError(at(mark), "a second document begins here; one is allowed");
    }
  }
  void OnDocumentEnd() override {}
  void OnAnchor(const YAML::Mark& mark, const std::string& name) override {
    throw InputError(at(mark), "anchors are not allowed (&" + printable(name) + ")");
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw InputError(at(mark), "aliases are not allowed");
  }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    if (awaits_key()) {
      throw InputError(at(mark), "a key is missing (null cannot be a key)");
    }
    add(node(YamlNode::Kind::null, mark));
  }
  void OnScalar(const YAML::Mark& mark,
                const std::string& tag,
                YAML::anchor_t,
                const std::string& value) override {
    const bool quoted = tag == "!";
    if (!quoted) {
      refuse_tag(mark, tag);
    }
    // Escapes in double quotes can make what the file itself may not contain.
    if (value.find('\0') != std::string::npos || !is_utf8(value)) {
      throw InputError(at(mark), "an escape makes a NUL byte or invalid UTF-8");
    }
    if (awaits_key()) {
      set_key(mark, value);
      return;
    }
    YamlNode scalar = node(YamlNode::Kind::scalar, mark);
    scalar.scalar = value;
    scalar.quoted = quoted;
    add(std::move(scalar));
  }
  void OnSequenceStart(const YAML::Mark& mark,
                       const std::string& tag,
                       YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::sequence, mark, tag);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark,
                  const std::string& tag,
                  YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::mapping, mark, tag);
  }
  void OnMapEnd() override { close(); }

 private:
  // A list or mapping whose end has not come yet.
  struct Open {
    YamlNode node;
    bool has_key = false;
    std::string key{};
    Location key_where{};
    std::unordered_set<std::string> keys{};
  };

  Location at(const YAML::Mark& mark) const { return {file_, mark.line + 1, mark.column + 1}; }

  YamlNode node(YamlNode::Kind kind, const YAML::Mark& mark) {
    if (++nodes_ > kYamlMaxNodes) {
      throw InputError(at(mark), "the document has over " + std::to_string(kYamlMaxNodes) + " values");
    }
    YamlNode made;
    made.kind = kind;
    made.where = at(mark);
    return made;
  }

  bool awaits_key() const {
    return !open_.empty() && open_.back().node.kind == YamlNode::Kind::mapping && !open_.back().has_key;
  }

  void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
    if (!tag.empty() && tag != "?") {
      throw InputError(at(mark), "tags are not allowed (" + printable(tag) + ")");
    }
  }

  void set_key(const YAML::Mark& mark, const std::string& key) {
    Open& mapping = open_.back();
    if (key.size() > kYamlMaxKeyBytes) {
      throw InputError(at(mark), "a key is longer than " + std::to_string(kYamlMaxKeyBytes) + " bytes");
    }
    if (!mapping.keys.insert(key).second) {
      const auto same = [&](const YamlEntry& entry) { return entry.key == key; };
      const auto first = std::find_if(mapping.node.entries.begin(), mapping.node.entries.end(), same);
      throw InputError(at(mark),
                       "duplicate key \"" + printable(key) + "\" (first on line " +
                           std::to_string(first->key_where.line) + ")");
    }
    mapping.has_key = true;
    mapping.key = key;
    mapping.key_where = at(mark);
  }

  void open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag) {
    refuse_tag(mark, tag);
    if (awaits_key()) {
      throw InputError(at(mark), "a " + std::string(name_of(kind)) + " cannot be a key");
    }
    if (open_.size() >= kYamlMaxDepth) {
      throw InputError(at(mark), "nested over " + std::to_string(kYamlMaxDepth) + " deep");
    }
    open_.push_back(Open{.node = node(kind, mark)});
  }

  void close() {
    YamlNode done = std::move(open_.back().node);
    open_.pop_back();
    add(std::move(done));
  }

  void add(YamlNode value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == YamlNode::Kind::sequence) {
      parent.node.items.push_back(std::move(value));
      return;
    }
    // A value that is left out stands, for messages, at its key; yaml-cpp would say at the next line.
    const bool left_out =
        value.kind == YamlNode::Kind::null &&
        (value.where.line != parent.key_where.line || value.where.column <= parent.key_where.column);
    if (left_out) {
      value.where = parent.key_where;
    }
    parent.node.entries.push_back({std::move(parent.key), std::move(parent.key_where), std::move(value)});
    parent.has_key = false;
  }

  const std::string& file_;
  YamlNode root_;
  std::vector<Open> open_;
  size_t documents_ = 0;
  size_t nodes_ = 0;
};

// Control characters: yaml-cpp takes 0x04 for the end of the file and would drop the rest without a word.
bool is_forbidden(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7F;
}

// yaml-cpp keeps all of a line in memory that begins with an opening bracket, 175 bytes for each mark, until it knows
// whether the bracket is a key. So marks are counted first.
void check_marks_of_lines(std::string_view text, const std::string& file) {
  constexpr size_t kMost = 150'000;
  size_t marks = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    marks =
        text[at] == '\n' ? 0 : marks + (std::string_view("[]{},:?").find(text[at]) != std::string_view::npos);
    if (marks > kMost) {
      throw InputError(locate(text, at, file),
                       "the line has over " + std::to_string(kMost) + " brackets, commas and colons");
    }
  }
}

void check_yaml_bytes(std::string_view text, const std::string& file) {
  if (text.size() > kYamlMaxBytes) {
    throw InputError(
        Location{file},
        "has " + human_bytes(text.size()) + "; YAML is read up to " + human_bytes(kYamlMaxBytes));
  }
  const size_t invalid = find_invalid_utf8(text);
  if (invalid != std::string_view::npos) {
    throw InputError(locate(text, invalid, file), "invalid UTF-8");
  }
  const auto forbidden = std::find_if(text.begin(), text.end(), is_forbidden);
  if (forbidden != text.end()) {
    throw InputError(
        locate(text, forbidden - text.begin(), file),
        *forbidden == '\0' ? "a NUL byte" : "a control character (" + printable({forbidden, 1}) + ")");
  }
  check_marks_of_lines(text, file);
}

}  // namespace

YamlNode parse_yaml(std::string_view text, const std::string& file) {
  if (text.starts_with("\xEF\xBB\xBF")) {
    text.remove_prefix(3);
  }
  check_yaml_bytes(text, file);
  std::istringstream stream{std::string(text)};
  TreeBuilder builder(file);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    // At the end of a text the mark's position is right, its line and column are not.
    const Location where = locate(text, static_cast<size_t>(std::max(error.mark.pos, 0)), file);
    throw InputError(where, "not valid YAML: " + printable(error.msg, 200));
  }
  return builder.take();
}

YamlNode read_yaml(const std::string& path) { return parse_yaml(read_text_file(path, kYamlMaxBytes), path); }

const YamlNode* YamlNode::find(std::string_view key) const {
  for (const YamlEntry& entry : entries) {
    if (entry.key == key) {
      return &entry.value;
    }
  }
  return nullptr;
}

YamlNode* YamlNode::find(std::string_view key) {
  return const_cast<YamlNode*>(static_cast<const YamlNode*>(this)->find(key));
}

bool YamlNode::operator==(const YamlNode& other) const {
  return kind == other.kind && scalar == other.scalar && quoted == other.quoted && items == other.items &&
         entries == other.entries;
}

std::string_view name_of(YamlNode::Kind kind) {
  switch (kind) {
    case YamlNode::Kind::null:
      return "null";
    case YamlNode::Kind::scalar:
      return "text";
    case YamlNode::Kind::sequence:
      return "list";
    case YamlNode::Kind::mapping:
      return "mapping";
  }
  return "?";
}

}  // namespace lmzoo
