// `lmzoo embed`: vectors of texts, or of all words.
#include "infer/vectors/embed.h"

#include <cstdio>

#include "base/check.h"
#include "cli/vector_flags.h"
#include "train/loop/stop_signal.h"

namespace lmzoo {
namespace {

EncodeOptions encode_options_of(const Flags& flags, const LoadedRun& run) {
  EncodeOptions options = asked_so(run.parts);
  options.truncate = flags.has("truncate");
  if (flags.has("layer")) {
    options.layer = flags.integer("layer", 0, at_least(0));
  }
  options.pooling = choice_of(flags, "pool", options.pooling);
  return options;
}

EmbeddedTexts compute(const Flags& flags) {
  const Registry registry = make_registry();
  check(!flags.has("all") || (!flags.has("text") && !flags.has("file")), "--all takes no texts");
  if (flags.has("all") || has_word_vectors(flags.text("RUN"))) {
    check(!flags.has("pool") && !flags.has("truncate"),
          "--pool and --truncate are for texts and runs with layers");
    const VectorTable table = load_query_table(flags, registry);
    return flags.has("all") ? EmbeddedTexts{table.words(), table.vectors()}
                            : embed_by_words(table, prompts_of(flags));
  }
  check(!flags.has("words"), "--words goes with --all");
  const LoadedRun run = load_query_run(flags, registry);
  ProgressBar bar("embed", "");
  EmbeddedTexts embedded =
      embed_by_states(run, prompts_of(flags), encode_options_of(flags, run), when_long(bar.callback()));
  bar.finish();
  if (run.parts.reading.ask.normalize) {
    normalize(embedded);
  }
  if (embedded.cut > 0) {
    std::fprintf(stderr,
                 "note: %lld of %zu texts are longer than is read of a text, and cut\n",
                 static_cast<long long>(embedded.cut),
                 embedded.texts.size());
  }
  return embedded;
}

void show_vectors(const Flags& flags, const EmbeddedTexts& embedded) {
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
      print_exactly(line + "\n");
    }
    row += width;
  }
  if (flags.has("json")) {
    print(all);
  }
}

int64_t write(const EmbeddedTexts& embedded, const std::string& file, EmbeddingFormat format) {
  const StopSignal signals;
  ProgressBar bar(file, "");
  const int64_t vectors = write_embeddings(embedded, file, format, when_long(bar.callback()));
  bar.finish();
  return vectors;
}

}  // namespace

int run_embed(const Command& self, const Strings& arguments) {
  Flags flags(self);
  add_vector_flags(flags);
  add_prompt_flags(flags);
  flags.value(
      "pool",
      "NAME",
      "mean of all positions, own (mean of the text's own tokens), first, last, max, sqrt_mean or weighted; "
      "default: as the run says (ask.pooling), usually mean");
  flags.toggle("truncate", "cut texts that are longer than the model takes, instead of refusing them");
  flags.toggle("normalize", "make every vector of length 1");
  flags.toggle("all", "the vectors of all words, or of all tokens of a vocabulary, instead of texts");
  flags.value("out", "FILE", "write a file; default: print");
  flags.value(
      "format", "NAME", "text, binary or safetensors; default: by the name of FILE (.bin, .safetensors)");
  if (!flags.parse(arguments)) {
    return 0;
  }
  const std::string out = flags.text("out");
  const EmbeddingFormat format = choice_of(flags, "format", embedding_format_of(out));
  EmbeddedTexts embedded = compute(flags);
  if (flags.has("normalize")) {
    normalize(embedded);
  }
  if (!flags.has("out")) {
    show_vectors(flags, embedded);
    return 0;
  }
  const int64_t vectors = write(embedded, out, format);
  const int64_t width = embedded.vectors.size(1);
  flags.has("json")
      ? print(Json{{"out", out}, {"format", name_of(format)}, {"vectors", vectors}, {"width", width}})
      : print(fmt::format("{}: {} vectors of width {}, {}\n", out, vectors, width, name_of(format)));
  return 0;
}

}  // namespace lmzoo
