// The opcodes of Python's pickle, protocols 0 to 5, by name (Lib/pickletools.py).
#pragma once

#include <cstdint>
#include <string>

namespace lmzoo {

enum class Opcode : uint8_t {
  mark = '(',
  stop = '.',
  binint = 'J',
  binint1 = 'K',
  binint2 = 'M',
  none = 'N',
  binpersid = 'Q',
  reduce = 'R',
  binunicode = 'X',
  append = 'a',
  build = 'b',
  global = 'c',
  appends = 'e',
  binget = 'h',
  long_binget = 'j',
  binput = 'q',
  long_binput = 'r',
  setitem = 's',
  tuple = 't',
  setitems = 'u',
  binfloat = 'G',
  empty_dict = '}',
  empty_list = ']',
  empty_tuple = ')',
  proto = 0x80,
  tuple1 = 0x85,
  tuple2 = 0x86,
  tuple3 = 0x87,
  newtrue = 0x88,
  newfalse = 0x89,
  long1 = 0x8A,
  short_binunicode = 0x8C,
  stack_global = 0x93,
  memoize = 0x94,
  frame = 0x95,
};

// "INST", or "0xFE" for a byte that is no opcode.
std::string opcode_name(uint8_t opcode);

}  // namespace lmzoo
