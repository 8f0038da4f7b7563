#include "infer/vectors/source.h"

#include <algorithm>
#include <filesystem>

#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include "base/check.h"
#include "base/utf8.h"
#include "infer/vectors/token_table.h"
#include "io/lines.h"
#include "text/words/split.h"
#include "train/start/ngram_vectors.h"
#include "train/start/word_vectors.h"

namespace lmzoo {

std::vector<std::string> read_word_list(const std::string& path) {
  std::vector<std::string> words;
  LineReader lines(path);
  std::string line;
  while (lines.next(line)) {
    line.resize(std::min(line.find('\t'), line.size()));
    replace_invalid_utf8(line);
    if (!line.empty()) {
      words.push_back(line);
    }
  }
  check(!words.empty(), "{}: has no word", path);
  return words;
}

VectorTable load_table(const TableSource& source, const Registry& registry, const Progress& progress) {
  if (std::filesystem::is_directory(source.path) && !is_word2vec_run(source.path)) {
    check(source.limit == 0, "--limit is for files of word vectors and word2vec runs");
    const LoadedRun run = load_run(source.path, registry, source.device);
    return token_table(run, {.layer = source.layer, .words = source.words}, progress);
  }
  check(!source.layer, "--layer: {} has one vector a word, and no layers", printable(source.path));
  check(source.words.empty(), "--words: {} has its own words", printable(source.path));
  VectorTable table(load_word_vectors({.path = source.path, .limit = source.limit}, progress).table);
  if (std::filesystem::is_directory(source.path)) {
    if (const auto ngrams = NgramVectors::open(source.path)) {
      table.compose_with([ngrams](const std::string& word) {
        Tensor vector = at::zeros({ngrams->width()});
        const std::span<float> to(vector.data_ptr<float>(), static_cast<size_t>(ngrams->width()));
        return ngrams->compose(ngrams->lower() ? folded(word) : word, std::nullopt, to) ? vector : Tensor();
      });
    }
  }
  return table;
}

Tensor mean_of_words(const VectorTable& table, const std::string& text) {
  std::vector<Tensor> vectors;
  const auto add = [&](std::string_view word) {
    const Tensor vector = table.vector_of(std::string(word));
    if (vector.defined()) {
      vectors.push_back(vector);
    }
  };
  WordSplitter words({.lower = false, .punctuation = Punctuation::keep}, text);
  for (std::string_view word; words.next(word);) {
    if (table.row_of(word) || table.row_of(folded(word))) {
      add(word);
      continue;
    }
    WordSplitter parts({.lower = false, .punctuation = Punctuation::drop}, word);
    for (std::string_view part; parts.next(part);) {
      add(part);
    }
  }
  return vectors.empty() ? Tensor() : at::stack(vectors).mean(0);
}

}  // namespace lmzoo
