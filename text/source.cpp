#include "text/source.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <set>

#include <glob.h>
#include <sys/stat.h>

#include "base/check.h"
#include "base/utf8.h"
#include "text/class_order.h"
#include "text/formats.h"

namespace lmzoo {
namespace {

namespace fs = std::filesystem;

// A pattern with many braces stands for as many patterns as their alternatives multiplied.
constexpr size_t kMostAlternatives = 1000;
constexpr size_t kMostPatternBytes = 4096;

// An upper bound of how many patterns the braces make: nested ones are multiplied, too.
size_t alternatives_of(std::string_view pattern) {
  size_t product = 1;
  std::vector<size_t> open;  // alternatives so far
  for (size_t i = 0; i < pattern.size() && product <= kMostAlternatives; ++i) {
    if (pattern[i] == '\\') {
      ++i;
    } else if (pattern[i] == '{') {
      open.push_back(1);
    } else if (pattern[i] == ',' && !open.empty()) {
      ++open.back();
    } else if (pattern[i] == '}' && !open.empty()) {
      product *= open.back();
      open.pop_back();
    }
  }
  return product;
}

// In no order, folders included.
std::vector<std::string> matches_of(const std::string& pattern) {
  check(pattern.size() <= kMostPatternBytes,
        "files: a pattern has {} bytes; at most {} are searched for",
        pattern.size(),
        kMostPatternBytes);
  check(alternatives_of(pattern) <= kMostAlternatives,
        "files: the braces of {} stand for over {} patterns; name the files or folders in a list",
        printable(pattern),
        kMostAlternatives);
  glob_t found{};
  const int status = glob(pattern.c_str(), GLOB_BRACE | GLOB_TILDE, nullptr, &found);
  std::vector<std::string> paths(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  globfree(&found);
  check(status == 0 || status == GLOB_NOMATCH, "files: cannot search {}", pattern);
  return paths;
}

// A folder and those below it, without hidden ones and links, as bash's globstar has them. One that cannot be read is an
// error: its files would be missing without a word.
std::vector<std::string> folders_below(const std::string& folder) {
  std::vector<std::string> all{folder};
  std::error_code fault;
  fs::recursive_directory_iterator next(folder, fault);
  for (; !fault && next != fs::recursive_directory_iterator(); next.increment(fault)) {
    std::error_code ignored;  // of a link to nothing, or a file that has just gone
    if (next->is_symlink(ignored) || !next->is_directory(ignored)) {
      continue;
    }
    if (next->path().filename().string().starts_with('.')) {
      next.disable_recursion_pending();
    } else {
      all.push_back(next->path().string());
    }
  }
  check(!fault, "files: cannot search {}: {}", folder, fault.message());
  return all;
}

// glob(3) with one thing more: a part ** stands for any number of folders, none included.
std::vector<std::string> matches_at_all_depths(const std::string& pattern) {
  const size_t at = ("/" + pattern).find("/**/");
  if (at == std::string::npos) {
    check(!pattern.ends_with("/**") && pattern != "**",
          "files: {} names folders; say which of their files, as in {}/*.txt",
          pattern,
          pattern);
    return matches_of(pattern);
  }
  const std::string rest = pattern.substr(at + 3);
  const std::string roots = at == 0 ? "." : at == 1 ? "/" : pattern.substr(0, at - 1);
  std::vector<std::string> all;
  for (const std::string& root : matches_of(roots)) {
    std::error_code ignored;
    if (fs::is_directory(root, ignored)) {
      for (const std::string& folder : folders_below(root)) {
        std::ranges::move(matches_at_all_depths(fmt::format("{}/{}", folder, rest)), std::back_inserter(all));
      }
    }
  }
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

std::vector<std::string> expand_glob(const std::string& pattern) {
  std::vector<std::string> paths = matches_at_all_depths(pattern);
  std::erase_if(paths, [](const std::string& path) { return fs::is_directory(path); });
  check(!paths.empty(), "files: no file matches {}", pattern);
  // By bytes, not by the locale's alphabet: the order of a corpus must be the same everywhere.
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace

namespace {

using FileId = std::pair<dev_t, ino_t>;  // one file may have several names

struct NamedFile {
  std::string path;
  FileId id;
};

// Every file by every name that the options give it.
std::vector<NamedFile> named_files(const TextOptions& options) {
  check(!options.files.empty(), "files: none is named; give at least one path or glob");
  std::vector<NamedFile> all;
  for (const std::string& given : options.files) {
    std::vector<std::string> paths{given};
    std::error_code ignored;
    if (!fs::exists(given, ignored)) {
      check(given.find_first_of("*?[{~") != std::string::npos, "files: {} does not exist", given);
      paths = expand_glob(given);
    }
    check(
        !fs::is_directory(given, ignored), "files: {} is a folder; give files, as in {}/*.txt", given, given);
    for (std::string& path : paths) {
      check(fs::is_regular_file(path), "files: {} is not a regular file", path);
      struct stat file {};
      check(stat(path.c_str(), &file) == 0, "files: {} cannot be read", path);
      all.push_back({std::move(path), {file.st_dev, file.st_ino}});
    }
  }
  return all;
}

}  // namespace

std::vector<std::string> expand_files(const TextOptions& options) {
  std::vector<std::string> all;
  std::set<FileId> seen;
  for (NamedFile& file : named_files(options)) {
    if (seen.insert(file.id).second) {
      all.push_back(std::move(file.path));
    }
  }
  return all;
}

std::vector<std::pair<std::string, std::string>> repeated_files(const TextOptions& options) {
  std::vector<std::pair<std::string, std::string>> repeated;
  std::map<FileId, std::string> seen;
  for (const NamedFile& file : named_files(options)) {
    const auto [earlier, is_new] = seen.emplace(file.id, file.path);
    if (!is_new) {
      repeated.emplace_back(file.path, earlier->second);
    }
  }
  return repeated;
}

std::vector<std::string> common_files(const TextOptions& first, const TextOptions& second) {
  std::set<FileId> known;
  for (const NamedFile& file : named_files(first)) {
    known.insert(file.id);
  }
  std::vector<std::string> common;
  for (const NamedFile& file : named_files(second)) {
    if (known.contains(file.id)) {
      common.push_back(file.path);
    }
  }
  return common;
}

TextCounts for_each_record(const TextOptions& options,
                           const std::function<bool(const TextRecord&)>& use,
                           const Progress& progress) {
  const std::vector<std::string> files = expand_files(options);
  uint64_t total = 0;
  for (const std::string& path : files) {
    total += fs::file_size(path);
  }
  Intake intake(options, use);
  uint64_t before = 0;
  for (const std::string& path : files) {
    read_file(path, intake, [&](uint64_t bytes) {
      if (progress) {
        progress("reading text", static_cast<double>(before + bytes) / static_cast<double>(total));
      }
    });
    if (!intake.more()) {
      TextCounts counts = intake.counts();
      counts.whole = false;
      return counts;
    }
    before += fs::file_size(path);
  }
  if (intake.counts().records == 0) {
    const size_t others = files.size() - 1;
    throw InputError({.file = files.front()},
                     others == 0 ? "there is no text in it"
                                 : fmt::format("there is no text in it, nor in the other {} files", others));
  }
  return intake.counts();
}

bool has_columns(const TextOptions& options) {
  return options.text.size() > 1 || !options.prefix.empty() || !options.labels.empty() ||
         !options.tags.empty() || !options.value.empty() || !options.choices.empty() ||
         !options.answer.empty() || !options.target.empty();
}

bool has_classes(const TextOptions& options) {
  return (!options.label.empty() && options.choices.empty()) || !options.labels.empty() ||
         !options.tags.empty();
}

RecordShape shape_of(const TextOptions& options) {
  RecordShape shape;
  const auto texts = static_cast<int64_t>(std::max<size_t>(options.text.size(), 1));
  shape.texts = options.files.empty() ? 0 : texts;
  // One column of choices is a list of them.
  shape.choices = options.choices.size() == 1 ? 2 : static_cast<int64_t>(options.choices.size());
  shape.label = !options.label.empty();
  shape.labels = !options.labels.empty();
  shape.tags = !options.tags.empty();
  shape.value = !options.value.empty();
  shape.answer = !options.answer.empty();
  shape.target = !options.target.empty();
  shape.sentences = options.sentences != SentenceEnds::none;
  return shape;
}

std::vector<std::string> class_names(const TextOptions& options, TextCounts* counts) {
  std::set<std::string, std::less<>> names;
  const auto add = [&](std::string_view name) {
    if (!names.contains(name)) {
      names.emplace(name);
    }
  };
  const TextCounts read = for_each_record(options, [&](const TextRecord& record) {
    if (record.label) {
      add(*record.label);
    }
    if (record.columns != nullptr) {
      std::for_each(record.columns->labels.begin(), record.columns->labels.end(), add);
      std::for_each(record.columns->tags.begin(), record.columns->tags.end(), add);
    }
    return true;
  });
  if (counts != nullptr) {
    *counts = read;
  }
  return ordered_classes({names.begin(), names.end()});
}

void add_to(ContentHash& hash, const TextOptions& options) {
  hash.add(int64_t{3});  // version of what the readers make of the same bytes
  for (const OneOrMore* columns : {&options.text, &options.prefix, &options.choices}) {
    hash.add(std::ssize(*columns));
    for (const std::string& column : *columns) {
      hash.add(column);
    }
  }
  for (const std::string* column : {&options.label,
                                    &options.labels,
                                    &options.tags,
                                    &options.value,
                                    &options.answer,
                                    &options.answer_start,
                                    &options.target}) {
    hash.add(*column);
  }
  hash.add(int64_t{options.header}).add(options.max_record_bytes);
  hash.add(name_of(options.invalid_bytes)).add(name_of(options.quotes)).add(name_of(options.sentences));
  for (const std::string& path : expand_files(options)) {
    hash.add(name_of(format_of(options, path))).add_file(path);
  }
}

}  // namespace lmzoo
