#include "infer/ask/tag.h"

#include <sstream>

#include "base/check.h"
#include "infer/ask/ask.h"
#include "tokenizer/encode_columns.h"

namespace lmzoo {
namespace {

bool is_tagger(const Objective& objective) {
  const Slot slot = objective.slots().front();
  return objective.predicts() && slot.level == Level::position && slot.predicts == Predicts::classes;
}

}  // namespace

std::vector<TaggedWords> tag_texts(const Parts& parts,
                                   const Tokenizer& tokenizer,
                                   const std::vector<std::string>& texts) {
  check(is_tagger(*parts.objective),
        "tag needs a run that was trained with the objective token_classification");
  std::vector<TaggedWords> results;
  for (const std::string& text : texts) {
    RecordColumns columns;
    std::istringstream in(text);
    for (std::string word; in >> word;) {
      columns.words.push_back(word);
    }
    if (columns.words.empty()) {
      results.emplace_back();
      continue;
    }
    Sample sample = encode_columns(tokenizer, columns);
    sample.tags.assign(columns.words.size(), 0);
    const Predictions predictions = ask(parts, std::span(&sample, 1));
    const std::vector<int64_t>& tags = predictions.tags.given.at(0);
    TaggedWords& result = results.emplace_back();
    size_t next = 0;
    for (size_t w = 0; w < columns.words.size(); ++w) {
      const int64_t end = w + 1 < columns.words.size() ? sample.word_starts[w + 1] : std::ssize(sample.ids);
      const bool has_ids = sample.word_starts[w] < end;
      std::string tag;
      if (has_ids && next < tags.size()) {
        tag = parts.classes.at(static_cast<size_t>(tags[next++]));
      }
      result.emplace_back(columns.words[w], tag);
    }
  }
  return results;
}

}  // namespace lmzoo
