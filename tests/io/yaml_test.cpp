#include "io/yaml.h"

#include "support/catch.h"
#include "support/files.h"
#include "support/mutants.h"

using namespace lmzoo;

namespace {

std::string yaml_error(const std::string& text) {
  try {
    parse_yaml(text, "c.yaml");
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

std::string repeated(const std::string& part, size_t count) {
  std::string all;
  for (size_t i = 0; i < count; ++i) {
    all += part;
  }
  return all;
}

const char* const kConfig = R"(name: bert-wordnet   # a comment
seed: 1
data: {train: {files: [a.txt, "b c.txt"]}, length: 128}
model:
  type: bert
  betas:
    - 0.9
    - 0.95
  note: |
    two
    lines
nothing:
also_nothing: ~
text: "1"
)";

}  // namespace

TEST_CASE("YAML becomes nodes that know where key and value stand") {
  const YamlNode root = parse_yaml(kConfig, "c.yaml");
  REQUIRE(root.kind == YamlNode::Kind::mapping);
  CHECK(root.where == Location{"c.yaml", 1, 1});
  CHECK(root.find("name")->scalar == "bert-wordnet");
  CHECK(root.find("name")->where == Location{"c.yaml", 1, 7});
  CHECK_FALSE(root.find("seed")->quoted);
  CHECK(root.find("text")->quoted);
  const YamlNode& files = *root.find("data")->find("train")->find("files");
  REQUIRE(files.kind == YamlNode::Kind::sequence);
  CHECK(files.items[1].scalar == "b c.txt");
  CHECK(files.items[1].where == Location{"c.yaml", 3, 31});
  CHECK(root.entries[3].key_where == Location{"c.yaml", 4, 1});
  CHECK(root.find("model")->find("betas")->items[1].where == Location{"c.yaml", 8, 7});
  CHECK(root.find("model")->find("note")->scalar == "two\nlines\n");
  CHECK(root.find("nothing")->kind == YamlNode::Kind::null);
  CHECK(root.find("nothing")->where == Location{"c.yaml", 12, 1});
  CHECK(root.find("also_nothing")->where == Location{"c.yaml", 13, 15});
  CHECK(root.find("also_nothing")->kind == YamlNode::Kind::null);
  CHECK(root.find("absent") == nullptr);
}

TEST_CASE("an empty document is null; marks of begin and end and a byte order mark are fine") {
  CHECK(parse_yaml("", "c.yaml").kind == YamlNode::Kind::null);
  CHECK(parse_yaml("# only a comment\n", "c.yaml").kind == YamlNode::Kind::null);
  CHECK(parse_yaml("---\na: 1\n...\n", "c.yaml").find("a")->scalar == "1");
  CHECK(parse_yaml("\xEF\xBB\xBF"
                   "a: 1",
                   "c.yaml")
            .find("a")
            ->where == Location{"c.yaml", 1, 4});
  CHECK(parse_yaml("a: 1\r\nb: 2\r\n", "c.yaml").find("b")->scalar == "2");
}

TEST_CASE("YAML that could mean something else than it seems is refused where it stands") {
  CHECK(yaml_error("a: 1\nb: 2\na: 3") == "c.yaml:3:1: duplicate key \"a\" (first on line 1)");
  CHECK(yaml_error("a: {x: 1,\n  \"x\": 2}") == "c.yaml:2:3: duplicate key \"x\" (first on line 1)");
  CHECK(yaml_error("a: &x 1") == "c.yaml:1:4: anchors are not allowed (&x)");
  CHECK(yaml_error("a: &x\n") == "c.yaml:1:4: anchors are not allowed (&x)");
  CHECK(yaml_error("a: &x [1, *x]") == "c.yaml:1:4: anchors are not allowed (&x)");
  CHECK(yaml_error("a: *x").find("c.yaml:1:4: ") == 0);
  CHECK(yaml_error("a: !!python/object/apply:os.system [ls]") ==
        "c.yaml:1:4: tags are not allowed (tag:yaml.org,2002:python/object/apply:os.system)");
  CHECK(yaml_error("a: !!int 3") == "c.yaml:1:4: tags are not allowed (tag:yaml.org,2002:int)");
  CHECK(yaml_error("a: !local {b: 1}") == "c.yaml:1:4: tags are not allowed (!local)");
  CHECK(yaml_error("a: 1\n---\nb: 2") == "c.yaml:2:1: a second document begins here; one is allowed");
  CHECK(yaml_error("? [a, b]\n: 1") == "c.yaml:1:3: a list cannot be a key");
  CHECK(yaml_error("? {a: b}\n: 1") == "c.yaml:1:3: a mapping cannot be a key");
  CHECK(yaml_error("~: 1") == "c.yaml:1:1: a key is missing (null cannot be a key)");
}

TEST_CASE("YAML that is not well formed says line and column") {
  CHECK(yaml_error("a: [1, 2") == "c.yaml:1:9: not valid YAML: end of sequence flow not found");
  CHECK(yaml_error("a: 1\n b: 2") == "c.yaml:2:3: not valid YAML: illegal map value");
  CHECK(yaml_error("a: \"open").find("c.yaml:1:9: not valid YAML: ") == 0);
  CHECK(yaml_error("a:\n\t- 1").find("c.yaml:2:") == 0);
  CHECK(yaml_error("a: \"\\q\"").find("c.yaml:1:") == 0);
  CHECK(yaml_error("]") != "no error");
}

TEST_CASE("bytes that text does not have are refused where they stand") {
  CHECK(yaml_error("a: 1\nb: \xFF") == "c.yaml:2:4: invalid UTF-8");
  CHECK(yaml_error("\xFF\xFE"
                   "a") == "c.yaml:1:1: invalid UTF-8");  // UTF-16
  CHECK(yaml_error(std::string("a: 1\nb\0: 2", 10)) == "c.yaml:2:2: a NUL byte");
  // yaml-cpp takes this one for the end of the file.
  CHECK(yaml_error("a: 1\n\x04"
                   "b: 2") == "c.yaml:2:1: a control character (\\x04)");
  CHECK(yaml_error("a: \"\\0\"") == "c.yaml:1:4: an escape makes a NUL byte or invalid UTF-8");
  CHECK(yaml_error("a: \"\\ud800\"") != "no error");
}

TEST_CASE("YAML over a limit is refused") {
  CHECK(yaml_error(std::string(kYamlMaxBytes + 1, '#')) ==
        "c.yaml: has 1.00 MiB; YAML is read up to 1.00 MiB");
  CHECK(yaml_error(repeated("[", 64) + repeated("]", 64)) == "no error");
  CHECK(yaml_error(repeated("[", 65) + repeated("]", 65)) == "c.yaml:1:65: nested over 64 deep");
  CHECK(yaml_error("[" + repeated("a,", 100'000) + "]") ==
        "c.yaml:1:200000: the document has over 100000 values");
  CHECK(yaml_error(std::string(201, 'k') + ": 1") == "c.yaml:1:1: a key is longer than 200 bytes");
}

TEST_CASE("a line of more marks than a document may have values is refused before the parser keeps it") {
  const std::string refusal = "the line has over 150000 brackets, commas and colons";
  CHECK(yaml_error("a: " + repeated("[", 1'000'000)) == "c.yaml:1:150003: " + refusal);
  CHECK(yaml_error("a:\n - [[" + repeated("b,", 480'000)) == "c.yaml:2:300003: " + refusal);
  CHECK(yaml_error("a: [" + repeated("b,\n", 90'000) + "b]") == "no error");
  CHECK(yaml_error("a: [" + repeated("b,", 90'000) + "b]") == "no error");
}

TEST_CASE("nothing of a mebibyte makes the parser deep, slow or crash") {
  const size_t n = kYamlMaxBytes;
  for (const std::string part :
       {"[", "{",     "- ",    "? ", "a: ", "[{", "{a: ", "\"", "|",  ">-\n",   "!",  "&a ", "*a ", "%",
        "'", "---\n", "...\n", "#",  ":",   ",",  "\n",   "\t", "[]", "- - \n", "!<", "a\n", "\\"}) {
    CHECK_NOTHROW(yaml_error(repeated(part, n / part.size())));
  }
}

TEST_CASE("an alias bomb is refused before it is expanded") {
  std::string bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n";
  for (char c = 'b'; c <= 'i'; ++c) {
    bomb += std::string(1, c) + ": &" + c + " [" +
            repeated(std::string("*") + static_cast<char>(c - 1) + ", ", 9) + "]\n";
  }
  CHECK(yaml_error(bomb) == "c.yaml:1:4: anchors are not allowed (&a)");
}

TEST_CASE("damaged YAML is a value or an InputError, and what is read can be written and read again") {
  const test::MutantCount count = test::read_mutants(kConfig, 10'000, [](const std::string& text) {
    const YamlNode node = parse_yaml(text, "c.yaml");
    const YamlNode again = parse_yaml(to_yaml(node), "again");
    REQUIRE(to_yaml(again) == to_yaml(node));
  });
  CHECK(count.accepted > 500);
  CHECK(count.refused > 500);
}

TEST_CASE("a YAML file that is missing, a folder or too large is named") {
  const test::TempDir dir;
  CHECK_THROWS_WITH(read_yaml(dir / "no.yaml"), dir / "no.yaml" + ": no such file");
  CHECK_THROWS_WITH(read_yaml(dir.path().string()), dir.path().string() + ": is a folder, not a file");
  test::write_file(dir / "big.yaml", std::string(kYamlMaxBytes + 1, ' '));
  CHECK_THROWS_WITH(read_yaml(dir / "big.yaml"), dir / "big.yaml" + ": has 1.00 MiB; the limit is 1.00 MiB");
  test::write_file(dir / "good.yaml", "a: [1]");
  CHECK(read_yaml(dir / "good.yaml").find("a")->where.file == dir / "good.yaml");
}
