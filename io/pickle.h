// A pickle read as data. A pickle is a program for a stack machine that may name any function of Python and
// call it; this machine knows the opcodes by which plain values are built, and leaves names, calls and
// persistent ids to a host, which refuses all it does not know. Nothing of Python exists here that could run.
//
//   stack: PROTO FRAME MARK STOP      values: NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 BINFLOAT
//   BINUNICODE SHORT_BINUNICODE       containers: EMPTY_TUPLE TUPLE TUPLE1-3 EMPTY_LIST APPEND APPENDS
//   EMPTY_DICT SETITEM SETITEMS       memo: BINPUT LONG_BINPUT MEMOIZE BINGET LONG_BINGET
//   host: GLOBAL STACK_GLOBAL REDUCE BINPERSID; BUILD of a dict is dropped (OrderedDict's attributes)
//
// Everything else is refused by the opcode's name and offset. Texts are views of the pickle; values are few
// bytes, and their number is limited, so that memory is bounded whatever the pickle does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace lmzoo {

struct PickleValue {
  enum class Kind : uint8_t { none, boolean, integer, real, text, tuple, list, dict, global, object };

  Kind kind = Kind::none;
  int64_t number = 0;       // boolean, integer; tuple, list, dict: which; global, object: the host's
  std::string_view text{};  // text
};
std::string_view name_of(PickleValue::Kind kind);

// The values of a pickle. Containers may hold themselves: whoever walks them must not recurse without end.
struct Pickle {
  PickleValue root;
  std::deque<std::vector<PickleValue>> containers;  // a dict: key, value, key, value...

  std::span<const PickleValue> items(const PickleValue& container) const {
    return containers[static_cast<size_t>(container.number)];
  }
};

// What a format allows. Refuses by throwing InputError without a location: the machine adds file and offset.
class PickleHost {
 public:
  virtual ~PickleHost() = default;
  // A number for this name, which call() gets.
  virtual int64_t global(std::string_view module, std::string_view name) = 0;
  virtual PickleValue call(int64_t function, std::span<const PickleValue> arguments, Pickle& pickle) = 0;
  virtual PickleValue persistent(const PickleValue& id, const Pickle& pickle) = 0;
};

struct PickleLimits {
  size_t stack = 1 << 16;
  size_t memo = 1 << 18;
  size_t containers = 1 << 18;
  size_t items = 1 << 19;  // of all containers together
  size_t text_bytes = 1 << 16;
};

// `name` is only for messages: "model.bin: data.pkl". Texts are views of `bytes`.
Pickle read_pickle(std::string_view bytes,
                   const std::string& name,
                   PickleHost& host,
                   const PickleLimits& limits = {});

// A new empty dict: for hosts whose function makes one.
PickleValue add_dict(Pickle& pickle);

}  // namespace lmzoo
