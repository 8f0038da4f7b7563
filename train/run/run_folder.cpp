#include "train/run/run_folder.h"

#include <filesystem>

#include <unistd.h>

#include "base/check.h"
#include "base/utf8.h"
#include "io/files.h"
#include "io/json.h"
#include "io/manifest.h"
#include "train/saved/checkpoint.h"

namespace lmzoo {
namespace {

namespace fs = std::filesystem;

// The nearest folder above that exists must be one, and one that may be written.
void check_writable(const std::string& run) {
  fs::path path = fs::absolute(run).lexically_normal();
  std::error_code error;
  while (!fs::exists(fs::symlink_status(path, error)) && path.has_relative_path()) {
    path = path.parent_path();
  }
  check(fs::is_directory(path, error), "--out {}: {} is no folder", printable(run), printable(path.string()));
  check(access(path.c_str(), W_OK | X_OK) == 0,
        "--out {}: the folder {} may not be written",
        printable(run),
        printable(path.string()));
}

bool exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

int64_t entries_of(const std::string& folder) {
  std::error_code fault;
  int64_t count = 0;
  for (fs::directory_iterator next(folder, fault); !fault && next != fs::directory_iterator();
       next.increment(fault)) {
    ++count;
  }
  return count;
}

std::string made_folder(const std::string& run) {
  check_writable(run);
  make_folders(run);
  return run;
}

}  // namespace

RunLock::RunLock(const std::string& run)
    : run_(run), was_there_(exists(run)), lock_(made_folder(run) + "/.lock", printable(run)) {}

RunLock::~RunLock() {
  std::error_code ignored;
  if (!was_there_ && entries_of(run_) == 1) {  // nothing came of the run
    fs::remove(run_ + "/.lock", ignored);
    fs::remove(run_, ignored);
  }
}

void check_run_folder(const std::string& run, const RunConfig& config, bool resume) {
  check_writable(run);
  if (!is_run(run)) {
    return;
  }
  check(resume, "{} holds a run already: go on with --resume, or choose another --out", run);
  verify_run(run);
  const auto differences = identity_differences(read_yaml(config_file(run)), dump(config));
  if (!differences.empty()) {
    const ConfigDifference& first = differences.front();
    throw InputError(fmt::format(
        "--resume: {0} is {1}, but the run in {2} has {3}{4}. --resume ends the run that was begun, to the "
        "same bits; --extend STEPS continues it with more steps, another rate or batch size; --set "
        "warm_start.from={2} and another --out begin a run from its weights",
        first.key,
        first.now,
        run,
        first.before,
        differences.size() > 1 ? fmt::format(" (and {} more differ)", differences.size() - 1) : ""));
  }
}

void write_run_folder(const std::string& run,
                      const RunConfig& config,
                      const Tokenizer& tokenizer,
                      const std::vector<std::string>& classes) {
  if (is_run(run)) {
    if (list_checkpoints(run).empty()) {
      write_run_manifest(run);  // it may have been killed in between
    }
    return;
  }
  make_folders(run);
  tokenizer.save(tokenizer_folder(run));
  write_manifest(tokenizer_folder(run));
  if (!classes.empty()) {
    write_atomically(classes_file(run), Json(classes).dump() + "\n");
  }
  write_atomically(config_file(run), to_yaml(dump(config)));
  write_run_manifest(run);
}

}  // namespace lmzoo
