#include "train/run/reading.h"

#include <algorithm>

#include "base/check.h"
#include "base/utf8.h"
#include "text/rows.h"
#include "train/run/assemble.h"

namespace lmzoo {
namespace {

std::string counted(int64_t texts) { return fmt::format("{} {}", texts, texts == 1 ? "text" : "texts"); }

InputTemplate before_text(const std::optional<int64_t>& id) {
  return {.before = id ? std::vector{*id} : std::vector<int64_t>{}};
}

}  // namespace

Reading reading_of(const RunConfig& config) {
  const TextOptions& text = asked_text(config);
  return {.record = shape_of(text), .prefix = text.prefix, .ask = config.ask};
}

void settle_reading(Parts& parts, const RunConfig& config) {
  const Vocabulary& vocabulary = parts.vocabulary;
  Reading& reading = parts.reading;
  for (const int64_t end : reading.ask.ends) {
    check(end < parts.model->vocab_rows(),
          "ask.ends has {}, but ids of this model are 0 to {}",
          end,
          parts.model->vocab_rows() - 1);
  }
  if (parts.model->architecture() != Architecture::decoder_only) {
    reading.frame = InputFrame::of_text(parts.model->architecture(), vocabulary);
  } else if (config.is_published()) {
    reading.frame = InputFrame(vocabulary.inputs.value_or(InputTemplate{}));
  } else if (parts.objective->form().layout == Layout::source_target) {
    reading.prefix_mask = true;
    reading.frame =
        InputFrame(InputTemplate{.before = {start_symbol(vocabulary)},
                                 .after = {required_token(vocabulary.eos, "eos", "a source text")}});
  } else if (config.data.windows == WindowKind::stream) {
    reading.frame = InputFrame(before_text(vocabulary.eos ? vocabulary.eos : parts.objective->begins_with()));
  } else {
    reading.frame = InputFrame(before_text(parts.objective->begins_with()));
  }
}

std::string Reading::text(std::string_view own, size_t column) const {
  return behind_prefix(prefix, column, own);
}

std::vector<std::string> Reading::first_texts(const std::vector<std::string>& own) const {
  std::vector<std::string> all;
  for (const std::string& each : own) {
    all.push_back(text(each));
  }
  return all;
}

std::vector<std::string> Reading::texts(std::string_view line) const {
  const std::vector<std::string_view> cells = split_tabs(line);
  const auto count = std::ssize(cells);
  check(record.texts > 0 ? count == record.texts : count <= 2,
        "this run reads {} a line, {}, but there are {} in '{}'",
        record.texts > 0 ? counted(record.texts) : "one text or two",
        record.texts == 1 ? "without a tab" : "with tabs between",
        count,
        printable(line, 60));
  std::vector<std::string> all;
  for (size_t i = 0; i < cells.size(); ++i) {
    all.push_back(text(cells[i], i));
  }
  return all;
}

Reading::Choices Reading::with_choices(std::string_view line) const {
  const std::vector<std::string_view> cells = split_tabs(line);
  const auto count = static_cast<size_t>(std::max<int64_t>(record.texts, 1));
  check(cells.size() >= count + 2,
        "this run reads {} and at least 2 choices a line, with tabs between, but there are {} in '{}'",
        counted(static_cast<int64_t>(count)),
        cells.size(),
        printable(line, 60));
  Choices all;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (i < count) {
      all.texts.push_back(text(cells[i], i));
    } else {
      all.choices.emplace_back(cells[i]);
    }
  }
  return all;
}

}  // namespace lmzoo
