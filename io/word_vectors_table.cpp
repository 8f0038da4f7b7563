// Whole tables of word_vectors.h.
#include <algorithm>
#include <charconv>
#include <unordered_map>
#include <unordered_set>

#include "base/utf8.h"
#include "io/files.h"
#include "io/word_vectors.h"

namespace lmzoo {
namespace {

constexpr int64_t kRowsBetweenProgress = 4096;
constexpr std::string_view kReplacementMark = "\xEF\xBF\xBD";  // U+FFFD
constexpr uint64_t kCompression = 4;  // of text and floats, about; what is beyond grows as it comes

// Words in the order of the file, the first of equal ones.
class Rows {
 public:
  Rows(WordVectors& table, uint64_t expected) : table_(table) {
    table_.words.reserve(expected);
    table_.values.reserve(expected * static_cast<uint64_t>(table.width));
    seen_.reserve(expected);
  }

  bool add(const std::string& word, std::span<const float> vector) {
    if (!seen_.insert(word).second) {
      return false;
    }
    table_.words.push_back(word);
    table_.values.insert(table_.values.end(), vector.begin(), vector.end());
    return true;
  }

 private:
  WordVectors& table_;
  std::unordered_set<std::string> seen_;
};

// Rows that memory is taken for at once: what the file says, as far as its size makes it likely.
uint64_t expected_rows(const WordVectorReader& reader, int64_t limit) {
  const uint64_t likely =
      reader.file_bytes() * (reader.compressed() ? kCompression : 1) / reader.least_row_bytes() + 1;
  const uint64_t said = reader.rows() ? static_cast<uint64_t>(*reader.rows()) : 0;
  return std::min(likely, limit > 0 ? std::min<uint64_t>(said, static_cast<uint64_t>(limit)) : said);
}

void check_words(const std::string& path, std::span<const std::string> words) {
  constexpr std::string_view kForbidden(" \t\r\n\v\f\0", 7);
  std::unordered_map<std::string_view, size_t> rows;
  rows.reserve(words.size());
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word.empty() || word.find_first_of(kForbidden) != std::string::npos) {
      throw InputError(Location{path},
                       "a file of word vectors cannot hold the word '" + printable(word) + "' of row " +
                           std::to_string(i + 1) + ": it is empty or has white space");
    }
    const auto [entry, fresh] = rows.emplace(word, i);
    if (!fresh) {
      throw InputError(Location{path},
                       "the word '" + printable(word) + "' stands twice, in rows " +
                           std::to_string(entry->second + 1) + " and " + std::to_string(i + 1));
    }
  }
}

void append_numbers(std::string& row, std::span<const float> vector) {
  char digits[32];
  for (const float value : vector) {
    row += ' ';
    row.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  }
}

}  // namespace

ReadVectors read_word_vectors(const std::string& path, const ReadVectorsOptions& options) {
  WordVectorReader reader(path, options.format);
  ReadVectors result;
  result.format = reader.format();
  result.table.width = reader.width();
  Rows rows(result.table, expected_rows(reader, options.limit));
  std::string word;
  std::vector<float> vector(static_cast<size_t>(reader.width()));
  for (int64_t read = 0; (options.limit == 0 || read < options.limit) && reader.next(word, vector); ++read) {
    if (!rows.add(word, vector)) {
      ++result.duplicates;
      result.merged += word.find(kReplacementMark) != std::string::npos ? 1 : 0;
      result.first_duplicate = result.duplicates == 1 ? word : result.first_duplicate;
    }
    if (options.progress && read % kRowsBetweenProgress == 0) {
      const double total = static_cast<double>(std::max<uint64_t>(reader.file_bytes(), 1));
      options.progress(static_cast<double>(reader.bytes_read()) / total);
    }
  }
  if (options.progress) {
    options.progress(1);
  }
  result.replaced = reader.replaced();
  result.skipped = reader.skipped();
  result.first_skipped = reader.first_skipped();
  return result;
}

void write_word_vectors(const std::string& path,
                        const WordVectorsView& vectors,
                        VectorFormat format,
                        const std::function<void(double share)>& progress) {
  const auto width = static_cast<size_t>(vectors.width);
  if (width == 0 || vectors.values.size() != vectors.words.size() * width) {
    throw std::logic_error("write_word_vectors: the values are not one row a word");
  }
  check_words(path, vectors.words);
  write_atomically(path, [&](FileSink& sink) {
    sink.write(std::to_string(vectors.words.size()) + " " + std::to_string(width) + "\n");
    std::string row;
    for (size_t i = 0; i < vectors.words.size(); ++i) {
      const std::span<const float> vector = vectors.values.subspan(i * width, width);
      row = vectors.words[i];
      if (format == VectorFormat::text) {
        append_numbers(row, vector);
      } else {
        row += ' ';
        row.append(reinterpret_cast<const char*>(vector.data()), vector.size_bytes());
      }
      row += '\n';
      sink.write(row);
      if (progress && i % kRowsBetweenProgress == 0) {
        progress(static_cast<double>(i + 1) / static_cast<double>(vectors.words.size()));
      }
    }
    if (progress) {
      progress(1);
    }
  });
}

VectorFormat format_of_name(std::string_view path) {
  return path.ends_with(".bin") ? VectorFormat::binary : VectorFormat::text;
}

}  // namespace lmzoo
