// Begins a run's folder, or refuses to. What it holds: train/saved/run_files.h.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "io/file_lock.h"
#include "tokenizer/tokenizer.h"
#include "train/config/run_config.h"
#include "train/saved/run_files.h"

namespace lmzoo {

// One trainer a run folder: a second one is refused, with the host and process of the first (RUN/.lock). Makes the folder,
// and removes it again when nothing was written to it.
class RunLock {
 public:
  explicit RunLock(const std::string& run);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

 private:
  std::string run_;
  bool was_there_;
  FileLock lock_;
};

// Before anything is computed: refuses a folder that cannot be made or written, one that holds a run when
// `resume` is not set, and a run of another configuration when it is. Leaves nothing behind.
void check_run_folder(const std::string& run, const RunConfig& config, bool resume);

// Makes the configuration of the run in a folder the one that goes on with it for `more` steps than it was planned for, and
// otherwise from here on where the given one differs. Legal are differences of train.steps and train.epochs (both
// follow from `more`), batch sizes, rates, schedule and evaluation. `note` hears what is no longer bit for bit.
// InputError when nothing can be extended there.
LoadedConfig extend_run(const std::string& run,
                        LoadedConfig loaded,
                        int64_t more,
                        const std::function<void(const std::string&)>& note);

// Writes the files that are not there yet; config.yaml last, for it makes a folder a run.
void write_run_folder(const std::string& run,
                      const RunConfig& config,
                      const Tokenizer& tokenizer,
                      const std::vector<std::string>& classes);

}  // namespace lmzoo
