#include "train/start/word_vectors.h"

#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "base/check.h"
#include "base/utf8.h"
#include "base/visible.h"
#include "io/lines.h"
#include "io/safetensors.h"
#include "io/yaml.h"
#include "tokenizer/words/words.h"
#include "train/exchange/huggingface/config.h"
#include "train/saved/checkpoint.h"
#include "train/saved/run_files.h"
#include "train/start/ngram_vectors.h"

namespace lmzoo {
namespace {

constexpr std::string_view kTable = "model.tokens.weight";

// The words of words.tsv, "word TAB count" a line, at most `limit` of them.
std::vector<std::string> read_words(const std::string& path, int64_t limit) {
  std::vector<std::string> words;
  LineReader lines(path);
  std::string line;
  while ((limit == 0 || std::ssize(words) < limit) && lines.next(line)) {
    const size_t tab = line.find('\t');
    if (tab == 0 || tab == std::string::npos) {
      throw InputError(lines.where(), "expected a word, a tab and a count");
    }
    words.push_back(line.substr(0, tab));
  }
  return words;
}

ReadVectors load_run_vectors(const WordVectorSource& source) {
  const std::string run = run_of(source.path);
  ReadVectors result;
  WordVectors& table = result.table;
  table.words = read_words(tokenizer_folder(run) + "/" + kWordsFile, source.limit);
  const SafetensorsFile file(resolve_checkpoint(source.path) + "/model.safetensors");
  const TensorView* view = file.find(kTable);
  check(view != nullptr && view->dtype == Dtype::f32 && view->shape.size() == 2 && view->shape[1] > 0,
        "{}: has no float32 table {}",
        file.path(),
        kTable);
  check(view->shape[0] == table.size() || (source.limit > 0 && view->shape[0] >= table.size()),
        "{}: {} has {} rows, but the run has {} words",
        file.path(),
        kTable,
        view->shape[0],
        table.size());
  table.width = view->shape[1];
  table.values.resize(table.words.size() * static_cast<size_t>(table.width));
  const auto ngrams = NgramVectors::open(source.path);
  for (int64_t i = 0; ngrams != nullptr && i < table.size(); ++i) {
    ngrams->compose(table.words[static_cast<size_t>(i)],
                    i,
                    std::span(table.values)
                        .subspan(static_cast<size_t>(i * table.width), static_cast<size_t>(table.width)));
  }
  if (ngrams == nullptr) {
    std::memcpy(table.values.data(), view->bytes.data(), table.values.size() * sizeof(float));
  }
  return result;
}

// What of a file is not in the table as it stands there.
std::vector<std::string> notes_of(const std::string& path, const ReadVectors& read) {
  std::vector<std::string> notes;
  if (read.skipped > 0) {
    notes.push_back(fmt::format("{}; {} such rows were skipped", read.first_skipped, read.skipped));
  }
  if (read.replaced > 0) {
    notes.push_back(
        fmt::format("{}: {} places in its words are no UTF-8 and are read as U+FFFD", path, read.replaced));
  }
  if (read.duplicates > 0) {
    const std::string merged =
        read.merged > 0 ? fmt::format(" ({} of them are equal only by such a replacement)", read.merged) : "";
    notes.push_back(fmt::format("{}: {} rows repeat a word, and its first row counts{}: '{}'",
                                path,
                                read.duplicates,
                                merged,
                                printable(read.first_duplicate)));
  }
  return notes;
}

}  // namespace

bool is_word2vec_run(const std::string& path) {
  if (!std::filesystem::is_directory(path) || is_huggingface_folder(path)) {
    return false;
  }
  const YamlNode config = read_yaml(config_file(run_of(path)));
  const YamlNode* model = config.find("model");
  const YamlNode* type = model != nullptr ? model->find("type") : nullptr;
  return type != nullptr && type->scalar == "word2vec";
}

ReadVectors load_word_vectors(const WordVectorSource& source, const Progress& progress) {
  if (std::filesystem::is_directory(source.path)) {
    check(is_word2vec_run(source.path), "{}: is no word2vec run", printable(source.path));
    return load_run_vectors(source);
  }
  ReadVectorsOptions options{.limit = source.limit};
  if (progress) {
    options.progress = [&](double share) { progress(source.path, share); };
  }
  ReadVectors read = read_word_vectors(source.path, options);
  for (const std::string& note : notes_of(source.path, read)) {
    std::fprintf(stderr, "%s\n", visible(note).c_str());
  }
  return read;
}

}  // namespace lmzoo
