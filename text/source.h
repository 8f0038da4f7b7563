// Text in: files of several formats as one sequence of records.
//
//   lines       a document a line                 paragraphs   a document a paragraph, blank lines between
//   jsonl       {"text": "...", "label": "..."}   tsv          columns by name (header: true) or by number
//
// Tasks want more than a text and its class; their columns are jsonl fields (`answers.text` looks inside) or
// tsv columns, and a record then has RecordColumns:
//   text: [premise, hypothesis]       several texts, each with its own `prefix`
//   labels: topics                    a set of classes: a jsonl list, or names between commas
//   tags: ner                         a class for each word of the text; words and tags are jsonl lists, or
//                                     stand between spaces
//   value: score                      a number
//   choices: [ending0, ending1]       texts of which one is right (one jsonl list will do), and
//   label: gold                       which: counted from 0, as a letter from A, or that text itself
//   answer: answers.text              parts of the last text, and `answer_start`, where each begins in
//                                     characters; without it the first place is taken. None: no answer
//   target: summary                   a text to write
//
// `sentences: lines` says that the lines of a document are its sentences; a document is then never cut.
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

#include "base/fields.h"
#include "base/progress.h"
#include "base/sample.h"
#include "io/content_hash.h"
#include "text/counts.h"

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

enum class Quotes { none, csv };
template <>
struct EnumNames<Quotes> {
  static constexpr std::pair<Quotes, std::string_view> values[] = {{Quotes::none, "none"},
                                                                   {Quotes::csv, "csv"}};
};

// Where the sentences of a document end.
enum class SentenceEnds { none, lines };
template <>
struct EnumNames<SentenceEnds> {
  static constexpr std::pair<SentenceEnds, std::string_view> values[] = {{SentenceEnds::none, "none"},
                                                                         {SentenceEnds::lines, "lines"}};
};

struct TextOptions {
  std::vector<std::string> files{};
  TextFormat format = TextFormat::automatic;
  OneOrMore text{};
  OneOrMore prefix{};
  std::string label{};
  std::string labels{};
  std::string tags{};
  std::string value{};
  OneOrMore choices{};
  std::string answer{};
  std::string answer_start{};
  std::string target{};
  SentenceEnds sentences = SentenceEnds::none;
  bool header = false;
  Quotes quotes = Quotes::none;
  int64_t max_record_bytes = int64_t{16} << 20;
  InvalidBytes invalid_bytes = InvalidBytes::replace;

  static constexpr void fields(auto& self, auto& visit) {
    visit("files",
          self.files,
          "paths or globs (* ? [] {}, ** for folders of any depth), plain or .gz; a glob's files are read in "
          "sorted "
          "order");
    visit("format",
          self.format,
          "auto: jsonl or tsv by file name (.jsonl, .ndjson, .tsv, also .gz), else lines");
    visit("text",
          self.text,
          "jsonl fields, or tsv columns (name or number from 1), of one text or several; empty: `text`, or "
          "column 1");
    visit("prefix", self.prefix, "what is written before each text, as in 'summarize: '");
    visit("label",
          self.label,
          "column of the class of a document, or of which choice is right; empty: no labels");
    visit("labels", self.labels, "column of a set of classes");
    visit("tags", self.tags, "column of a class for each word of the text");
    visit("value", self.value, "column of a number");
    visit("choices", self.choices, "columns of the texts of which one is right");
    visit("answer", self.answer, "column of answers that are parts of the last text");
    visit("answer_start", self.answer_start, "column of where they begin, in characters; empty: searched");
    visit("target", self.target, "column of a text to write");
    visit("sentences",
          self.sentences,
          "lines: each line of a document is a sentence, for objectives that learn from them (formats "
          "paragraphs, jsonl and tsv)");
    visit("header", self.header, "tsv: the first line of each file names the columns");
    visit("quotes",
          self.quotes,
          "tsv: none, a quotation mark is a character like others; csv, cells between marks may hold tabs "
          "and lines, as "
          "pandas writes them");
    visit("max_record_bytes", self.max_record_bytes, "a longer line or paragraph is an error", at_least(1));
    visit(
        "invalid_bytes", self.invalid_bytes, "invalid UTF-8 and NUL: replace by U+FFFD and count, or error");
  }
  bool operator==(const TextOptions&) const = default;
};

// Of a record of columns what its options name.
struct RecordColumns {
  std::vector<std::string> texts;  // with their prefixes
  std::vector<std::string> labels;
  std::vector<std::string> words, tags;  // as many; texts is empty then
  std::optional<double> value;
  std::vector<std::string> choices;
  int64_t choice = -1;
  bool has_answer = false;        // the column is named
  std::vector<ByteSpan> answers;  // of texts.back(); may be none
  std::string target;
};

// Views are valid during the callback only.
struct TextRecord {
  std::string_view text;  // valid UTF-8, not blank; a paragraph's lines are joined by '\n', and so
                          // are all texts of columns
  std::optional<std::string_view> label;  // set when TextOptions::label names a class, and never empty
  std::string_view file;
  int64_t line = 0;                        // where the record begins, from 1
  const RecordColumns* columns = nullptr;  // set when has_columns()
};

// Whether the options name more than one text and its class.
bool has_columns(const TextOptions& options);
// Whether records have classes: one, a set, or tags; not for choices, which are counted.
bool has_classes(const TextOptions& options);
// What records will have; of options without files, as of a published model, nothing is known: 0 texts.
RecordShape shape_of(const TextOptions& options);

// The files that the options name, globs expanded: in the order given, sorted within a glob, no file twice. A
// missing file, and a glob that matches nothing, are errors.
std::vector<std::string> expand_files(const TextOptions& options);

// Names that expand_files leaves out, as their files are there by an earlier name: {name, earlier name}.
std::vector<std::pair<std::string, std::string>> repeated_files(const TextOptions& options);
// Files of `second` that are also files of `first`, by the names of `second`.
std::vector<std::string> common_files(const TextOptions& first, const TextOptions& second);

// Calls `use` for each record in order until it returns false or the text ends. No record at all is an error.
TextCounts for_each_record(const TextOptions& options,
                           const std::function<bool(const TextRecord&)>& use,
                           const Progress& progress = {});

// Names of all classes of the records, of whichever kind, as ordered_classes (text/class_order.h).
// `counts`: of what was read.
std::vector<std::string> class_names(const TextOptions& options, TextCounts* counts = nullptr);

// Adds all that decides which records come out: the options, and the bytes (not the names) of the files.
void add_to(ContentHash& hash, const TextOptions& options);

}  // namespace lmzoo
