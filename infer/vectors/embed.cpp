#include "infer/vectors/embed.h"

#include <algorithm>
#include <filesystem>
#include <unordered_set>

#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include "base/check.h"
#include "base/utf8.h"
#include "core/tensor_file.h"
#include "infer/vectors/source.h"
#include "io/json.h"
#include "io/word_vectors.h"
#include "train/start/word_vectors.h"

namespace lmzoo {
namespace {

EmbeddedTexts as_words(const EmbeddedTexts& embedded) {
  EmbeddedTexts result;
  std::unordered_set<std::string> seen;
  std::vector<int64_t> rows;
  for (size_t i = 0; i < embedded.texts.size(); ++i) {
    std::string word = embedded.texts[i];
    for (char& c : word) {
      c = c == ' ' || (c >= '\t' && c <= '\r') || c == '\0' ? '_' : c;
    }
    if (!word.empty() && seen.insert(word).second) {
      result.texts.push_back(word);
      rows.push_back(static_cast<int64_t>(i));
    }
  }
  result.vectors = rows.size() == embedded.texts.size() ? embedded.vectors
                                                        : embedded.vectors.index_select(0, at::tensor(rows));
  return result;
}

}  // namespace

bool has_word_vectors(const std::string& path) {
  return !std::filesystem::is_directory(path) || is_word2vec_run(path);
}

EmbeddedTexts embed_by_words(const VectorTable& table, std::vector<std::string> texts) {
  std::vector<Tensor> rows;
  for (const std::string& text : texts) {
    const Tensor row = mean_of_words(table, text);
    check(row.defined(), "'{}' has no word with a vector", printable(text, 40));
    rows.push_back(row);
  }
  return {.texts = std::move(texts), .vectors = at::stack(rows)};
}

EmbeddedTexts embed_by_states(const LoadedRun& run,
                              std::vector<std::string> texts,
                              const EncodeOptions& options,
                              const Progress& progress) {
  Model& model = *run.parts.model;
  const std::vector<ReadText> read =
      read_texts(run.parts, *run.tokenizer, run.parts.reading.first_texts(texts), options);
  Tensor vectors = encode_texts(model, read, options, progress);
  return {std::move(texts), std::move(vectors), std::ranges::count(read, true, &ReadText::cut)};
}

void normalize(EmbeddedTexts& embedded) {
  embedded.vectors = embedded.vectors /
                     at::linalg_vector_norm(embedded.vectors, 2, at::IntArrayRef{1}, true).clamp_min(1e-30);
}

EmbeddingFormat embedding_format_of(const std::string& file) {
  return file.ends_with(".safetensors")                 ? EmbeddingFormat::safetensors
         : format_of_name(file) == VectorFormat::binary ? EmbeddingFormat::binary
                                                        : EmbeddingFormat::text;
}

int64_t write_embeddings(const EmbeddedTexts& embedded,
                         const std::string& file,
                         EmbeddingFormat format,
                         const Progress& progress) {
  if (format == EmbeddingFormat::safetensors) {
    write_tensors(file, {{"embeddings", embedded.vectors}}, {{"texts", Json(embedded.texts).dump()}});
    return std::ssize(embedded.texts);
  }
  const EmbeddedTexts words = as_words(embedded);
  const Tensor values = words.vectors.contiguous();
  write_word_vectors(
      file,
      {words.texts, {values.const_data_ptr<float>(), static_cast<size_t>(values.numel())}, values.size(1)},
      format == EmbeddingFormat::binary ? VectorFormat::binary : VectorFormat::text,
      [&](double share) { progress("write", share); });
  return std::ssize(words.texts);
}

}  // namespace lmzoo
