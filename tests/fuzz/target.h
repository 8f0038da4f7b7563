// What a fuzz target of a parser is: one file NAME_fuzz.cpp that defines read_input(), and seeds in
// corpus/NAME.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace lmzoo::fuzz {

struct Input {
  std::string_view bytes;
  std::string path;  // of a file with these bytes
};

// Reads the input with the parser under test and touches all that came of it. It may throw InputError, and
// nothing else; libFuzzer finds the rest: crashes, leaks, memory, time.
void read_input(const Input& input);

// Reads every byte, so that a view beyond its file is found.
void touch(const void* bytes, size_t size);

// Prints a refusal when LMZOO_FUZZ_SHOW is set.
void show(const InputError& refusal);

}  // namespace lmzoo::fuzz
