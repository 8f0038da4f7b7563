// The wire format of protocol buffers: a bounded walk over untrusted bytes, and the few functions that write
// it.
//
// A message is a series of fields: varint (number << 3 | type), then by type a varint (0), 8 bytes (1), a
// varint length and that many bytes (2), or 4 bytes (5). Groups (3, 4) are refused: nobody writes them any
// more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace lmzoo {

enum class WireType { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

struct ProtoField {
  uint32_t number = 0;
  WireType type = WireType::varint;
  uint64_t value = 0;      // varint, fixed64, fixed32
  std::string_view bytes;  // bytes
  size_t offset = 0;       // of the field in the file
};

//   ProtoReader message(bytes, 0, "spiece.model");
//   for (ProtoField field; message.next(field);) { ... }
class ProtoReader {
 public:
  // `offset`: of these bytes in the file `name`, for messages.
  ProtoReader(std::string_view bytes, size_t offset, const std::string& name)
      : bytes_(bytes), offset_(offset), name_(name) {}

  bool next(ProtoField& field);
  // The message that a field of type bytes holds.
  ProtoReader inside(const ProtoField& field) const;
  // Throws unless `field` has the type that its number asks for.
  void expect(const ProtoField& field, WireType type) const;
  [[noreturn]] void fail(size_t offset, const std::string& why) const;

 private:
  uint64_t varint();
  std::string_view take(uint64_t count);

  std::string_view bytes_;
  size_t offset_;
  const std::string& name_;
  size_t position_ = 0;
};

void append_varint(std::string& out, uint64_t value);
void append_varint_field(std::string& out, uint32_t number, uint64_t value);
void append_bytes_field(std::string& out, uint32_t number, std::string_view bytes);
void append_float_field(std::string& out, uint32_t number, float value);
void append_double_field(std::string& out, uint32_t number, double value);

}  // namespace lmzoo
