#include "io/event_file.h"

#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <filesystem>

#include <unistd.h>

#include "io/protobuf.h"

namespace lmzoo {
namespace {

constexpr std::array<uint32_t, 256> make_crc32c_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78u : 0);
    }
    table[i] = crc;
  }
  return table;
}

// CRC-32C, rotated and shifted as the record format asks, so that a record of records does not check by
// accident.
uint32_t masked_crc(std::string_view bytes) {
  static constexpr std::array<uint32_t, 256> kTable = make_crc32c_table();
  uint32_t crc = 0xFFFFFFFFu;
  for (const char c : bytes) {
    crc = kTable[(crc ^ static_cast<unsigned char>(c)) & 0xFF] ^ (crc >> 8);
  }
  crc = ~crc;
  return ((crc >> 15) | (crc << 17)) + 0xA282EAD8u;
}

template <class T>
std::string raw(T value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string new_name() {
  static std::atomic<int> counter{0};
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return "events.out.tfevents." + std::to_string(static_cast<int64_t>(now())) + "." + host.data() + "." +
         std::to_string(::getpid()) + "." + std::to_string(counter++);
}

// Event.summary with one value: {tag, ...}.
std::string summary_of(std::string_view tag, std::string_view rest) {
  std::string value;
  append_bytes_field(value, 1, tag);
  value += rest;
  std::string summary;
  append_bytes_field(summary, 1, value);
  std::string what;
  append_bytes_field(what, 5, summary);
  return what;
}

}  // namespace

EventFile::EventFile(const std::string& folder, int64_t resumed_at)
    : path_((std::filesystem::path(folder) / new_name()).string()), file_(path_) {
  std::string version;
  append_bytes_field(version, 3, "brain.Event:2");
  write_event(0, version);
  if (resumed_at > 0) {
    std::string session;
    append_varint_field(session, 1, 1);  // SessionLog.status = START
    std::string what;
    append_bytes_field(what, 7, session);
    write_event(resumed_at, what);
  }
  flush();
}

void EventFile::scalar(std::string_view tag, int64_t step, double value) {
  std::string rest;
  append_float_field(rest, 2, static_cast<float>(value));
  write_event(step, summary_of(tag, rest));
}

void EventFile::text(std::string_view tag, int64_t step, std::string_view markdown) {
  std::string dimension;
  append_varint_field(dimension, 1, 1);
  std::string shape;
  append_bytes_field(shape, 2, dimension);
  std::string tensor;
  append_varint_field(tensor, 1, 7);  // DT_STRING
  append_bytes_field(tensor, 2, shape);
  append_bytes_field(tensor, 8, markdown);
  std::string plugin;
  append_bytes_field(plugin, 1, "text");
  std::string metadata;
  append_bytes_field(metadata, 1, plugin);
  std::string rest;
  append_bytes_field(rest, 8, tensor);
  append_bytes_field(rest, 9, metadata);
  write_event(step, summary_of(tag, rest));
}

void EventFile::write_event(int64_t step, std::string_view what) {
  std::string event;
  append_double_field(event, 1, now());
  append_varint_field(event, 2, static_cast<uint64_t>(step));
  event += what;
  const std::string length = raw(uint64_t{event.size()});
  file_.write(length + raw(masked_crc(length)) + event + raw(masked_crc(event)));
}

}  // namespace lmzoo
