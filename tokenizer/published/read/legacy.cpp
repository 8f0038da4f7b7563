#include "tokenizer/published/read/legacy.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <initializer_list>
#include <set>
#include <sstream>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/strings.h"
#include "base/utf8.h"
#include "io/files.h"
#include "tokenizer/published/read/rebuild.h"

namespace lmzoo::huggingface {
namespace {

constexpr size_t kMostBytes = size_t{64} << 20;
constexpr std::array kModelFiles{"spiece.model", "tokenizer.model", "sentencepiece.bpe.model"};

bool exists(const std::string& folder, const char* name) {
  return std::filesystem::exists(folder + "/" + name);
}

// Lines without their ends. The file must be UTF-8.
std::vector<std::string> read_lines(const std::string& path) {
  const std::string text = read_text_file(path, kMostBytes);
  const size_t broken = find_invalid_utf8(text);
  if (broken != std::string::npos) {
    throw InputError(locate(text, broken, path), "is not UTF-8");
  }
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.ends_with('\r')) {
      line.pop_back();
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

// The kind that the files tell, which must be one of those that a vocabulary of this form can be of; nothing is told by
// the names of classes that stand for any.
ClassKind chosen(ClassKind told,
                 std::initializer_list<ClassKind> legal,
                 const FolderHints& hints,
                 const char* file) {
  const std::string name = hints.tokenizer_class();
  const bool is_open = told == ClassKind::as_written && (name.empty() || name == "PreTrainedTokenizer");
  std::vector<std::string> known;
  for (const ClassKind kind : legal) {
    known.push_back(class_name(kind));
  }
  check(is_open || std::ranges::find(legal, told) != legal.end(),
        "{}: tokenizer_class \"{}\" is not known here with {} and no tokenizer.json; known {} {}",
        hints.path("tokenizer_config.json"),
        printable(name.empty() ? class_name(told) : name),
        file,
        known.size() == 1 ? "is" : "are",
        joined(known));
  return told;
}

Legacy from_vocab_txt(const FolderHints& hints) {
  const std::string path = hints.path("vocab.txt");
  ClassKind kind = chosen(kind_of(hints, ""), {ClassKind::bert, ClassKind::mpnet}, hints, "vocab.txt");
  kind = kind == ClassKind::as_written ? ClassKind::bert : kind;
  Json vocabulary = Json::object();
  std::set<std::string> seen;
  Json::object_t::Container& entries = vocabulary.get_ref<Json::object_t&>();
  for (std::string& line : read_lines(path)) {
    const auto id = static_cast<int64_t>(entries.size());
    check(seen.insert(line).second, "{}:{}: the piece \"{}\" is given twice", path, id + 1, printable(line));
    entries.emplace_back(std::move(line), id);
  }
  return {rebuilt(kind, {.vocabulary = std::move(vocabulary), .merges = {}, .charsmap = {}}, hints), kind};
}

// "left right" a line, behind a first line "#version: 0.2".
Json read_merges_file(const std::string& path) {
  Json merges = Json::array();
  std::vector<std::string> lines = read_lines(path);
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].empty() || (i == 0 && lines[i].starts_with("#version"))) {
      continue;
    }
    const size_t space = lines[i].find(' ');
    check(space != std::string::npos && lines[i].find(' ', space + 1) == std::string::npos,
          "{}:{}: must be two pieces with a space between, not \"{}\"",
          path,
          i + 1,
          printable(lines[i]));
    merges.push_back(std::move(lines[i]));
  }
  return merges;
}

Legacy from_vocab_and_merges(const FolderHints& hints) {
  const std::string path = hints.path("vocab.json");
  Json vocabulary = read_json(path);
  check(vocabulary.is_object() && !vocabulary.empty(), "{}: must be an object of pieces and their ids", path);
  for (const auto& [name, id] : vocabulary.items()) {
    check(id.is_number_integer(), "{}: \"{}\" must have an id", path, printable(name));
  }
  ClassKind kind = chosen(kind_of(hints, ""),
                          {ClassKind::gpt2, ClassKind::gpt1, ClassKind::roberta},
                          hints,
                          "vocab.json and merges.txt");
  if (kind == ClassKind::as_written) {
    const auto& pieces = vocabulary.items();
    const bool is_gpt1 = std::any_of(
        pieces.begin(), pieces.end(), [](const auto& item) { return item.key().ends_with("</w>"); });
    const bool is_roberta = vocabulary.contains("<s>") && vocabulary.contains("<mask>");
    kind = is_gpt1 ? ClassKind::gpt1 : is_roberta ? ClassKind::roberta : ClassKind::gpt2;
  }
  Json merges = read_merges_file(hints.path("merges.txt"));
  return {
      rebuilt(
          kind, {.vocabulary = std::move(vocabulary), .merges = std::move(merges), .charsmap = {}}, hints),
      kind};
}

}  // namespace

Json added_token(int64_t id, const std::string& content, bool special) {
  return Json{{"id", id},
              {"content", content},
              {"single_word", false},
              {"lstrip", false},
              {"rstrip", false},
              {"normalized", !special},
              {"special", special}};
}

bool has_legacy_files(const std::string& folder) {
  return exists(folder, "vocab.txt") || (exists(folder, "vocab.json") && exists(folder, "merges.txt")) ||
         std::ranges::any_of(kModelFiles, [&](const char* name) { return exists(folder, name); });
}

Legacy from_legacy_files(const FolderHints& hints) {
  if (exists(hints.folder, "vocab.txt")) {
    return from_vocab_txt(hints);
  }
  if (exists(hints.folder, "vocab.json") && exists(hints.folder, "merges.txt")) {
    return from_vocab_and_merges(hints);
  }
  const auto found =
      std::ranges::find_if(kModelFiles, [&](const char* name) { return exists(hints.folder, name); });
  check(found != kModelFiles.end(), "{}: has no files of a tokenizer", printable(hints.folder));
  const std::string path = hints.path(*found);
  return from_sentencepiece(read_text_file(path, kMostBytes * 4), path, hints);
}

}  // namespace lmzoo::huggingface
