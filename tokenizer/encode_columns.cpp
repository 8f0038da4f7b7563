#include "tokenizer/encode_columns.h"

#include <utility>

namespace lmzoo {
namespace {

void append_ids(std::vector<int64_t>& ids, const std::vector<int64_t>& more) {
  ids.insert(ids.end(), more.begin(), more.end());
}

// Whether ids of two words, one after the other, would be read as one word.
bool joins_words(const Tokenizer& tokenizer) {
  std::vector<int64_t> ids = tokenizer.encode("a");
  append_ids(ids, tokenizer.encode("a"));
  return tokenizer.decode(ids).find(' ') == std::string::npos;
}

}  // namespace

void encode_words(const Tokenizer& tokenizer, const std::vector<std::string>& words, Sample& sample) {
  const bool space = joins_words(tokenizer);
  for (const std::string& word : words) {
    sample.word_starts.push_back(std::ssize(sample.ids));
    append_ids(sample.ids, tokenizer.encode(space && !sample.ids.empty() ? " " + word : word));
  }
}

std::shared_ptr<const Passage> make_passage(const Tokenizer& tokenizer,
                                            const std::string& text,
                                            const std::vector<ByteSpan>& answers,
                                            std::vector<int64_t>& ids) {
  Encoding encoding = tokenizer.encode_with_offsets(text);
  auto passage = std::make_shared<Passage>();
  passage->text = text;
  passage->answers = answers;
  for (size_t i = 0; i < encoding.ids.size(); ++i) {
    passage->ids.push_back({encoding.begin[i], encoding.end[i]});
  }
  ids = std::move(encoding.ids);
  return passage;
}

Sample encode_columns(const Tokenizer& tokenizer, const RecordColumns& columns) {
  Sample sample;
  sample.label = columns.choice;
  sample.value = columns.value;
  encode_words(tokenizer, columns.words, sample);
  for (size_t i = 0; i < columns.texts.size(); ++i) {
    std::vector<int64_t> ids;
    if (columns.has_answer && i + 1 == columns.texts.size()) {
      sample.passage = make_passage(tokenizer, columns.texts[i], columns.answers, ids);
    } else {
      ids = tokenizer.encode(columns.texts[i]);
    }
    if (i == 0) {
      sample.ids = std::move(ids);
    } else {
      sample.further_texts.push_back(std::move(ids));
    }
  }
  for (const std::string& choice : columns.choices) {
    sample.choices.push_back(tokenizer.encode(choice));
  }
  if (!columns.target.empty()) {
    sample.target = tokenizer.encode(columns.target);
  }
  return sample;
}

}  // namespace lmzoo
