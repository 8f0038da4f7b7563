#include "cli/program.h"

#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/files.h"

namespace lmzoo::test {
namespace {

[[noreturn]] void become(const std::vector<std::string>& arguments, const TempDir& dir) {
  const auto redirect = [&](const std::string& name, int flags, int target) {
    dup2(open((dir / name).c_str(), flags, 0600), target);
  };
  redirect("in", O_RDONLY, STDIN_FILENO);
  redirect("out", O_WRONLY | O_CREAT, STDOUT_FILENO);
  redirect("err", O_WRONLY | O_CREAT, STDERR_FILENO);
  std::string program = LMZOO_BINARY;
  std::vector<char*> argv{program.data()};
  std::vector<std::string> copies = arguments;
  for (std::string& argument : copies) {
    argv.push_back(argument.data());
  }
  argv.push_back(nullptr);
  execv(LMZOO_BINARY, argv.data());
  _exit(127);
}

Outcome run_with(const std::vector<std::string>& arguments,
                 const std::string& input,
                 const std::function<void(pid_t)>& meanwhile) {
  const TempDir dir;
  write_file(dir / "in", input);
  const pid_t child = fork();
  if (child == 0) {
    become(arguments, dir);
  }
  meanwhile(child);
  int status = 0;
  if (waitpid(child, &status, 0) != child) {
    throw std::runtime_error("waitpid failed");
  }
  return {.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
          .out = read_file(dir / "out"),
          .err = read_file(dir / "err")};
}

}  // namespace

Outcome run(const std::vector<std::string>& arguments, const std::string& input) {
  return run_with(arguments, input, [](pid_t) {});
}

Outcome run_with_act(const std::vector<std::string>& arguments,
                     const std::string& file,
                     const std::function<void(pid_t)>& act) {
  return run_with(arguments, "", [&](pid_t child) {
    for (int i = 0; i < 6000 && !std::filesystem::exists(file); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    act(child);
  });
}

Outcome run_until(const std::vector<std::string>& arguments, const std::string& file) {
  return run_with_act(arguments, file, [](pid_t child) { kill(child, SIGTERM); });
}

std::map<std::string, std::string> files_below(const std::string& folder) {
  std::map<std::string, std::string> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, error)) {
    files[entry.path().string()] = entry.is_regular_file() ? read_file(entry.path().string()) : "";
  }
  return files;
}

std::string newest_weights(const std::string& run) {
  std::string newest;
  for (const auto& entry : std::filesystem::directory_iterator(run + "/checkpoints")) {
    newest = std::max(newest, entry.path().string());
  }
  return read_file(newest + "/model.safetensors");
}

}  // namespace lmzoo::test
