#include "cli/flags.h"

#include <algorithm>
#include <boost/program_options.hpp>
#include <charconv>
#include <cstdio>
#include <system_error>

#include <errno.h>
#include <unistd.h>

#include "base/check.h"
#include "base/utf8.h"
#include "base/visible.h"
#include "core/registry.h"

namespace lmzoo {
namespace {

namespace po = boost::program_options;

// Dashes belong to a flag's name only.
std::string bare(std::string name) {
  name.erase(0, name.find_first_not_of('-'));
  return name.substr(0, name.find('='));
}

template <class Number>
Number parsed(const std::string& name, const std::string& text, const char* what, const Range& range) {
  Number value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  check(error == std::errc{} && stop == end, "--{}: expected {}, got '{}'", name, what, printable(text));
  check(range.contains(static_cast<double>(value)),
        "--{} is {}, but must be {}",
        name,
        printable(text),
        to_string(range));
  return value;
}

}  // namespace

struct Flags::State {
  struct Positional {
    std::string name;
    std::string doc;
    bool optional = false;
    bool many = false;
  };

  const Command& command;
  po::options_description described{"Options"};
  Strings names{"--help"};
  std::vector<Positional> positionals{};
  std::map<std::string, std::string> former{};  // to the names of now
  std::map<std::string, Strings> values{};

  void add(const std::string& name, const std::string& doc, po::value_semantic* semantic) {
    described.add_options()(name.c_str(), semantic, doc.c_str());
    names.push_back("--" + name.substr(0, name.find(',')));
  }

  [[noreturn]] void fail(const std::string& message) const {
    throw InputError("lmzoo " + std::string(command.name) + ": " + message + "; see lmzoo " +
                     std::string(command.name) + " --help");
  }

  void print_help() const {
    std::ostringstream out;
    out << wrapped(fmt::format("Usage: lmzoo {} {}", command.name, command.arguments), 8) << "\n\n"
        << wrapped(std::string(command.summary) + ".", 0) << "\n\n";
    for (const Positional& positional : positionals) {
      const size_t size = positional.name.size();
      out << wrapped("  " + positional.name + std::string(size < 20 ? 20 - size : 1, ' ') + positional.doc,
                     22)
          << "\n";
    }
    out << "\n"
        << described << "\nExample:\n"
        << wrapped("  " + std::string(command.example), 6, " \\") << "\n";
    print(out.str());
  }

  void take_positionals(const Strings& given);
  void take_former_names();
};

void Flags::State::take_former_names() {
  for (const auto& [name, now] : former) {
    if (values.contains(name)) {
      if (values.contains(now)) {
        fail("--" + name + " is --" + now + "; give one of them");
      }
      values[now] = values[name];
    }
  }
}

void Flags::State::take_positionals(const Strings& given) {
  size_t next = 0;
  for (const Positional& positional : positionals) {
    const size_t left = given.size() - next;
    if (left == 0 && !positional.optional) {
      fail(positional.name + " is missing");
    }
    const size_t taken = positional.many ? left : std::min<size_t>(left, 1);
    values[positional.name].assign(given.begin() + static_cast<std::ptrdiff_t>(next),
                                   given.begin() + static_cast<std::ptrdiff_t>(next + taken));
    next += taken;
  }
  if (next < given.size()) {
    fail("'" + printable(given[next]) + "' is one argument too many");
  }
}

Flags::Flags(const Command& command) : state_(new State{.command = command}) {
  state_->described.add_options()("help,h", "this text");
}
Flags::~Flags() = default;

void Flags::positional(const std::string& name, const std::string& doc) {
  State::Positional made{.name = name, .doc = doc};
  if (made.name.starts_with('[')) {
    made.name = made.name.substr(1, made.name.size() - 2);
    made.optional = true;
  }
  if (made.name.ends_with("...")) {
    made.name.resize(made.name.size() - 3);
    made.many = true;
  }
  state_->positionals.push_back(made);
}
void Flags::toggle(const std::string& name, const std::string& doc) {
  state_->add(name, doc, po::bool_switch());
}
void Flags::value(const std::string& name, const std::string& placeholder, const std::string& doc) {
  state_->add(name, doc, po::value<std::string>()->value_name(placeholder));
}
void Flags::repeated(const std::string& name, const std::string& placeholder, const std::string& doc) {
  state_->add(name, doc, po::value<Strings>()->value_name(placeholder)->composing());
}

void Flags::former_name(const std::string& name, const std::string& now) { state_->former[name] = now; }

bool Flags::parse(const Strings& arguments) {
  try {
    const auto style = (po::command_line_style::default_style & ~po::command_line_style::allow_guessing);
    po::options_description all = state_->described;
    const char* const rest = "positional arguments";
    all.add_options()(rest, po::value<Strings>());
    for (const auto& [name, now] : state_->former) {
      all.add_options()(name.c_str(), po::value<std::string>());
    }
    const po::parsed_options parsed = po::command_line_parser(arguments)
                                          .options(all)
                                          .positional(po::positional_options_description().add(rest, -1))
                                          .style(style)
                                          .run();
    po::variables_map values;
    po::store(parsed, values);
    if (values.count("help") > 0) {
      state_->print_help();
      return false;
    }
    for (const auto& [name, value] : values) {
      if (const auto* list = boost::any_cast<Strings>(&value.value())) {
        state_->values[name] = *list;
      } else if (const auto* text = boost::any_cast<std::string>(&value.value())) {
        state_->values[name] = {*text};
      } else if (const auto* on = boost::any_cast<bool>(&value.value()); on != nullptr && *on) {
        state_->values[name] = {};
      }
    }
    state_->take_former_names();
    state_->take_positionals(values.count(rest) > 0 ? values[rest].as<Strings>() : Strings{});
    return true;
  } catch (const po::unknown_option& error) {
    const std::string given = "--" + bare(error.get_option_name());
    state_->fail("unknown flag '" + printable(error.get_option_name()) + "'" +
                 suggestion(given, state_->names));
  } catch (const po::error& error) {
    state_->fail(printable(error.what(), 200));
  }
}

bool Flags::has(const std::string& name) const { return state_->values.contains(name); }

Strings Flags::all(const std::string& name) const { return has(name) ? state_->values.at(name) : Strings{}; }

std::string Flags::text(const std::string& name, const std::string& fallback) const {
  const Strings values = all(name);
  return values.empty() ? fallback : values.front();
}

int64_t Flags::integer(const std::string& name, int64_t fallback, const Range& range) const {
  return has(name) ? parsed<int64_t>(name, text(name), "a whole number", range) : fallback;
}

double Flags::real(const std::string& name, double fallback, const Range& range) const {
  return has(name) ? parsed<double>(name, text(name), "a number", range) : fallback;
}

std::string wrapped(const std::string& text, size_t indent, const std::string& end) {
  constexpr size_t kColumns = 80;
  std::string out, rest = text;
  while (rest.size() > kColumns) {
    const size_t first = rest.find_first_not_of(' ');
    size_t at = rest.rfind(' ', kColumns - end.size());
    if (at == std::string::npos || at <= first) {
      at = rest.find(' ', first);  // one word that is too long
    }
    if (at == std::string::npos) {
      break;
    }
    out += rest.substr(0, at) + end + "\n";
    rest = std::string(indent, ' ') + rest.substr(at + 1);
  }
  return out + rest;
}

namespace {

void write_out(const std::string& text) {
  errno = 0;
  const size_t written = std::fwrite(text.data(), 1, text.size(), stdout);
  if (written != text.size() || std::fflush(stdout) != 0) {
    throw InputError(fmt::format("standard output: cannot be written: {}",
                                 errno != 0 ? std::generic_category().message(errno) : "unknown reason"));
  }
}

std::string json_text(const Json& json, int indent) {
  return visible_json(json.dump(indent, ' ', false, Json::error_handler_t::replace)) + "\n";
}

}  // namespace

void print(const std::string& text) { write_out(visible(text)); }

void print_exactly(const std::string& text) {
  static const bool on_terminal = ::isatty(STDOUT_FILENO) != 0;
  write_out(on_terminal ? visible(text) : text);
}

void print_styled(const std::string& text) { write_out(text); }

void print(const Json& json) { write_out(json_text(json, 2)); }

void print_line(const Json& json) { write_out(json_text(json, -1)); }

}  // namespace lmzoo
