#include "fuzz/target.h"
#include "io/word_vectors.h"

void lmzoo::fuzz::read_input(const Input& input) {
  const WordVectors table = read_word_vectors(input.path).table;
  touch(table.values.data(), table.values.size() * sizeof(float));
}
