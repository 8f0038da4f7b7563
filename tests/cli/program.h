// Runs the lmzoo program as a user does.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include <sys/types.h>

namespace lmzoo::test {

struct Outcome {
  int code = 0;  // 128 + signal when one killed it
  std::string out, err;
};

// From the repository's root, with standard input empty unless given.
Outcome run(const std::vector<std::string>& arguments, const std::string& input = "");

// The same; as soon as `file` exists, `act` is done with its process, or SIGTERM is sent to it.
Outcome run_with_act(const std::vector<std::string>& arguments,
                     const std::string& file,
                     const std::function<void(pid_t)>& act);
Outcome run_until(const std::vector<std::string>& arguments, const std::string& file);

// Every file below a folder with its content; empty when there is no such folder.
std::map<std::string, std::string> files_below(const std::string& folder);

// The bytes of the weights of a run's newest checkpoint.
std::string newest_weights(const std::string& run);

}  // namespace lmzoo::test
