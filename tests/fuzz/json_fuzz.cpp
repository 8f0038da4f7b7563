#include "fuzz/target.h"
#include "io/json.h"

void lmzoo::fuzz::read_input(const Input& input) {
  const std::string text = parse_json(input.bytes, "input.json").dump();
  touch(text.data(), text.size());
}
