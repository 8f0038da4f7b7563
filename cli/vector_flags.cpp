#include "cli/vector_flags.h"

#include <cstdio>

#include "core/cpu_setup.h"
#include "train/loop/stop_signal.h"

namespace lmzoo {

void add_vector_flags(Flags& flags) {
  flags.positional("RUN",
                   "a word2vec run, a file of word vectors (text or binary), or a run of any other model");
  flags.value(
      "layer", "L", "other models: states of this layer for each word alone; default: the token embedding");
  flags.value(
      "words", "FILE", "other models: a word a line to answer with; default: the tokens of the vocabulary");
  flags.value("limit", "N", "read only the first N words of word vectors, the most frequent");
  add_device_flags(flags);
}

VectorTable load_query_table(const Flags& flags, const Registry& registry) {
  set_up_cpu(flags.integer("threads", 0, between(1, kMostThreads)));
  const StopSignal signals;
  TableSource source{.path = flags.text("RUN"), .device = flags.text("device")};
  source.limit = flags.integer("limit", 0, at_least(1));
  if (flags.has("layer")) {
    source.layer = flags.integer("layer", 0, at_least(0));
  }
  if (flags.has("words")) {
    source.words = read_word_list(flags.text("words"));
  }
  ProgressBar bar("vectors", "");
  return load_table(source, registry, when_long(bar.callback()));
}

void add_lookup_flags(Flags& flags) {
  flags.value("candidates", "N", "only the first N words are answers, and known; default: all");
  flags.toggle("exact-case", "do not take words of other case for the same");
}

int64_t candidates_of(const Flags& flags) { return flags.integer("candidates", 0, at_least(1)); }

std::string three_digits(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", value);
  return text;
}

std::string padded(const std::string& text, size_t columns) {
  size_t characters = 0;
  for (const char c : text) {
    characters += (c & 0xC0) != 0x80 ? 1 : 0;
  }
  return text + std::string(characters < columns ? columns - characters : 1, ' ');
}

}  // namespace lmzoo
