#include "io/json.h"

#include "base/visible.h"
#include "support/catch.h"
#include "support/files.h"
#include "support/mutants.h"

using namespace lmzoo;

namespace {

std::string json_error(const std::string& text, const JsonLimits& limits = {}) {
  try {
    parse_json(text, "s.json", limits);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

const char* const kDocument =
    R"({"step": 17, "loss": [1.5, -2, 1e-3], "names": {"b": null, "a": true}, "text": "\u00e9\n"})";

}  // namespace

TEST_CASE("JSON keeps values, kinds and the order of keys") {
  const Json json = parse_json(kDocument, "s.json");
  CHECK(json["step"].is_number_unsigned());
  CHECK(json["loss"][1].get<int64_t>() == -2);
  CHECK(json["names"].begin().key() == "b");
  CHECK(json["text"] == "\xC3\xA9\n");
  CHECK(json.dump() == R"({"step":17,"loss":[1.5,-2,0.001],"names":{"b":null,"a":true},"text":"é\n"})");
  CHECK(parse_json("3", "s.json") == 3);
  CHECK(parse_json(" [] ", "s.json").empty());
  CHECK(parse_json("18446744073709551615", "s.json").get<uint64_t>() == UINT64_MAX);
}

TEST_CASE("JSON that is not well formed says line, column and reason") {
  CHECK(json_error("{\"a\": 1,\n \"b\" 2}")
            .find("s.json:2:7: not valid JSON: syntax error while parsing object separator") == 0);
  CHECK(json_error("").find("s.json:1:1: not valid JSON: ") == 0);
  CHECK(json_error("{\"a\": 1} x").find("s.json:1:10: not valid JSON: ") == 0);
  CHECK(json_error("[1, 2").find("s.json:1:5: not valid JSON: ") == 0);
  CHECK(json_error("[NaN]").find("s.json:1:2: not valid JSON: ") == 0);
  CHECK(json_error("[1, // no\n2]").find("s.json:1:5: not valid JSON: ") == 0);
  CHECK(json_error("[\"\xFF\"]").find("s.json:1:3: not valid JSON: ") == 0);
  CHECK(json_error("[1e999]") == "s.json:1:7: not valid JSON: number overflow parsing '1e999'");
  CHECK(json_error("[01]") != "no error");
  CHECK(json_error("['a']") != "no error");
  for (const std::string text : {"{\"a\" 2}", "[1 2]", "\"\n\""}) {
    CHECK(json_error(text).find('\n') == std::string::npos);
  }
}

TEST_CASE("JSON with a duplicate key, a NUL or beyond a limit is refused") {
  CHECK(json_error("{\"a\": 1,\n \"a\": 2}") == "s.json:2:4: duplicate key \"a\"");
  CHECK(json_error("{\"a\": 1, \"\\u0061\": 2}") == "s.json:1:17: duplicate key \"a\"");
  CHECK(json_error("[{\"a\": 1}, {\"a\": 2}]") == "no error");
  // The parser alone would stop at the NUL and accept.
  CHECK(json_error(std::string("{}\0garbage", 10)) == "s.json:1:3: a NUL byte");
  CHECK(json_error(std::string(64, '[') + std::string(64, ']')) == "no error");
  CHECK(json_error(std::string(65, '[') + std::string(65, ']')) == "s.json:1:65: nested over 64 deep");
  CHECK(json_error(std::string(1 << 20, '[')) == "s.json:1:65: nested over 64 deep");
  CHECK(json_error("[1,2,3]", {.bytes = 6}) == "s.json: has 7 B of JSON; the limit is 6 B");
  CHECK(json_error("[1,2,3]", {.values = 3}) == "s.json:1:7: over 3 values");
}

TEST_CASE("an object of many keys is read in linear time") {
  std::string text = "{";
  for (int i = 0; i < 200'000; ++i) {
    text += (i > 0 ? ",\"" : "\"") + std::to_string(i) + "\":" + std::to_string(i);
  }
  CHECK(parse_json(text + "}", "vocab.json").size() == 200'000);
}

TEST_CASE("an error in a line of JSON-lines names that line") {
  CHECK(parse_json_line("{\"a\": 1}", {"t.jsonl", 7}) == Json{{"a", 1}});
  CHECK_THROWS_WITH(parse_json_line("{\"a\": 1, \"a\": 2}", {"t.jsonl", 7}),
                    "t.jsonl:7:12: duplicate key \"a\"");
}

TEST_CASE("damaged JSON is a value or an InputError, and what is read can be written and read again") {
  const test::MutantCount count = test::read_mutants(kDocument, 20'000, [](const std::string& text) {
    const Json json = parse_json(text, "s.json");
    REQUIRE(parse_json(json.dump(), "again") == json);
  });
  CHECK(count.accepted > 300);
  CHECK(count.refused > 500);
}

TEST_CASE("a JSON file that is missing or too large is named") {
  const test::TempDir dir;
  CHECK_THROWS_WITH(read_json(dir / "no.json"), dir / "no.json" + ": no such file");
  test::write_file(dir / "big.json", "[1, 2, 3]");
  CHECK_THROWS_WITH(read_json(dir / "big.json", {.bytes = 4}),
                    dir / "big.json" + ": has 9 B; the limit is 4 B");
  CHECK(read_json(dir / "big.json").size() == 3);
}

TEST_CASE("JSON with what steers escaped is the same document") {
  const Json value{{"text",
                    "a\x7F\xC2\x9B"
                    "31m \xE2\x80\xAE \xC3\xBC\n\x1b"},
                   {"n", {1, 2}}};
  for (const int indent : {-1, 2}) {
    const std::string shown = visible_json(value.dump(indent));
    CHECK(visible(shown) == shown);
    CHECK(parse_json(shown, "shown") == value);
  }
}
