#include "io/manifest.h"

#include <array>
#include <cstdio>
#include <filesystem>
#include <map>

#include "base/utf8.h"
#include "io/files.h"
#include "io/json.h"

namespace lmzoo {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxManifestBytes = 4 << 20;

struct Listed {
  uint64_t size = 0;
  std::string crc32;
};

std::string path_in(const std::string& folder, const std::string& name) {
  return (fs::path(folder) / name).string();
}

Listed measure(const std::string& path) {
  const MappedFile file(path);
  std::array<char, 16> crc{};
  std::snprintf(crc.data(), crc.size(), "%08x", crc32(file.bytes()));
  return {file.bytes().size(), crc.data()};
}

// The text of the manifest of these files of `folder`, as they are now.
std::string manifest_of(const std::map<std::string, Listed>& files) {
  Json listed = Json::object();
  for (const auto& [name, file] : files) {
    listed[name] = {{"size", file.size}, {"crc32", file.crc32}};
  }
  return Json{{"format", "lmzoo-manifest"}, {"version", 1}, {"files", std::move(listed)}}.dump(2) + "\n";
}

// A name from a manifest must stay inside the folder.
void check_name(const std::string& manifest, const std::string& name) {
  const fs::path path(name);
  bool inside = !name.empty() && path.is_relative() && path.lexically_normal() == path;
  for (const fs::path& part : path) {
    inside = inside && part != ".." && part != ".";
  }
  if (!inside || name == kManifestName) {
    throw InputError(Location{manifest},
                     "lists \"" + printable(name) + "\", which is not a file of its folder");
  }
}

Listed listed_in(const std::string& manifest, const std::string& name, const Json& entry) {
  const bool right = entry.is_object() && entry.size() == 2 && entry.contains("size") &&
                     entry.contains("crc32") && entry["size"].is_number_unsigned() &&
                     entry["crc32"].is_string();
  if (!right) {
    throw InputError(Location{manifest}, "the entry of \"" + printable(name) + "\" is damaged");
  }
  return {entry["size"].get<uint64_t>(), entry["crc32"].get<std::string>()};
}

}  // namespace

void write_manifest(const std::string& folder) {
  std::map<std::string, Listed> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().lexically_relative(folder).string();
    if (!entry.is_symlink() && entry.is_regular_file() && name != kManifestName) {
      files[name] = measure(entry.path().string());
    }
  }
  write_atomically(path_in(folder, kManifestName), manifest_of(files));
}

void write_manifest(const std::string& folder, const std::vector<std::string>& names) {
  std::map<std::string, Listed> files;
  for (const std::string& name : names) {
    files[name] = measure(path_in(folder, name));
  }
  write_atomically(path_in(folder, kManifestName), manifest_of(files));
}

void verify_manifest(const std::string& folder, const std::vector<std::string>& required) {
  const std::string manifest = path_in(folder, kManifestName);
  std::error_code ignored;
  if (!fs::exists(manifest, ignored)) {
    throw InputError(Location{folder},
                     "has no " + std::string(kManifestName) + ": it is not a complete folder");
  }
  const std::string text = read_text_file(manifest, kMaxManifestBytes);
  const Json parsed = parse_json(text, manifest);
  if (!parsed.is_object() || !parsed.contains("files") || !parsed["files"].is_object()) {
    throw InputError(Location{manifest}, "is not a manifest");
  }
  std::map<std::string, Listed> files;
  for (const auto& [name, entry] : parsed["files"].items()) {
    check_name(manifest, name);
    const Listed listed = listed_in(manifest, name, entry);
    const std::string path = path_in(folder, name);
    if (fs::is_symlink(path)) {
      throw InputError(Location{path}, "is a link; the manifest lists a file");
    }
    const Listed found = measure(path);
    if (found.size != listed.size) {
      throw InputError(
          Location{path},
          "has " + std::to_string(found.size) + " bytes, the manifest says " + std::to_string(listed.size));
    }
    if (found.crc32 != listed.crc32) {
      throw InputError(Location{path},
                       "is damaged: its CRC-32 is " + found.crc32 + ", the manifest says " + listed.crc32);
    }
    files[name] = found;
  }
  for (const std::string& name : required) {
    if (!files.contains(name)) {
      throw InputError(Location{manifest}, "does not list " + name);
    }
  }
  // What was written is a function of the files: any other byte in it is damage.
  if (text != manifest_of(files)) {
    throw InputError(Location{manifest}, "is damaged");
  }
}

}  // namespace lmzoo
