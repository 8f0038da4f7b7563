#include <random>

#include "io/yaml.h"
#include "support/catch.h"

using namespace lmzoo;

namespace {

YamlNode scalar(const std::string& value) { return YamlNode::text(value); }
YamlNode plain(const std::string& value) { return YamlNode::plain(value); }

void check_round_trip(const YamlNode& node) {
  const std::string written = to_yaml(node);
  INFO(written);
  CHECK(parse_yaml(written, "written") == node);
}

// A random tree whose texts are made of what is special in YAML.
YamlNode random_node(std::mt19937_64& random, int depth) {
  static const std::vector<std::string> kParts = {"a",
                                                  "1",
                                                  " ",
                                                  "  ",
                                                  ":",
                                                  "#",
                                                  "-",
                                                  "'",
                                                  "\"",
                                                  "\\",
                                                  "\n",
                                                  "\t",
                                                  "[",
                                                  "]",
                                                  "{",
                                                  "}",
                                                  ",",
                                                  "?",
                                                  "!",
                                                  "&",
                                                  "*",
                                                  "|",
                                                  ">",
                                                  "%",
                                                  "@",
                                                  "`",
                                                  "~",
                                                  "null",
                                                  "true",
                                                  "0x",
                                                  ".",
                                                  "e",
                                                  "\xC3\xA9",
                                                  "\xE2\x80\xA8",
                                                  "\xF0\x9F\x98\x80",
                                                  "\x01",
                                                  "\x7F",
                                                  "\r",
                                                  "\xC2\x85",
                                                  "<<",
                                                  "=",
                                                  "---",
                                                  "...",
                                                  ": ",
                                                  " #"};
  const auto random_text = [&] {
    std::string made;
    for (size_t i = random() % 6; i > 0; --i) {
      made += kParts[random() % kParts.size()];
    }
    return made;
  };
  const size_t kind = random() % (depth > 0 ? 6 : 3);
  if (kind == 0) {
    return {};
  }
  if (kind < 3) {
    return scalar(random_text());
  }
  YamlNode node = kind == 3 ? YamlNode::sequence() : YamlNode::mapping();
  for (size_t i = random() % 5; i > 0; --i) {
    if (kind == 3) {
      node.items.push_back(random_node(random, depth - 1));
    } else if (const std::string key = random_text(); node.find(key) == nullptr) {
      node.entries.push_back({key, {}, random_node(random, depth - 1)});
    }
  }
  return node;
}

}  // namespace

TEST_CASE("YAML is written in blocks, short lists of scalars on one line") {
  YamlNode betas = YamlNode::sequence({plain("0.9"), plain("0.95")});
  YamlNode model =
      YamlNode::mapping({{"type", {}, scalar("bert")}, {"betas", {}, betas}, {"note", {}, scalar("a: b")}});
  YamlNode long_list = YamlNode::sequence();
  for (int i = 0; i < 3; ++i) {
    long_list.items.push_back(scalar(std::string(40, 'x')));
  }
  YamlNode stages = YamlNode::sequence({YamlNode::mapping({{"a", {}, plain("1")}, {"b", {}, plain("2")}}),
                                        YamlNode::sequence({YamlNode::mapping({{"c", {}, {}}})})});
  const YamlNode root = YamlNode::mapping({{"name", {}, scalar("1")},
                                           {"model", {}, model},
                                           {"files", {}, long_list},
                                           {"stages", {}, stages},
                                           {"none", {}, {}},
                                           {"no list", {}, YamlNode::sequence()},
                                           {"no map", {}, YamlNode::mapping()}});
  const std::string x(40, 'x');
  CHECK(to_yaml(root) ==
        "name: \"1\"\n"
        "model:\n  type: bert\n  betas: [0.9, 0.95]\n  note: \"a: b\"\n"
        "files:\n  - " +
            x + "\n  - " + x + "\n  - " + x +
            "\n"
            "stages:\n  - a: 1\n    b: 2\n  - - c: null\n"
            "none: null\nno list: []\nno map: {}\n");
  check_round_trip(root);
}

TEST_CASE("texts that YAML would read as something else are quoted, others are not") {
  for (const char* word : {"true", "No",   "null",  "~",          "",      "1",    "-1.5", "1e-3", ".inf",
                           ".nan", "0x10", "1_000", "2024-01-01", "12:30", "- a",  "a: b", "a #b", " a",
                           "a ",   "a:",   "[a",    "@a",         "*a",    "a\nb", "...",  "---",  "y"}) {
    INFO(word);
    CHECK(to_yaml(scalar(word)).front() == '"');
    check_round_trip(scalar(word));
    check_round_trip(YamlNode::sequence({scalar(word)}));
    check_round_trip(YamlNode::mapping({{word, {}, scalar(word)}}));
  }
  for (const char* word :
       {"bert-base", "a/b.txt", "a,b", "a b", "wordnet_3.0", "caf\xC3\xA9", "x:y", "a#b", "1st place"}) {
    CHECK(to_yaml(scalar(word)) == word + std::string("\n"));
    check_round_trip(YamlNode::sequence({scalar(word)}));
  }
  CHECK(to_yaml(YamlNode::sequence({plain("a,b")})) == "- a,b\n");
}

TEST_CASE("a bare scalar that YAML cannot write bare comes back quoted") {
  const YamlNode node = parse_yaml(to_yaml(plain("a: b")), "f");
  CHECK(node.scalar == "a: b");
  CHECK(node.quoted);
}

TEST_CASE("any tree can be written and read again") {
  std::mt19937_64 random(7);
  for (int i = 0; i < 5'000; ++i) {
    const YamlNode node = random_node(random, 4);
    const std::string written = to_yaml(node);
    INFO(written);
    REQUIRE(parse_yaml(written, "written") == node);
  }
}

TEST_CASE("a key that could not be read again is a programming error") {
  CHECK_NOTHROW(to_yaml(YamlNode::mapping({{std::string(200, '\x01'), {}, {}}})));
  check_round_trip(YamlNode::mapping({{std::string(200, '\x01'), {}, {}}}));
  CHECK_THROWS_AS(to_yaml(YamlNode::mapping({{std::string(201, 'k'), {}, {}}})), std::logic_error);
}
