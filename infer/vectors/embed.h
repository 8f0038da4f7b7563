// Vectors of texts, of words or of a whole vocabulary, and files of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/progress.h"
#include "infer/vectors/encode.h"
#include "infer/vectors/vector_table.h"
#include "train/run/assemble.h"

namespace lmzoo {

struct EmbeddedTexts {
  std::vector<std::string> texts;
  Tensor vectors;   // [n, D]
  int64_t cut = 0;  // texts of which only the beginning is in their vector
};

// Whether `path` has vectors of words and no layers: a file of them, or a word2vec run.
bool has_word_vectors(const std::string& path);

// Each text as the mean of its words' vectors (source.h); InputError when it has none.
EmbeddedTexts embed_by_words(const VectorTable& table, std::vector<std::string> texts);
// Each text by the states of a run's layer. `options` are asked_so(run) with what a user changed.
EmbeddedTexts embed_by_states(const LoadedRun& run,
                              std::vector<std::string> texts,
                              const EncodeOptions& options,
                              const Progress& progress);

// Every vector of length 1; zeros stay.
void normalize(EmbeddedTexts& embedded);

enum class EmbeddingFormat { text, binary, safetensors };
template <>
struct EnumNames<EmbeddingFormat> {
  static constexpr std::pair<EmbeddingFormat, std::string_view> values[] = {
      {EmbeddingFormat::text, "text"},
      {EmbeddingFormat::binary, "binary"},
      {EmbeddingFormat::safetensors, "safetensors"}};
};
EmbeddingFormat embedding_format_of(const std::string& file);  // by its name

// Returns how many vectors the file has. Files of word vectors know no white space in a word and no word
// twice: there it becomes "_", and what comes again is left out.
int64_t write_embeddings(const EmbeddedTexts& embedded,
                         const std::string& file,
                         EmbeddingFormat format,
                         const Progress& progress);

}  // namespace lmzoo
