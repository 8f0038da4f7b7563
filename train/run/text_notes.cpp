#include "train/run/text_notes.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/another_sample.h"
#include "base/rng.h"
#include "base/strings.h"

namespace lmzoo {
namespace {

// Masks and spans are drawn for each of these once.
constexpr int64_t kMostExamples = 2000;
// These are read, and compared with a length.
constexpr int64_t kMostSamples = 100'000;

bool has_label(const Objective& objective, const Sample& sample, uint64_t index) {
  Stream stream({.sample = index, .purpose = Purpose::sampling});
  return std::ranges::any_of(objective.examples(sample, {}, stream), [](const Example& example) {
    return std::ranges::any_of(example.targets, [](const Target& target) {
      return !target.labels.empty() || !target.values.empty();
    });
  });
}

std::string among(const Share& share) {
  return fmt::format("{} of {}{}", grouped(share.count), share.all ? "" : "the first ", grouped(share.among));
}

}  // namespace

TextNotes text_notes(const std::string& name, const TextOptions& text, const TextCounts& counts) {
  return {.name = name,
          .read = {.blank = counts.blank, .invalid_bytes = counts.invalid_bytes, .quoted = counts.quoted},
          .read_to_the_end = counts.whole,
          .quotes = text.quotes};
}

TextNotes text_notes(const std::string& name, const TextOptions& text, const Windows& windows) {
  return {.name = name,
          .read = windows.store().notes(),
          .quotes = text.quotes,
          .tokens = windows.store().tokens()};
}

void look_at_samples(TextNotes& notes, const Objective& objective, std::span<const Sample> first, bool all) {
  const int64_t drawn = std::min(std::ssize(first), kMostExamples);
  notes.without_labels = {.among = drawn, .all = all && drawn == std::ssize(first)};
  const SampleSource source{.count = std::ssize(first),
                            .at = [first](int64_t index) { return first[index]; }};
  for (int64_t i = 0; i < drawn; ++i) {
    const bool has = objective.form().needs_another
                         ? has_label(objective, with_another(first[i], source), static_cast<uint64_t>(i))
                         : has_label(objective, first[i], static_cast<uint64_t>(i));
    notes.without_labels.count += has ? 0 : 1;
  }
}

namespace {

Share cut_texts(const Objective& objective, const MixedWindows& of_one_text) {
  const Windows& windows = of_one_text.texts().front().windows;
  const TokenStore& store = windows.store();
  const bool whole = !store.has_columns();
  const int64_t looked_at = whole ? store.documents() : std::min(store.documents(), kMostSamples);
  Share cut{.among = looked_at, .all = looked_at == store.documents()};
  if (whole && (windows.options().kind == WindowKind::stream ||
                windows.options().long_documents == LongDocuments::split)) {
    return cut;
  }
  for (int64_t i = 0; i < looked_at; ++i) {
    if (whole) {
      cut.count += store.length(i) > windows.options().length ? 1 : 0;
      continue;
    }
    Sample sample = store.sample(i);
    sample.corpus = of_one_text.corpus();
    cut.count += objective.cuts(sample) ? 1 : 0;
  }
  return cut;
}

}  // namespace

void look_at_samples(TextNotes& notes, const Objective& objective, const MixedWindows& windows) {
  std::vector<Sample> first;
  const int64_t looked_at = std::min(windows.size(), kMostExamples);
  for (int64_t i = 0; i < looked_at; ++i) {
    std::ranges::move(windows.window(0, i), std::back_inserter(first));
  }
  look_at_samples(notes, objective, first, looked_at == windows.size());
  notes.cut = cut_texts(objective, windows);
}

std::vector<std::string> to_lines(const TextNotes& notes) {
  std::vector<std::string> lines;
  const auto say = [&](int64_t count, const std::string& what) {
    if (count > 0) {
      lines.push_back(fmt::format("{}: {}", notes.name, what));
    }
  };
  const std::string so_far = notes.read_to_the_end ? "" : " so far as it has been read";
  const ReadNotes& read = notes.read;
  say(read.blank,
      fmt::format("{} lines or records without text are left out{}", grouped(read.blank), so_far));
  say(read.invalid_bytes,
      fmt::format(
          "{} places that are no UTF-8, or NUL, are read as U+FFFD{}", grouped(read.invalid_bytes), so_far));
  say(read.quoted,
      fmt::format("{} rows have cells in quotation marks, {}",
                  grouped(read.quoted),
                  notes.quotes == Quotes::csv
                      ? "read as CSV"
                      : "which are read as characters; `quotes: csv` reads them as CSV"));
  say(read.unknown,
      fmt::format(
          "{} of {} tokens are unknown to the tokenizer: bits per byte would not be those of the text",
          grouped(read.unknown),
          grouped(notes.tokens)));
  say(notes.cut.count, among(notes.cut) + " texts are longer than their window and are cut");
  say(notes.without_labels.count,
      among(notes.without_labels) +
          " samples have no label in their window, so nothing is learned from them");
  return lines;
}

TextRow to_row(const TextNotes& notes) {
  return {.split = notes.name,
          .counts = {{"tokens", notes.tokens},
                     {"blank", notes.read.blank},
                     {"invalid_bytes", notes.read.invalid_bytes},
                     {"quoted", notes.read.quoted},
                     {"unknown", notes.read.unknown},
                     {"cut", notes.cut.count},
                     {"cut_among", notes.cut.among},
                     {"without_labels", notes.without_labels.count},
                     {"without_labels_among", notes.without_labels.among}}};
}

std::vector<std::string> repetitions(const std::string& name, const TextOptions& text) {
  std::vector<std::string> lines;
  for (const auto& [path, earlier] : repeated_files(text)) {
    lines.push_back(
        path == earlier
            ? fmt::format("{}: {} is named twice and read once", name, path)
            : fmt::format("{}: {} is the same file as {}, and is read once", name, path, earlier));
  }
  return lines;
}

std::vector<std::string> overlaps(const TextOptions& train,
                                  const std::string& name,
                                  const TextOptions& other) {
  std::vector<std::string> lines;
  for (const std::string& path : common_files(train, other)) {
    lines.push_back(fmt::format("{}: {} is also trained on", name, path));
  }
  return lines;
}

}  // namespace lmzoo
