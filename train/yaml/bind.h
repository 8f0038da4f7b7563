// Options and YAML: reading with one-line errors, dumping, JSON schema. All three walk the fields that
// options list once (base/fields.h), so that a field cannot be read and not dumped, or dumped and not
// documented.
//
// Every error of reading is `file:line:col: dotted.key: what is wrong, what is legal (did you mean 'x'?)`.
#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/fields.h"
#include "io/json.h"
#include "io/yaml.h"

namespace lmzoo {

// Several mistakes of one configuration, each a line of what(), in the order of the file.
class ConfigErrors : public InputError {
 public:
  using InputError::InputError;
};

// Mistakes as they are found, so that all can be told at once. What a mistake made meaningless is not looked at: see
// `is_sound`.
class ErrorList {
 public:
  // Runs `work` on what stands at `key`; its InputError is kept.
  template <class Work>
  void collect(const std::string& key, const Work& work) {
    try {
      work();
    } catch (const InputError& error) {
      add(key, error);
    }
  }

  // Of further mistakes only the number is told; to describe each of a million would take minutes.
  bool is_full() const;
  void add_untold(const std::string& key);
  bool empty() const { return errors_.empty(); }
  // Whether no mistake was found below the top-level section of `key`.
  bool is_sound(const std::string& key) const;
  // Nothing, the one mistake as it is, or ConfigErrors.
  void throw_if_any() const;

 private:
  void add(const std::string& key, const InputError& error);  // within the handler that caught it

  struct Found {
    Location where;
    std::string line;
    std::exception_ptr thrown;
  };
  std::vector<Found> errors_;
  std::set<std::string> sections_;
  size_t more_ = 0;  // beyond those that are kept
};

// The dotted keys of a configuration, and where the value of each was written: a place in the file, or the
// flag that set it. `data.train.files.0` is an item of a list.
class KeyPlaces {
 public:
  KeyPlaces() = default;
  // Of a document whose keys `own` were written in another part of the file: errors name them behind `prefix`, as in
  // "phases.1.". Other keys stand where they are.
  KeyPlaces(std::string prefix, std::vector<std::string> own)
      : prefix_(std::move(prefix)), own_(std::move(own)) {}

  std::string named(const std::string& key) const;
  void know(const std::string& key) { known_.insert(key); }  // legal, whether written or not
  void add(const std::string& key, const Location& where) { places_[key] = where; }

  bool written(const std::string& key) const { return places_.contains(key); }

  // Of the key, or of the nearest section around it that was written.
  Location of(std::string key) const;

  // Throws InputError `place: key: message`.
  [[noreturn]] void fail(const std::string& key, const std::string& message) const;

  // Runs `work`; an InputError without a place gets the place and the name of `key`. For checks of parts that
  // know nothing of YAML. A message that begins with a key, whole or within `key` ("width is 30 but ..."), is
  // placed there.
  template <class Work>
  auto locate(const std::string& key, const Work& work) const {
    try {
      return work();
    } catch (const ConfigErrors&) {
      throw;  // each has its own place
    } catch (const InputError& error) {
      if (!error.where().file.empty()) {
        throw;
      }
      fail_near(key, error.what());
    }
  }

 private:
  [[noreturn]] void fail_near(const std::string& key, const std::string& message) const;

  std::string prefix_;
  std::vector<std::string> own_;
  std::set<std::string> known_;
  std::map<std::string, Location> places_;
};

// Reads a mapping into a group whose fields hold their defaults; what is absent stays. Unknown and misplaced
// keys, other types, values out of range and NaN or infinity are refused: all at once, or into `errors`.
void read_fields(GroupRef& group, const YamlNode& node, KeyPlaces& places, ErrorList& errors);
void read_fields(GroupRef& group, const YamlNode& node, KeyPlaces& places);
template <Options T>
void read_fields(T& options, const YamlNode& node, KeyPlaces& places) {
  fields_detail::StructRef<T> ref(options);
  read_fields(static_cast<GroupRef&>(ref), node, places);
}

// All fields with their values, in order; read_fields gives the same options again.
YamlNode dump_fields(GroupRef& group);
template <Options T>
YamlNode dump_fields(T options) {
  fields_detail::StructRef<T> ref(options);
  return dump_fields(static_cast<GroupRef&>(ref));
}

// JSON Schema (2020-12) of a group: types, ranges, names, documentation and defaults. Lists of the group are
// left with an item more.
Json schema_of(GroupRef& group);

// `--set a.b=v`: overrides one leaf. `v` is YAML ("[a.txt, b.txt]", "null", 3); nothing stands for an empty
// text.
struct Override {
  std::string key;
  std::string value;
};
Override parse_override(const std::string& argument);  // InputError when it is not KEY=VALUE
// Puts the value into the tree; its place is the flag.
void apply_override(YamlNode& root, const Override& override);

}  // namespace lmzoo
