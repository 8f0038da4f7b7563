#include "infer/ask/classify.h"

#include <algorithm>
#include <iterator>

#include "base/check.h"
#include "infer/ask/ask.h"

namespace lmzoo {
namespace {

std::vector<std::vector<int64_t>> encoded(const Tokenizer& tokenizer, const std::vector<std::string>& texts) {
  std::vector<std::vector<int64_t>> ids;
  for (const std::string& text : texts) {
    ids.push_back(tokenizer.encode(text));
  }
  return ids;
}

Sample sample_of(const Parts& parts, const Tokenizer& tokenizer, const std::string& line) {
  const bool chooses = parts.reading.record.choices > 0;
  const Reading::Choices asked =
      chooses ? parts.reading.with_choices(line) : Reading::Choices{parts.reading.texts(line), {}};
  std::vector<std::vector<int64_t>> texts = encoded(tokenizer, asked.texts);
  Sample sample{.ids = std::move(texts.front()), .choices = encoded(tokenizer, asked.choices)};
  sample.further_texts.assign(std::make_move_iterator(texts.begin() + 1),
                              std::make_move_iterator(texts.end()));
  return sample;
}

// Names of the scores of one line.
std::vector<std::string> names_of(const Parts& parts, const std::string& line) {
  return parts.reading.record.choices > 0 ? parts.reading.with_choices(line).choices : parts.classes;
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
    const std::vector<std::string> names = names_of(parts, texts[i]);
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
