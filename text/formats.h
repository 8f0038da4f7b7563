// The formats of text files (text_source.h): each reads lines and hands records to an Intake.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "text/source.h"

namespace lmzoo {

class Row;

// Takes the records of all files: cleans them, counts, and passes them on until the caller has enough.
class Intake {
 public:
  Intake(const TextOptions& options, const std::function<bool(const TextRecord&)>& use)
      : options_(options), use_(use) {}

  // Replaces what is not UTF-8 in a line or a field.
  void clean(std::string& text, const Location& where);
  // False: no more records are wanted.
  bool record(std::string_view text, std::optional<std::string_view> label, const Location& where);
  bool record(const RecordColumns& columns, const Row& row, const Location& where);
  void blank_line() { ++counts_.blank; }
  void quoted_row() { ++counts_.quoted; }

  bool more() const { return more_; }
  const TextOptions& options() const { return options_; }
  const TextCounts& counts() const { return counts_; }

 private:
  const TextOptions& options_;
  const std::function<bool(const TextRecord&)>& use_;
  TextCounts counts_;
  const RecordColumns* columns_ = nullptr;  // of the record that is being passed on
  bool more_ = true;
};

// The format of a file: the one that the options say, or by its name.
TextFormat format_of(const TextOptions& options, const std::string& path);

// Reads one file. `tell` gets the bytes read of it now and then.
void read_file(const std::string& path, Intake& intake, const std::function<void(uint64_t)>& tell);

}  // namespace lmzoo
