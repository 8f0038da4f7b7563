#include "train/saved/run_files.h"

#include <filesystem>

#include "base/check.h"
#include "base/utf8.h"
#include "io/json.h"
#include "io/manifest.h"

namespace lmzoo {
namespace {

namespace fs = std::filesystem;

// What the manifest of a run has to list.
std::vector<std::string> listed_files(const std::string& run) {
  std::vector<std::string> names{"config.yaml"};
  for (const char* name : {"classes.json", "tokenizer/manifest.json"}) {
    if (fs::exists(run + "/" + name)) {
      names.emplace_back(name);
    }
  }
  return names;
}

}  // namespace

std::string config_file(const std::string& run) { return run + "/config.yaml"; }
std::string tokenizer_folder(const std::string& run) { return run + "/tokenizer"; }
std::string classes_file(const std::string& run) { return run + "/classes.json"; }

bool is_run(const std::string& folder) { return fs::exists(config_file(folder)); }

void write_run_manifest(const std::string& run) { write_manifest(run, listed_files(run)); }

void verify_run_manifest(const std::string& run) {
  if (!fs::exists(run + "/" + kManifestName)) {
    return;
  }
  try {
    verify_manifest(run, listed_files(run));
  } catch (const InputError& error) {
    throw InputError(
        fmt::format("{} (changed on purpose? Then delete {}/{}, and the files of the run are not compared)",
                    error.what(),
                    run,
                    kManifestName));
  }
}

void verify_run(const std::string& run) {
  verify_run_manifest(run);
  if (fs::exists(tokenizer_folder(run) + "/" + kManifestName)) {
    verify_manifest(tokenizer_folder(run));
  }
}

std::string run_of(const std::string& path) {
  check(fs::is_directory(path), "{}: no such run or checkpoint folder", printable(path));
  if (is_run(path)) {
    verify_run(path);
    return path;
  }
  const fs::path checkpoint = fs::absolute(path).lexically_normal();
  const fs::path trimmed = checkpoint.has_filename() ? checkpoint : checkpoint.parent_path();
  const std::string above = trimmed.parent_path().parent_path().string();
  check(is_run(above),
        "{}: is no run (it has no config.yaml), and no checkpoint folder in one",
        printable(path));
  verify_run(above);
  return above;
}

std::vector<std::string> read_classes(const std::string& run) {
  const std::string path = classes_file(run);
  std::vector<std::string> classes;
  if (!fs::exists(path)) {
    return classes;
  }
  const Json json = read_json(path);
  check(json.is_array(), "{}: expected a list of names", path);
  for (const Json& name : json) {
    check(name.is_string(), "{}: expected a list of names", path);
    classes.push_back(name.get<std::string>());
  }
  return classes;
}

}  // namespace lmzoo
