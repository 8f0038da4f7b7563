#include "fuzz/target.h"
#include "io/sentencepiece_model.h"

void lmzoo::fuzz::read_input(const Input& input) {
  const auto bytes = std::as_bytes(std::span(input.bytes));
  for (const SentencePiece& piece : validate_sentencepiece_model(bytes, "input.model").pieces) {
    touch(piece.text.data(), piece.text.size());
  }
}
