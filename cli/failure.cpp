#include "cli/failure.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <new>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include <c10/util/Exception.h>
#include <fmt/core.h>
#include <unistd.h>

#include "base/error.h"
#include "base/visible.h"
#include "core/torch_error.h"
#include "io/json.h"
#include "train/loop/stop_signal.h"
#include "train/yaml/bind.h"

namespace lmzoo {
namespace {

constexpr int kInput = 2;
constexpr int kDefect = 1;
constexpr const char* kLess = "a smaller model, train.batch_size or data.sequence_length needs less";

std::atomic<bool> exit_is_a_librarys{false};

void end_as_environment() {
  if (exit_is_a_librarys) {
    std::fflush(nullptr);
    ::_exit(kInput);
  }
}

// LibTorch throws its one type for everything; what it could not get shows in the text only.
bool tells_of(std::initializer_list<const char*> signs, const std::string& text) {
  return std::ranges::any_of(signs, [&](const char* sign) { return text.find(sign) != std::string::npos; });
}

Failure of_torch(const c10::Error& error) {
  const std::string text = first_line(error);
  if (tells_of({"can't allocate memory",
                "not enough memory",
                "out of memory",
                "Cannot allocate memory",
                "CUDNN_STATUS_ALLOC_FAILED",
                "CUBLAS_STATUS_ALLOC_FAILED",
                "Storage size calculation overflowed"},
               text)) {
    return {{fmt::format("lmzoo: out of memory; {} (LibTorch: {})", kLess, text)}, kInput};
  }
  // Its files are those of the system, as /dev/urandom.
  const bool is_systems = tells_of({"Unable to open /", "Unable to read from /"}, text);
  return {{"lmzoo: LibTorch: " + text}, is_systems ? kInput : kDefect};
}

Failure of_files(const std::filesystem::filesystem_error& error) {
  const std::string paths = error.path2().empty() ? error.path1().string()
                                                  : error.path1().string() + " -> " + error.path2().string();
  return {{fmt::format("{}: {}", paths.empty() ? "lmzoo: a file" : paths, error.code().message())}, kInput};
}

Failure of_system(const std::system_error& error) {
  if (error.code() == std::errc::resource_unavailable_try_again) {
    return {{"lmzoo: the system gives no further thread; use fewer (train.threads, --threads, data.workers) "
             "or raise "
             "its limit"},
            kInput};
  }
  return {{fmt::format("lmzoo: the system refused: {}", error.what())}, kInput};
}

Failure of_several(const std::string& text) {
  Failure failure{{}, kInput};
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    failure.lines.push_back(line);
  }
  return failure;
}

}  // namespace

Failure failure_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const ConfigErrors& errors) {
    return of_several(errors.what());
  } catch (const InputError& error) {
    return {{error.what()}, kInput};
  } catch (const Interrupted& interrupted) {
    return {{interrupted.what()}, 128 + interrupted.signal()};
  } catch (const c10::Error& error) {
    return of_torch(error);
  } catch (const std::bad_alloc&) {
    return {{fmt::format("lmzoo: out of memory; {}", kLess)}, kInput};
  } catch (const std::length_error& error) {  // a size that no memory could have
    return {{fmt::format("lmzoo: out of memory: a size is beyond all limits ({}); {}", error.what(), kLess)},
            kInput};
  } catch (const std::filesystem::filesystem_error& error) {
    return of_files(error);
  } catch (const std::system_error& error) {
    return of_system(error);
  } catch (const Json::exception& error) {
    return {
        {fmt::format("lmzoo: a JSON file has another kind of value than belongs there: {}", error.what())},
        kInput};
  } catch (const std::exception& error) {
    return {{fmt::format("lmzoo: {}", error.what())}, kDefect};
  } catch (...) {
    return {{"lmzoo: an unknown error"}, kDefect};
  }
}

int tell(const Failure& failure) {
  for (const std::string& line : failure.lines) {
    std::fprintf(stderr, "%s\n", message_line(line).c_str());
  }
  return failure.code;
}

void tell_what_escapes() {
  throw_when_memory_is_out();
  std::set_terminate([] {
    const std::exception_ptr thrown = std::current_exception();
    if (thrown == nullptr) {
      std::abort();
    }
    const int code = tell(failure_of(thrown));
    std::fflush(nullptr);
    ::_exit(code);
  });
}

ExitGuard::ExitGuard() {
  static const int registered = std::atexit(end_as_environment);
  exit_is_a_librarys = registered == 0;
}
ExitGuard::~ExitGuard() { exit_is_a_librarys = false; }

}  // namespace lmzoo
