#include "io/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <filesystem>
#include <limits>
#include <optional>
#include <stdexcept>
#include <utility>

#include "base/utf8.h"
#include "io/json.h"

static_assert(std::endian::native == std::endian::little, "tensors lie in files as in memory: little endian");

namespace lmzoo {
namespace {

constexpr uint64_t kMaxHeaderBytes = 100'000'000;
constexpr size_t kMaxTensors = 1 << 17;
constexpr size_t kMaxMetadata = 1 << 14;
constexpr size_t kMaxNameBytes = 1024;
constexpr size_t kMaxDimensions = 16;
constexpr std::string_view kMetadataKey = "__metadata__";

std::string shown(std::string_view name) { return "\"" + printable(name) + "\""; }

struct Entry {
  std::string name;
  std::optional<Dtype> dtype{};
  bool has_shape = false;
  std::vector<int64_t> shape{};
  std::vector<uint64_t> offsets{};  // begin and end, once they came
};

// Takes the header's events: a mapping of names to {dtype, shape, data_offsets}, and of __metadata__ to
// texts.
class HeaderHandler final : public JsonHandler {
 public:
  std::vector<Entry> entries;
  std::map<std::string, std::string> metadata;

  void null() override { unexpected("null"); }
  void boolean(bool) override { unexpected("a truth value"); }
  void integer(int64_t) override { unexpected("a negative number"); }
  void real(double) override { unexpected("a fraction"); }

  void natural(uint64_t value) override {
    if (place_ == Place::shape) {
      auto& shape = entries.back().shape;
      if (shape.size() >= kMaxDimensions) {
        throw InputError("tensor " + shown(entries.back().name) + " has over " +
                         std::to_string(kMaxDimensions) + " dimensions");
      }
      if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
        throw InputError("tensor " + shown(entries.back().name) + " has a dimension over 2^63");
      }
      shape.push_back(static_cast<int64_t>(value));
    } else if (place_ == Place::offsets && entries.back().offsets.size() < 2) {
      entries.back().offsets.push_back(value);
    } else {
      unexpected("a number");
    }
  }

  void text(std::string& value) override {
    if (place_ == Place::metadata) {
      if (metadata.size() >= kMaxMetadata) {
        throw InputError("over " + std::to_string(kMaxMetadata) + " entries in __metadata__");
      }
      metadata[key_] = value;
    } else if (place_ == Place::entry && key_ == "dtype") {
      entries.back().dtype = dtype_of(value);
      if (!entries.back().dtype) {
        throw InputError("tensor " + shown(entries.back().name) + " has the unknown dtype " + shown(value));
      }
    } else {
      unexpected("a text");
    }
  }

  void key(std::string& value) override {
    key_ = std::move(value);
    if (place_ == Place::top && key_.size() > kMaxNameBytes) {
      throw InputError("a name is longer than " + std::to_string(kMaxNameBytes) + " bytes");
    }
    if (place_ == Place::entry && key_ != "dtype" && key_ != "shape" && key_ != "data_offsets") {
      throw InputError("tensor " + shown(entries.back().name) + " has the unknown key " + shown(key_));
    }
  }

  void begin_object() override {
    if (place_ == Place::outside) {
      place_ = Place::top;
    } else if (place_ != Place::top) {
      unexpected("an object");
    } else if (key_ == kMetadataKey) {
      place_ = Place::metadata;
    } else {
      if (entries.size() >= kMaxTensors) {
        throw InputError("over " + std::to_string(kMaxTensors) + " tensors");
      }
      entries.push_back({.name = key_});
      place_ = Place::entry;
    }
  }
  void end_object() override {
    if (place_ == Place::entry) {
      const Entry& entry = entries.back();
      const char* missing = !entry.dtype            ? "dtype"
                            : !entry.has_shape      ? "shape"
                            : entry.offsets.empty() ? "data_offsets"
                                                    : nullptr;
      if (missing != nullptr) {
        throw InputError("tensor " + shown(entry.name) + " has no " + missing);
      }
    }
    place_ = Place::top;
  }

  void begin_array() override {
    if (place_ == Place::entry && key_ == "shape") {
      entries.back().has_shape = true;
      place_ = Place::shape;
    } else if (place_ == Place::entry && key_ == "data_offsets") {
      place_ = Place::offsets;
    } else {
      unexpected("a list");
    }
  }
  void end_array() override {
    if (place_ == Place::offsets && entries.back().offsets.size() != 2) {
      throw InputError("data_offsets of tensor " + shown(entries.back().name) + " are not two numbers");
    }
    place_ = Place::entry;
  }

 private:
  enum class Place { outside, top, metadata, entry, shape, offsets };

  [[noreturn]] void unexpected(const std::string& what) const {
    static constexpr std::array<const char*, 6> kLegal = {"the header is an object",
                                                          "a tensor is an object",
                                                          "a value of __metadata__ is a text",
                                                          "dtype is a text, shape and data_offsets are lists",
                                                          "shape lists natural numbers",
                                                          "data_offsets are two natural numbers"};
    const std::string place = key_.empty() ? "" : " at " + shown(key_);
    throw InputError(what + place + ", but " + kLegal[static_cast<size_t>(place_)]);
  }

  Place place_ = Place::outside;
  std::string key_;
};

// The header's text and the data after it.
std::pair<std::string_view, std::span<const std::byte>> split(const MappedFile& file) {
  const std::span<const std::byte> bytes = file.bytes();
  const auto refuse = [&](const std::string& why) {
    throw InputError(Location{file.path()}, "not safetensors: " + why);
  };
  uint64_t length = 0;
  if (bytes.size() < sizeof length) {
    refuse("has " + std::to_string(bytes.size()) + " bytes, the header's length alone takes 8");
  }
  std::memcpy(&length, bytes.data(), sizeof length);
  const uint64_t rest = bytes.size() - sizeof length;
  if (length > kMaxHeaderBytes) {
    refuse("the header would be " + std::to_string(length) + " bytes long, the limit is 100000000");
  }
  if (length > rest) {
    refuse("the header would be " + std::to_string(length) + " bytes long, but " + std::to_string(rest) +
           " follow");
  }
  const std::string_view header = file.text().substr(sizeof length, length);
  if (!header.starts_with('{')) {
    refuse("the header does not start with {");
  }
  return {header, bytes.subspan(sizeof length + length)};
}

// Every byte of the data belongs to exactly one tensor: no overlap, no hole, nothing after the last.
void check_layout(const std::vector<Entry>& entries, const std::string& path, uint64_t data_bytes) {
  uint64_t end = 0;
  for (const Entry& entry : entries) {
    const auto refuse = [&](const std::string& why) {
      throw InputError(Location{path}, "tensor " + shown(entry.name) + " " + why);
    };
    const uint64_t first = entry.offsets[0];
    const uint64_t last = entry.offsets[1];
    const std::string range = "at [" + std::to_string(first) + ", " + std::to_string(last) + ")";
    if (last < first || last > data_bytes) {
      refuse(range + " is not within the " + std::to_string(data_bytes) + " bytes of data");
    }
    if (first != end) {
      refuse(range +
             (first < end ? " overlaps the tensor before it, which ends at "
                          : " leaves a hole after the tensor before it, which ends at ") +
             std::to_string(end));
    }
    const std::optional<uint64_t> wanted = byte_count(entry.shape, *entry.dtype);
    if (!wanted) {
      refuse("has a shape whose bytes are over 2^60 or not whole");
    }
    if (*wanted != last - first) {
      refuse("has " + std::to_string(last - first) + " bytes, its shape and dtype need " +
             std::to_string(*wanted));
    }
    end = last;
  }
  if (end != data_bytes) {
    const std::string last = entries.empty() ? "" : " " + shown(entries.back().name);
    throw InputError(Location{path},
                     std::to_string(data_bytes - end) + " bytes after the last tensor" + last);
  }
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::string& path) : file_(path) {
  const auto [header, data] = split(file_);
  HeaderHandler handler;
  const JsonLimits limits{.bytes = kMaxHeaderBytes, .depth = 4, .values = 32 * kMaxTensors};
  parse_json(header, path + ": header", handler, limits);
  std::sort(handler.entries.begin(), handler.entries.end(), [](const Entry& a, const Entry& b) {
    return a.offsets < b.offsets;
  });
  check_layout(handler.entries, path, data.size());
  metadata_ = std::move(handler.metadata);
  tensors_.reserve(handler.entries.size());
  for (Entry& entry : handler.entries) {
    const uint64_t first = entry.offsets[0];
    const uint64_t last = entry.offsets[1];
    index_.emplace(entry.name, tensors_.size());
    tensors_.push_back(
        {std::move(entry.name), *entry.dtype, std::move(entry.shape), data.subspan(first, last - first)});
  }
}

const TensorView* SafetensorsFile::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &tensors_[found->second];
}

}  // namespace lmzoo
