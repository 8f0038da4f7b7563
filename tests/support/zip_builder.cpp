#include "support/zip_builder.h"

#include <cstring>

#include "io/files.h"

namespace lmzoo::test {
namespace {

std::string little_endian(uint64_t value, size_t bytes) {
  return std::string(reinterpret_cast<const char*>(&value), bytes);
}

std::string central_header(const ZipPart& part, uint32_t crc, size_t offset) {
  return "PK\x01\x02" + le16(0) + le16(0) + le16(part.flags) + le16(part.method) + le32(0) +
         le32(part.crc.value_or(crc)) + le32(part.stored.value_or(part.bytes.size())) +
         le32(part.size.value_or(part.bytes.size())) + le16(part.name.size()) + le16(part.extra.size()) +
         le16(part.comment.size()) + le16(part.disk) + le16(0) + le32(0) +
         le32(part.offset.value_or(offset)) + part.name + part.extra + part.comment;
}

}  // namespace

std::string le16(uint64_t value) { return little_endian(value, 2); }
std::string le32(uint64_t value) { return little_endian(value, 4); }
std::string le64(uint64_t value) { return little_endian(value, 8); }

std::string build_zip(const ZipShape& shape) {
  std::string out = shape.before;
  std::string directory;
  for (const ZipPart& part : shape.parts) {
    const std::string& name = part.local_name.empty() ? part.name : part.local_name;
    const uint32_t crc = crc32(as_bytes(part.bytes));
    directory += central_header(part, crc, out.size());
    out += "PK\x03\x04" + le16(0) + le16(part.local_flags.value_or(part.flags)) + le16(part.method) +
           le32(0) + le32(part.crc.value_or(crc)) + le32(part.bytes.size()) + le32(part.bytes.size()) +
           le16(name.size()) + le16(0) + name + part.bytes + part.descriptor;
  }
  out += shape.hidden;
  const size_t offset = out.size();
  const size_t entries = shape.entries.value_or(shape.parts.size());
  return out + directory + shape.zip64 + "PK\x05\x06" + le16(shape.disk) + le16(shape.disk) + le16(entries) +
         le16(entries) + le32(shape.directory_bytes.value_or(directory.size())) +
         le32(shape.directory_offset.value_or(offset)) + le16(shape.comment.size()) + shape.comment +
         shape.after;
}

namespace pickle {

std::string text(const std::string& value) { return "X" + le32(value.size()) + value; }
std::string integer(int64_t value) { return "\x8A\x08" + le64(static_cast<uint64_t>(value)); }
std::string name(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}

std::string tuple(const std::vector<std::string>& items) {
  std::string out = "(";
  for (const std::string& item : items) {
    out += item;
  }
  return out + "t";
}

std::string integers(const std::vector<int64_t>& values) {
  std::vector<std::string> items;
  for (const int64_t value : values) {
    items.push_back(integer(value));
  }
  return tuple(items);
}

std::string dict(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string out = "}(";
  for (const auto& [key, value] : entries) {
    out += text(key) + value;
  }
  return out + "u";
}

std::string call(const std::string& function, const std::vector<std::string>& arguments) {
  return function + tuple(arguments) + "R";
}

std::string storage(const std::string& type,
                    const std::string& key,
                    int64_t length,
                    const std::string& device) {
  return tuple({text("storage"), name("torch", type), text(key), text(device), integer(length)}) + "Q";
}

std::string tensor(const Tensor& tensor) {
  const std::string hooks = call(name("collections", "OrderedDict"), {});
  return call(name("torch._utils", "_rebuild_tensor_v2"),
              {tensor.storage,
               integer(tensor.offset),
               integers(tensor.sizes),
               integers(tensor.strides),
               "\x89",
               hooks});
}

std::string file(const std::string& value) { return "\x80\x02" + value + "."; }

}  // namespace pickle

std::vector<ZipPart> torch_parts(const std::string& data_pkl,
                                 const std::vector<std::pair<std::string, std::string>>& storages) {
  std::vector<ZipPart> parts{{.name = "archive/data.pkl", .bytes = data_pkl}};
  for (const auto& [key, bytes] : storages) {
    parts.push_back({.name = "archive/data/" + key, .bytes = bytes});
  }
  parts.push_back({.name = "archive/version", .bytes = "3\n"});
  return parts;
}

std::string torch_file(const std::string& data_pkl,
                       const std::vector<std::pair<std::string, std::string>>& storages) {
  return build_zip({.parts = torch_parts(data_pkl, storages)});
}

}  // namespace lmzoo::test
