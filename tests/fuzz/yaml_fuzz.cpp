#include <cstdlib>

#include "fuzz/target.h"
#include "io/yaml.h"

void lmzoo::fuzz::read_input(const Input& input) {
  const std::string text = to_yaml(parse_yaml(input.bytes, "input.yaml"));
  // What is written is read again, and written the same.
  if (to_yaml(parse_yaml(text, "again.yaml")) != text) {
    std::abort();
  }
}
