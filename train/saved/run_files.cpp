#include "train/saved/run_files.h"

#include <filesystem>

#include "base/check.h"
#include "base/utf8.h"
#include "io/json.h"

namespace lmzoo {

namespace fs = std::filesystem;

std::string config_file(const std::string& run) { return run + "/config.yaml"; }
std::string tokenizer_folder(const std::string& run) { return run + "/tokenizer"; }
std::string classes_file(const std::string& run) { return run + "/classes.json"; }

bool is_run(const std::string& folder) { return fs::exists(config_file(folder)); }

std::string run_of(const std::string& path) {
  check(fs::is_directory(path), "{}: no such run or checkpoint folder", printable(path));
  if (is_run(path)) {
    return path;
  }
  const fs::path checkpoint = fs::absolute(path).lexically_normal();
  const fs::path trimmed = checkpoint.has_filename() ? checkpoint : checkpoint.parent_path();
  const std::string above = trimmed.parent_path().parent_path().string();
  check(is_run(above),
        "{}: is no run (it has no config.yaml), and no checkpoint folder in one",
        printable(path));
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
