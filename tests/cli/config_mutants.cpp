#include "cli/config_mutants.h"

#include <algorithm>
#include <filesystem>
#include <functional>

#include "io/yaml.h"

namespace lmzoo::test {
namespace {

// A scalar of the document, and where it and its key stand in the text.
struct Leaf {
  std::string key;    // dotted
  std::string name;   // last part of it; empty for items of lists
  size_t key_at = 0;  // of the name
  size_t value_at = 0;
  size_t value_size = 0;
  bool number = false;
};

class LeafFinder {
 public:
  explicit LeafFinder(const std::string& text) : text_(text) {
    starts_.push_back(0);
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') {
        starts_.push_back(i + 1);
      }
    }
    visit(parse_yaml(text, "good"), "", "", 0);
  }
  std::vector<Leaf> leaves;
  std::vector<Leaf> keys;  // of sections, too

 private:
  size_t offset(const Location& where) const {
    return starts_.at(static_cast<size_t>(where.line - 1)) + static_cast<size_t>(where.column - 1);
  }

  void visit(const YamlNode& node, const std::string& key, const std::string& name, size_t key_at) {
    const auto child = [&](const std::string& part) { return key.empty() ? part : key + "." + part; };
    if (node.kind == YamlNode::Kind::scalar) {
      const std::string& s = node.scalar;
      const bool number =
          !node.quoted && !s.empty() && s.find_first_not_of("0123456789.e-+") == std::string::npos;
      leaves.push_back({key, name, key_at, offset(node.where), s.size() + (node.quoted ? 2 : 0), number});
    }
    for (size_t i = 0; i < node.items.size(); ++i) {
      visit(node.items[i], child(std::to_string(i)), "", 0);
    }
    for (const YamlEntry& entry : node.entries) {
      const size_t at = offset(entry.key_where);
      keys.push_back({child(entry.key), entry.key, at, 0, 0, false});
      visit(entry.value, child(entry.key), entry.key, at);
    }
  }

  const std::string& text_;
  std::vector<size_t> starts_;
};

class Mutator {
 public:
  Mutator(const std::string& good, std::mt19937_64& random) : good_(good), found_(good), random_(random) {}

  BadConfig make() {
    switch (below(10)) {
      case 0:
      case 1:
        return misspelled();
      case 2:
        return foreign_key();
      case 3:
        return wrong_type();
      case 4:
        return out_of_range();
      case 5:
        return not_finite();
      case 6:
        return duplicate();
      case 7:
        return hostile();
      case 8:
        return missing_file();
      default:
        return broken_syntax();
    }
  }

 private:
  size_t below(size_t n) { return static_cast<size_t>(random_() % n); }
  template <class T>
  const T& any(const std::vector<T>& from) {
    return from.at(below(from.size()));
  }
  Leaf any_leaf(const std::function<bool(const Leaf&)>& wanted) {
    std::vector<Leaf> some;
    std::copy_if(found_.leaves.begin(), found_.leaves.end(), std::back_inserter(some), wanted);
    return any(some);
  }
  Leaf any_number() {
    return any_leaf([](const Leaf& leaf) { return leaf.number && !leaf.name.empty(); });
  }

  std::string replaced(size_t at, size_t size, const std::string& by) const {
    std::string text = good_;
    return text.replace(at, size, by);
  }
  std::string with_value(const Leaf& leaf, const std::string& value) const {
    return replaced(leaf.value_at, leaf.value_size, value);
  }
  static std::string section_of(const std::string& key) {
    const size_t dot = key.rfind('.');
    return dot == std::string::npos ? "" : key.substr(0, dot + 1);
  }

  // One letter of a key doubled, dropped or exchanged with the next.
  BadConfig misspelled() {
    Leaf key = any(found_.keys);
    while (key.name.size() < 4) {
      key = any(found_.keys);
    }
    std::string wrong = key.name;
    const size_t i = below(wrong.size() - 1);
    switch (below(3)) {
      case 0:
        wrong.insert(i, 1, wrong[i]);
        break;
      case 1:
        wrong.erase(i, 1);
        break;
      default:
        wrong[i] == wrong[i + 1] ? wrong.insert(i, 1, 'x') : (std::swap(wrong[i], wrong[i + 1]), wrong);
    }
    return {"misspelled key",
            replaced(key.key_at, key.name.size(), wrong),
            section_of(key.key) + wrong,
            "did you mean '" + key.name + "'?"};
  }

  BadConfig foreign_key() {
    // Without its type, or what it is from, a section has no keys that could be known.
    const Leaf leaf = any_leaf(
        [](const Leaf& some) { return !some.name.empty() && some.name != "type" && some.name != "from"; });
    const std::vector<std::string> foreign{
        "num_train_epochs", "foo", "hidden_size", "x", "\"a b\"", "weightDecay"};
    const std::string name = any(foreign);
    const std::string bare = name.front() == '"' ? name.substr(1, name.size() - 2) : name;
    return {"unknown key",
            replaced(leaf.key_at, leaf.name.size(), name),
            section_of(leaf.key) + bare,
            "unknown key"};
  }

  BadConfig wrong_type() {
    if (below(2) == 0) {
      const Leaf leaf = any_number();
      const std::vector<std::string> values{
          "many", "[1]", "{a: 1}", "\"5\"", "true", "1;2", "", "0x10", "1_000"};
      return {"wrong type", with_value(leaf, any(values)), leaf.key, "expected"};
    }
    const Leaf leaf = any_leaf([](const Leaf& some) { return !some.number; });
    const bool takes_several = leaf.name == "text" || leaf.name == "prefix";
    const bool is_list = below(2) == 0 && !takes_several;
    return {"wrong type", with_value(leaf, is_list ? "[x, y]" : "{x: y}"), leaf.key, "expected"};
  }

  BadConfig out_of_range() {
    const Leaf leaf = any_number();
    std::vector<std::string> values{"-7", "-1000000", "-1e400"};
    if (leaf.name == "steps" || leaf.name == "width" || leaf.name == "sequence_length") {
      values.push_back("99999999999999999999999");
    }
    return {"out of range", with_value(leaf, any(values)), leaf.key, ""};
  }

  BadConfig not_finite() {
    const Leaf leaf = any_number();
    const std::vector<std::string> values{".nan", ".inf", "-.inf", "nan", "inf", "-Infinity", "NaN"};
    return {"not finite", with_value(leaf, any(values)), leaf.key, "expected"};
  }

  BadConfig duplicate() {
    const std::vector<std::string> lines{"train: {steps: 3}\n", "model: {type: bert}\n", "data: 1\n"};
    if (below(2) == 0) {
      const std::string line = any(lines);
      return {"duplicate key", good_ + line, "", line.substr(0, line.find(':'))};
    }
    const Leaf leaf = any_number();
    return {"duplicate key", replaced(leaf.key_at, 0, leaf.name + ": 1, "), "", ""};
  }

  BadConfig hostile() {
    std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 10; ++i) {
      const std::string last = "*a" + std::to_string(i - 1);
      bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last + "," + last + "," + last +
              "]\n";
    }
    const Leaf leaf = any(found_.leaves);
    switch (below(6)) {
      case 0:
        return {"alias bomb", good_ + bomb, "", "anchors are not allowed"};
      case 1: {
        const size_t depth = 10 + below(3000);
        return {"deep nesting", with_value(leaf, std::string(depth, '[') + std::string(depth, ']')), "", ""};
      }
      case 2:
        return {"tag", with_value(leaf, "!!python/object:os.system x"), "", "tags are not allowed"};
      case 3:
        return {"recursion", good_ + "a: &x [1, *x]\n", "", "not allowed"};
      case 4:
        return {"NUL byte", replaced(below(good_.size()), 0, std::string(1, '\0')), "", ""};
      default:
        return {"invalid UTF-8", replaced(below(good_.size()), 0, "\xC3\x28"), "", ""};
    }
  }

  BadConfig missing_file() {
    const Leaf leaf =
        any_leaf([](const Leaf& some) { return some.key.find(".files.") != std::string::npos; });
    const std::vector<std::string> paths{
        "no/such/file.txt", "configs/debug/data/*.nothing", "\"\"", "configs", "/"};
    return {"missing file",
            with_value(leaf, any(paths)),
            section_of(leaf.key).substr(0, section_of(leaf.key).size() - 1),
            ""};
  }

  BadConfig broken_syntax() {
    const std::vector<std::string> garbage{
        "}", "]", "\n\t- x: {", ": :\n: ", "\n--- \nb: 1\n", "[", "{", "\n  \n- a\n"};
    const Leaf leaf = any_leaf([](const Leaf& some) { return !some.name.empty(); });
    return {"broken syntax", replaced(leaf.value_at, leaf.value_size, any(garbage)), "", ""};
  }

  const std::string& good_;
  LeafFinder found_;
  std::mt19937_64& random_;
};

}  // namespace

BadConfig mutate_config(const std::string& good, std::mt19937_64& random) {
  return Mutator(good, random).make();
}

std::vector<std::string> good_configs() {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator("configs")) {
    if (entry.path().extension() == ".yaml") {
      paths.push_back(entry.path().string());
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace lmzoo::test
