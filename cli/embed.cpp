// `lmzoo embed`: vectors of texts, or of all words.
#include <filesystem>
#include <unordered_set>

#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include "base/check.h"
#include "base/utf8.h"
#include "cli/vector_flags.h"
#include "core/tensor_file.h"
#include "infer/vectors/encode.h"
#include "infer/vectors/token_table.h"
#include "io/word_vectors.h"
#include "train/loop/stop_signal.h"
#include "train/start/word_vectors.h"

namespace lmzoo {
namespace {

struct Embedded {
  std::vector<std::string> texts;
  Tensor vectors;  // [n, D]
};

bool has_word_vectors(const std::string& path) {
  return !std::filesystem::is_directory(path) || is_word2vec_run(path);
}

Embedded embed_words(const VectorTable& table, Strings texts) {
  std::vector<Tensor> rows;
  for (const std::string& text : texts) {
    const Tensor row = mean_of_words(table, text);
    check(row.defined(), "'{}' has no word with a vector", printable(text, 40));
    rows.push_back(row);
  }
  return {std::move(texts), at::stack(rows)};
}

Embedded embed_texts(const Flags& flags, const LoadedRun& run, Strings texts) {
  EncodeOptions options;
  if (flags.has("layer")) {
    options.layer = flags.integer("layer", 0, at_least(0));
  }
  options.pooling = choice_of(flags, "pool", options.pooling);
  Model& model = *run.parts.model;
  const std::vector<ReadText> read = read_texts(model, *run.tokenizer, texts, flags.has("truncate"));
  ProgressBar bar("embed", "");
  Tensor vectors = encode_texts(model, read, options, when_long(bar.callback()));
  bar.finish();
  return {std::move(texts), vectors};
}

Embedded compute(const Flags& flags) {
  const Registry registry = make_registry();
  check(!flags.has("all") || (!flags.has("text") && !flags.has("file")), "--all takes no texts");
  if (flags.has("all") || has_word_vectors(flags.text("RUN"))) {
    check(!flags.has("pool") && !flags.has("truncate"),
          "--pool and --truncate are for texts and runs with layers");
    const VectorTable table = load_query_table(flags, registry);
    return flags.has("all") ? Embedded{table.words(), table.vectors()}
                            : embed_words(table, prompts_of(flags));
  }
  check(!flags.has("words"), "--words goes with --all");
  return embed_texts(flags, load_query_run(flags, registry), prompts_of(flags));
}

// Words for a file of vectors: white space becomes "_", and what comes again is left out.
Embedded as_words(const Embedded& embedded) {
  Embedded result;
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

std::string format_of(const Flags& flags) {
  const std::string out = flags.text("out");
  const std::string by_name = out.ends_with(".safetensors")                 ? "safetensors"
                              : format_of_name(out) == VectorFormat::binary ? "binary"
                                                                            : "text";
  const std::string format = flags.text("format", by_name);
  check(format == "text" || format == "binary" || format == "safetensors",
        "--format: expected text, binary or safetensors, got '{}'",
        printable(format));
  return format;
}

int64_t write(const Embedded& embedded, const std::string& path, const std::string& format) {
  if (format == "safetensors") {
    write_tensors(path, {{"embeddings", embedded.vectors}}, {{"texts", Json(embedded.texts).dump()}});
    return std::ssize(embedded.texts);
  }
  const Embedded words = as_words(embedded);
  const Tensor values = words.vectors.contiguous();
  const StopSignal signals;
  ProgressBar bar(path, "");
  const Progress progress = when_long(bar.callback());
  write_word_vectors(
      path,
      {words.texts, {values.const_data_ptr<float>(), static_cast<size_t>(values.numel())}, values.size(1)},
      format == "binary" ? VectorFormat::binary : VectorFormat::text,
      [&](double share) { progress("write", share); });
  bar.finish();
  return std::ssize(words.texts);
}

void show_vectors(const Flags& flags, const Embedded& embedded) {
  const Tensor values = embedded.vectors.contiguous();
  const auto width = static_cast<size_t>(values.size(1));
  const float* row = values.const_data_ptr<float>();
  Json all = Json::array();
  for (const std::string& text : embedded.texts) {
    std::string line = text + "\t";
    for (size_t i = 0; i < width; ++i) {
      line += (i > 0 ? " " : "") + fmt::format("{:g}", row[i]);
    }
    if (flags.has("json")) {
      all.push_back({{"text", text}, {"vector", std::vector<float>(row, row + width)}});
    } else {
      print(line + "\n");
    }
    row += width;
  }
  if (flags.has("json")) {
    print(all);
  }
}

}  // namespace

int run_embed(const Command& self, const Strings& arguments) {
  Flags flags(self);
  add_vector_flags(flags);
  add_prompt_flags(flags);
  flags.value("pool",
              "NAME",
              "mean of all positions, own (of the text's own tokens), first or last position; default mean");
  flags.toggle("truncate", "cut texts that are longer than the model takes, instead of refusing them");
  flags.toggle("normalize", "make every vector of length 1");
  flags.toggle("all", "the vectors of all words, or of all tokens of a vocabulary, instead of texts");
  flags.value("out", "FILE", "write a file; default: print");
  flags.value(
      "format", "NAME", "text, binary or safetensors; default: by the name of FILE (.bin, .safetensors)");
  if (!flags.parse(arguments)) {
    return 0;
  }
  const std::string format = format_of(flags);
  Embedded embedded = compute(flags);
  if (flags.has("normalize")) {
    embedded.vectors = embedded.vectors /
                       at::linalg_vector_norm(embedded.vectors, 2, at::IntArrayRef{1}, true).clamp_min(1e-30);
  }
  if (!flags.has("out")) {
    show_vectors(flags, embedded);
    return 0;
  }
  const std::string out = flags.text("out");
  const int64_t vectors = write(embedded, out, format);
  const int64_t width = embedded.vectors.size(1);
  flags.has("json") ? print(Json{{"out", out}, {"format", format}, {"vectors", vectors}, {"width", width}})
                    : print(fmt::format("{}: {} vectors of width {}, {}\n", out, vectors, width, format));
  return 0;
}

}  // namespace lmzoo
