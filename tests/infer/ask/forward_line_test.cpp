#include "infer/ask/forward_line.h"

#include "support/catch.h"
#include "support/errors.h"

using namespace lmzoo;
using test::error_of;

namespace {

ForwardLine line_of(const std::string& text) {
  const Location where{"ids.jsonl", 3};
  return parse_forward_line(parse_json_line(text, where), 100, where);
}
std::string refusal_of_line(const std::string& text) {
  return error_of([&] { line_of(text); });
}

}  // namespace

TEST_CASE("a line of ids or of text is read") {
  const ForwardLine ids = line_of(R"({"ids": [0, 99], "token_types": [0, 1]})");
  CHECK(ids.ids == std::vector<int64_t>{0, 99});
  CHECK(ids.token_types == std::vector<int64_t>{0, 1});
  CHECK_FALSE(ids.decoder_ids);
  const ForwardLine text = line_of(R"({"text": "owl", "decoder_ids": []})");
  CHECK(text.text == "owl");
  CHECK(text.decoder_ids == std::vector<int64_t>{});
}

TEST_CASE("what is no line to compute is refused with its place, briefly") {
  CHECK(refusal_of_line("[]") == "ids.jsonl:3: a line must be a JSON object");
  CHECK(refusal_of_line(R"({"ids": [100]})") == "ids.jsonl:3: ids holds 100, but legal are 0 to 99");
  CHECK(refusal_of_line(R"({"ids": [-1]})") == "ids.jsonl:3: ids holds -1, but legal are 0 to 99");
  // Beyond a signed number: no small one by wrapping around.
  CHECK(refusal_of_line(R"({"ids": [18446744073709551615]})").ends_with("but legal are 0 to 99"));
  CHECK(refusal_of_line(R"({"ids": [9223372036854775813]})").ends_with("but legal are 0 to 99"));
  CHECK(refusal_of_line(R"({"ids": "1"})") == "ids.jsonl:3: ids must be a list of integers");
  CHECK(refusal_of_line(R"({"ids": [1.5]})") == "ids.jsonl:3: ids must be a list of integers, but holds 1.5");
  CHECK(refusal_of_line(R"({"text": "a", "ids": [1]})").ends_with("and no ids beside it"));
  CHECK(refusal_of_line(R"({"idz": [1]})").starts_with("ids.jsonl:3: unknown key 'idz'"));
  const std::string longest(70'000, 'x');
  CHECK(refusal_of_line("{\"" + longest + "\": 1}").size() < 300);
  CHECK(refusal_of_line("{\"ids\": [\"" + longest + "\"]}").size() < 300);
  CHECK(refusal_of_line("{\"\\u001b[31m\": 1}").find('\x1b') == std::string::npos);
}
