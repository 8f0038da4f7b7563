// The error of everything read from outside: one line that says what was given, what is legal and where.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace lmzoo {

// A place in a text file. Lines and columns count from 1; 0 = unknown.
struct Location {
  std::string file;
  int64_t line = 0;
  int64_t column = 0;

  bool operator==(const Location&) const = default;
};

// "file:line:col", "file:line" or "file", as far as it is known; empty when there is no file.
std::string to_string(const Location& where);

// The user's input is wrong (flag, YAML, data, checkpoint). `what()` is one line, "file:line:col: message"
// when a location is known. The command line prints it and exits with 2.
class InputError : public std::runtime_error {
 public:
  explicit InputError(const std::string& message) : std::runtime_error(message) {}
  InputError(const Location& where, const std::string& message)
      : std::runtime_error(where.file.empty() ? message : to_string(where) + ": " + message), where_(where) {}

  const Location& where() const { return where_; }

 private:
  Location where_;
};

}  // namespace lmzoo
