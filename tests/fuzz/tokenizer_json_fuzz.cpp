#include "fuzz/tokenizer_text.h"
#include "io/json.h"

void lmzoo::fuzz::read_input(const Input& input) {
  const auto pipeline =
      huggingface::read_pipeline(parse_json(std::string(input.bytes), "tokenizer.json"), "tokenizer.json");
  try_texts(*pipeline, input.bytes.substr(0, 256));
}
