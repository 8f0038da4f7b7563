#include "tokenizer/encode_columns.h"

#include <algorithm>
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

// Parts of a text one after the other; where each begins in the ids.
std::vector<int64_t> append_parts(const Tokenizer& tokenizer,
                                  const std::vector<std::string>& parts,
                                  std::vector<int64_t>& ids) {
  const bool space = joins_words(tokenizer);
  std::vector<int64_t> starts;
  for (const std::string& part : parts) {
    starts.push_back(std::ssize(ids));
    append_ids(ids, tokenizer.encode(space && !ids.empty() ? " " + part : part));
  }
  return starts;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  std::erase_if(lines, [](const std::string& line) {
    return line.find_first_not_of(" \t\r\v\f") == std::string::npos;
  });
  return lines;
}

}  // namespace

void encode_words(const Tokenizer& tokenizer, const std::vector<std::string>& words, Sample& sample) {
  sample.word_starts = append_parts(tokenizer, words, sample.ids);
}

Sample encode_sentences(const Tokenizer& tokenizer, std::string_view text) {
  Sample sample;
  std::vector<int64_t>& starts = sample.sentence_starts;
  starts = append_parts(tokenizer, lines_of(text), sample.ids);
  std::erase(starts, std::ssize(sample.ids));  // without an id, behind the last that has one
  starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
  return sample;
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
