// Files of word vectors, in and out: those of word2vec, gensim, fastText and GloVe. Plain or gzip when read.
//
//   text    "V D\n", then V lines "word x1 ... xD". fastText's .vec is this with a space before the line end;
//           GloVe's has no first line, and its words may contain spaces.
//   binary  "V D\n", then V times: word, one space, D little-endian float32, "\n" (gensim writes no "\n")
//
// Words are UTF-8; broken sequences become U+FFFD and are counted. Rows whose word is empty or has a tab are
// skipped and counted, up to a hundred. Refused, with the place: fewer or more rows than V, a number that is
// none or not finite, a size that the file cannot have (before memory is taken for it).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace lmzoo {

enum class VectorFormat { text, binary };

// V words and their vectors, row by row.
struct WordVectors {
  std::vector<std::string> words;
  std::vector<float> values;  // [V, D]
  int64_t width = 0;          // D

  int64_t size() const { return static_cast<int64_t>(words.size()); }
  std::span<const float> row(int64_t i) const {
    return {values.data() + i * width, static_cast<size_t>(width)};
  }
};

// One vector at a time, in constant memory:
//
//   WordVectorReader file(path);
//   std::vector<float> vector(file.width());
//   while (file.next(word, vector)) { ... }
class WordVectorReader {
 public:
  // Without `format`, text is told from binary by the first row.
  explicit WordVectorReader(const std::string& path, std::optional<VectorFormat> format = {});
  ~WordVectorReader();
  WordVectorReader(WordVectorReader&&) noexcept;
  WordVectorReader& operator=(WordVectorReader&&) noexcept;

  VectorFormat format() const;
  int64_t width() const;                // D
  std::optional<int64_t> rows() const;  // V; absent without a first line (GloVe)
  bool next(std::string& word, std::span<float> vector);
  int64_t replaced() const;                  // broken UTF-8 sequences so far
  int64_t skipped() const;                   // rows without a word that could be told from its numbers
  const std::string& first_skipped() const;  // place and reason of the first of them
  uint64_t bytes_read() const;               // of the file as it lies on the disk, for progress
  uint64_t file_bytes() const;
  uint64_t least_row_bytes() const;  // what one row takes at least, before compression
  bool compressed() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct ReadVectorsOptions {
  std::optional<VectorFormat> format{};
  int64_t limit = 0;  // only so many first rows, which are the most frequent words; 0: all
  std::function<void(double share)> progress{};
};

struct ReadVectors {
  WordVectors table;
  VectorFormat format = VectorFormat::text;
  int64_t duplicates = 0;  // rows whose word had come before; the first one counts
  int64_t merged = 0;      // of these, words that may have been others before their broken UTF-8 was replaced
  std::string first_duplicate{};
  int64_t replaced = 0;
  int64_t skipped = 0;
  std::string first_skipped{};
};
ReadVectors read_word_vectors(const std::string& path, const ReadVectorsOptions& options = {});

// Words and values that lie elsewhere; `values` is [V, D].
struct WordVectorsView {
  std::span<const std::string> words;
  std::span<const float> values;
  int64_t width = 0;
};

// Atomic. Text has the shortest decimal form of every float that reads back as the same float. A word that
// the format cannot hold (empty, with white space) and one that stands twice are InputErrors.
void write_word_vectors(const std::string& path,
                        const WordVectorsView& vectors,
                        VectorFormat format,
                        const std::function<void(double share)>& progress = {});

// By the name of a file: ".bin" is binary, anything else text.
VectorFormat format_of_name(std::string_view path);

}  // namespace lmzoo
