#include "infer/ask/classify.h"

#include <algorithm>
#include <iterator>

#include "base/check.h"
#include "infer/ask/ask.h"
#include "text/rows.h"

namespace lmzoo {
namespace {

Sample sample_of(const Parts& parts, const Tokenizer& tokenizer, const std::string& text) {
  std::vector<std::vector<int64_t>> cells = encode_cells(tokenizer, text);
  const auto texts = static_cast<size_t>(parts.record.choices > 0 ? std::max<int64_t>(parts.record.texts, 1)
                                                                  : std::ssize(cells));
  check(parts.record.choices == 0 || cells.size() >= texts + 2,
        "a question of {} parts: give {}{} and at least 2 choices with tabs between them",
        cells.size(),
        texts,
        texts == 1 ? " text" : " texts");
  check(parts.record.choices > 0 || texts <= 2,
        "a line of {} parts: give a text, or two with a tab between",
        texts);
  Sample sample{.ids = cells.front()};
  sample.further_texts.assign(std::make_move_iterator(cells.begin() + 1),
                              std::make_move_iterator(cells.begin() + static_cast<int64_t>(texts)));
  sample.choices.assign(std::make_move_iterator(cells.begin() + static_cast<int64_t>(texts)),
                        std::make_move_iterator(cells.end()));
  return sample;
}

// Names of the scores of one text.
std::vector<std::string> names_of(const Parts& parts, const std::string& text, size_t scores) {
  if (parts.record.choices == 0) {
    return parts.classes;
  }
  const std::vector<std::string_view> cells = split_tabs(text);
  return {cells.end() - static_cast<int64_t>(scores), cells.end()};
}

}  // namespace

std::vector<Classification> classify(const Parts& parts,
                                     const Tokenizer& tokenizer,
                                     const std::vector<std::string>& texts) {
  const Slot answer = parts.objective->slots().front();
  const bool classifies =
      parts.objective->predicts() && answer.level != Level::position && answer.predicts != Predicts::rows;
  check(classifies,
        "classify needs a run that was trained to classify (classification, multi_label, regression, "
        "multiple_choice, gpt1_task)");
  std::vector<Sample> samples;
  for (const std::string& text : texts) {
    samples.push_back(sample_of(parts, tokenizer, text));
  }
  const Predictions predictions = ask(parts, samples);
  std::vector<Classification> results;
  for (size_t i = 0; i < texts.size(); ++i) {
    Classification& result = results.emplace_back(Classification{.text = texts[i], .classes = {}});
    if (predictions.scores.empty()) {
      result.value = predictions.values.given.at(i);
      continue;
    }
    const std::vector<double>& scores = predictions.scores[i];
    const std::vector<std::string> names = names_of(parts, texts[i], scores.size());
    for (size_t c = 0; c < scores.size(); ++c) {
      result.classes.emplace_back(names.at(c), scores[c]);
    }
    std::stable_sort(result.classes.begin(), result.classes.end(), [](const auto& a, const auto& b) {
      return a.second > b.second;
    });
  }
  return results;
}

}  // namespace lmzoo
