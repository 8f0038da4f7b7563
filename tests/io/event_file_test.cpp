#include "io/event_file.h"

#include <cstring>

#include "io/protobuf.h"
#include "support/catch.h"
#include "support/files.h"

using namespace lmzoo;

namespace {

// CRC-32C bit by bit, masked as the format asks.
uint32_t masked_crc(std::string_view bytes) {
  uint32_t crc = ~0u;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82F63B78u : crc >> 1;
    }
  }
  crc = ~crc;
  return ((crc >> 15) | (crc << 17)) + 0xA282EAD8u;
}

template <class T>
T read_raw(std::string_view bytes) {
  T value{};
  REQUIRE(bytes.size() >= sizeof value);
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

// The events of a file; every checksum is checked.
std::vector<std::string> events_in(const std::string& path) {
  const std::string file = test::read_file(path);
  std::vector<std::string> events;
  std::string_view rest = file;
  while (!rest.empty()) {
    const auto length = read_raw<uint64_t>(rest);
    REQUIRE(rest.size() >= length + 16);
    CHECK(read_raw<uint32_t>(rest.substr(8)) == masked_crc(rest.substr(0, 8)));
    events.emplace_back(rest.substr(12, length));
    CHECK(read_raw<uint32_t>(rest.substr(12 + length)) == masked_crc(events.back()));
    rest.remove_prefix(length + 16);
  }
  return events;
}

// The bytes of a nested field, by the numbers that lead to it.
std::string field(std::string message, std::initializer_list<uint32_t> numbers) {
  for (const uint32_t number : numbers) {
    ProtoReader reader(message, 0, "event");
    std::string found = "absent";
    for (ProtoField each; reader.next(each);) {
      if (each.number == number) {
        found = each.type == WireType::bytes ? std::string(each.bytes) : std::to_string(each.value);
      }
    }
    message = found;
  }
  return message;
}

}  // namespace

TEST_CASE("the checksum is CRC-32C, masked") {
  CHECK(masked_crc("123456789") == ((0xE3069283u >> 15) | (0xE3069283u << 17)) + 0xA282EAD8u);
}

TEST_CASE("scalars and texts are TensorBoard events") {
  const test::TempDir dir;
  std::string path;
  {
    EventFile file(dir / "run/tensorboard");
    path = file.path();
    CHECK(path.find("/run/tensorboard/events.out.tfevents.") != std::string::npos);
    file.scalar("train/loss", 300, 2.5);
    file.text("config", 0, "*markdown*");
  }
  const std::vector<std::string> events = events_in(path);
  REQUIRE(events.size() == 3);
  CHECK(field(events[0], {3}) == "brain.Event:2");
  CHECK(field(events[1], {2}) == "300");
  CHECK(field(events[1], {5, 1, 1}) == "train/loss");
  CHECK(field(events[1], {5, 1, 2}) == std::to_string(0x40200000));  // 2.5f
  CHECK(field(events[2], {5, 1, 1}) == "config");
  CHECK(field(events[2], {5, 1, 8, 8}) == "*markdown*");
  CHECK(field(events[2], {5, 1, 9, 1, 1}) == "text");
}

TEST_CASE("a run that resumes tells at which step, in a file of its own") {
  const test::TempDir dir;
  const EventFile first(dir.path().string());
  const EventFile second(dir.path().string(), 40);
  CHECK(first.path() != second.path());
  CHECK(events_in(first.path()).size() == 1);
  const std::vector<std::string> events = events_in(second.path());
  REQUIRE(events.size() == 2);
  CHECK(field(events[1], {2}) == "40");
  CHECK(field(events[1], {7, 1}) == "1");
}

TEST_CASE("many events are complete on disk after a flush") {
  const test::TempDir dir;
  EventFile file(dir.path().string());
  for (int step = 0; step < 50'000; ++step) {
    file.scalar("loss", step, 1.0 / (step + 1));
  }
  file.flush();
  CHECK(events_in(file.path()).size() == 50'001);
}
