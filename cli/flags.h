// Flags of a command, by Boost.Program_options, with errors of one line that name the flag and suggest the
// one meant.
//
//   Flags flags(command);
//   flags.positional("CONFIG", "a run's YAML");
//   flags.repeated("set", "KEY=VALUE", "override a key");
//   flags.toggle("json", "print JSON");
//   if (!flags.parse(arguments)) return 0;  // --help was asked for and printed
//   flags.text("CONFIG"), flags.has("json")
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/fields.h"
#include "cli/command.h"
#include "io/json.h"

namespace lmzoo {

class Flags {
 public:
  explicit Flags(const Command& command);
  ~Flags();
  Flags(const Flags&) = delete;
  Flags& operator=(const Flags&) = delete;

  // What may be given. A name "top,n" has the short form -n. Positionals come in the order of these calls;
  // one whose name ends in "..." takes all that is left (at least one), one in brackets "[NAME]" may be
  // absent.
  void positional(const std::string& name, const std::string& doc);
  void toggle(const std::string& name, const std::string& doc);
  void value(const std::string& name, const std::string& placeholder, const std::string& doc);
  void repeated(const std::string& name, const std::string& placeholder, const std::string& doc);

  // A value under the name that it had before: it still works, and help does not show it.
  void former_name(const std::string& name, const std::string& now);

  // False when --help was given; it has been printed then.
  bool parse(const Strings& arguments);

  // Names without short form and brackets. Numbers are checked against the range.
  bool has(const std::string& name) const;
  std::string text(const std::string& name, const std::string& fallback = "") const;
  int64_t integer(const std::string& name, int64_t fallback, const Range& range) const;
  double real(const std::string& name, double fallback, const Range& range) const;
  Strings all(const std::string& name) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A text in lines of at most 80 columns, where it has spaces; those after the first begin with so many spaces. `end`
// stands before every break.
std::string wrapped(const std::string& text, size_t indent, const std::string& end = "");

// Standard output; a failure (a full disk, a closed pipe) is an error. Whatever would steer a terminal is made visible
// (base/visible.h); JSON stays the same document.
void print(const Json& json);
void print_line(const Json& json);  // on one line, for JSON lines
void print(const std::string& text);
// Texts that the next program wants as they are: exact, except on a terminal.
void print_exactly(const std::string& text);
// Text with colors, whose every value has been made visible before.
void print_styled(const std::string& text);

}  // namespace lmzoo
