// Text in: files of several formats as one sequence of records.
//
//   lines       a document a line                 paragraphs   a document a paragraph, blank lines between
//   jsonl       {"text": "...", "label": "..."}   tsv          columns by name (header: true) or number from
//   1
//
// Any of them may be gzip. Invalid UTF-8 and NUL become U+FFFD and are counted; a record without text is
// skipped and counted; anything else that is wrong is one InputError with file and line.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/fields.h"
#include "data/content_hash.h"
#include "data/progress.h"

namespace lmzoo {

enum class TextFormat { automatic, lines, paragraphs, jsonl, tsv };
template <>
struct EnumNames<TextFormat> {
  static constexpr std::pair<TextFormat, std::string_view> values[] = {{TextFormat::automatic, "auto"},
                                                                       {TextFormat::lines, "lines"},
                                                                       {TextFormat::paragraphs, "paragraphs"},
                                                                       {TextFormat::jsonl, "jsonl"},
                                                                       {TextFormat::tsv, "tsv"}};
};

enum class InvalidBytes { replace, error };
template <>
struct EnumNames<InvalidBytes> {
  static constexpr std::pair<InvalidBytes, std::string_view> values[] = {{InvalidBytes::replace, "replace"},
                                                                         {InvalidBytes::error, "error"}};
};

struct TextOptions {
  std::vector<std::string> files{};
  TextFormat format = TextFormat::automatic;
  std::string text{};
  std::string label{};
  bool header = false;
  int64_t max_record_bytes = int64_t{16} << 20;
  InvalidBytes invalid_bytes = InvalidBytes::replace;

  static constexpr void fields(auto& self, auto& visit) {
    visit("files",
          self.files,
          "paths or globs (* ? [] {}), plain or .gz; a glob's files are read in sorted order");
    visit("format",
          self.format,
          "auto: jsonl or tsv by file name (.jsonl, .ndjson, .tsv, also .gz), else lines");
    visit(
        "text", self.text, "jsonl field, or tsv column (name or number from 1); empty: `text`, or column 1");
    visit("label", self.label, "jsonl field or tsv column of the class of a document; empty: no labels");
    visit("header", self.header, "tsv: the first line of each file names the columns");
    visit("max_record_bytes", self.max_record_bytes, "a longer line or paragraph is an error", at_least(1));
    visit(
        "invalid_bytes", self.invalid_bytes, "invalid UTF-8 and NUL: replace by U+FFFD and count, or error");
  }
  bool operator==(const TextOptions&) const = default;
};

// Views are valid during the callback only.
struct TextRecord {
  std::string_view text;                  // valid UTF-8, not blank; a paragraph's lines are joined by '\n'
  std::optional<std::string_view> label;  // set when TextOptions::label is, and never empty
  std::string_view file;
  int64_t line = 0;  // where the record begins, from 1
};

struct TextCounts {
  int64_t records = 0;
  int64_t bytes = 0;          // of the records' text
  int64_t blank = 0;          // lines or records without text, skipped
  int64_t invalid_bytes = 0;  // broken UTF-8 sequences and NUL bytes replaced
};

// The files that the options name, globs expanded: in the order given, sorted within a glob, no file twice. A
// missing file, and a glob that matches nothing, are errors.
std::vector<std::string> expand_files(const TextOptions& options);

// Calls `use` for each record in order until it returns false or the text ends. No record at all is an error.
TextCounts for_each_record(const TextOptions& options,
                           const std::function<bool(const TextRecord&)>& use,
                           const Progress& progress = {});

// Adds all that decides which records come out: the options, and the bytes (not the names) of the files.
void add_to(ContentHash& hash, const TextOptions& options);

}  // namespace lmzoo
