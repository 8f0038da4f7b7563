#include "io/protobuf.h"

#include <cstring>

namespace lmzoo {
namespace {

// Values lie in messages little endian, as in the memory of every machine that lmzoo runs on
// (io/safetensors.cpp).
template <class T>
void append_raw(std::string& out, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

template <class T>
T read_raw(std::string_view bytes) {
  T value{};
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

void append_tag(std::string& out, uint32_t number, WireType type) {
  append_varint(out, (uint64_t{number} << 3) | static_cast<uint64_t>(type));
}

}  // namespace

void ProtoReader::fail(size_t offset, const std::string& why) const {
  throw InputError(Location{name_}, "byte " + std::to_string(offset) + ": " + why);
}

uint64_t ProtoReader::varint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const auto byte = static_cast<unsigned char>(take(1)[0]);
    if (shift == 63 && byte > 1) {
      break;
    }
    value |= uint64_t{byte & 0x7Fu} << shift;
    if (byte < 0x80) {
      return value;
    }
  }
  fail(offset_ + position_, "a number is longer than 64 bits");
}

std::string_view ProtoReader::take(uint64_t count) {
  if (count > bytes_.size() - position_) {
    fail(offset_ + position_, "a field runs past the end of its message");
  }
  const std::string_view taken = bytes_.substr(position_, count);
  position_ += count;
  return taken;
}

bool ProtoReader::next(ProtoField& field) {
  if (position_ == bytes_.size()) {
    return false;
  }
  field = {};
  field.offset = offset_ + position_;
  const uint64_t tag = varint();
  if (tag >> 32 != 0 || tag >> 3 == 0) {
    fail(field.offset, "not a protobuf field");
  }
  field.number = static_cast<uint32_t>(tag >> 3);
  field.type = static_cast<WireType>(tag & 7);
  switch (field.type) {
    case WireType::varint:
      field.value = varint();
      return true;
    case WireType::fixed64:
      field.value = read_raw<uint64_t>(take(8));
      return true;
    case WireType::fixed32:
      field.value = read_raw<uint32_t>(take(4));
      return true;
    case WireType::bytes:
      field.bytes = take(varint());
      return true;
  }
  fail(field.offset, "wire type " + std::to_string(tag & 7) + " is not used by this format");
}

ProtoReader ProtoReader::inside(const ProtoField& field) const {
  const auto start = static_cast<size_t>(field.bytes.data() - bytes_.data());
  return {field.bytes, offset_ + start, name_};
}

void ProtoReader::expect(const ProtoField& field, WireType type) const {
  if (field.type != type) {
    fail(field.offset,
         "field " + std::to_string(field.number) + " has wire type " +
             std::to_string(static_cast<int>(field.type)) + " but must have " +
             std::to_string(static_cast<int>(type)));
  }
}

void append_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) {
    out += static_cast<char>(value | 0x80);
  }
  out += static_cast<char>(value);
}

void append_varint_field(std::string& out, uint32_t number, uint64_t value) {
  append_tag(out, number, WireType::varint);
  append_varint(out, value);
}

void append_bytes_field(std::string& out, uint32_t number, std::string_view bytes) {
  append_tag(out, number, WireType::bytes);
  append_varint(out, bytes.size());
  out += bytes;
}

void append_float_field(std::string& out, uint32_t number, float value) {
  append_tag(out, number, WireType::fixed32);
  append_raw(out, value);
}

void append_double_field(std::string& out, uint32_t number, double value) {
  append_tag(out, number, WireType::fixed64);
  append_raw(out, value);
}

}  // namespace lmzoo
