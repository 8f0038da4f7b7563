#include "data/store/sample_notes.h"

#include <bit>

#include "base/check.h"

namespace lmzoo {
namespace {

class Writer {
 public:
  explicit Writer(std::vector<int32_t>& notes) : notes_(notes) {}

  void number(int64_t value) { notes_.push_back(static_cast<int32_t>(value)); }
  void list(std::span<const int64_t> values) {
    number(std::ssize(values));
    for (const int64_t value : values) {
      number(value);
    }
  }
  void spans(std::span<const ByteSpan> values) {
    number(std::ssize(values));
    for (const ByteSpan& value : values) {
      number(value.begin);
      number(value.end);
    }
  }

 private:
  std::vector<int32_t>& notes_;
};

class NoteReader {
 public:
  explicit NoteReader(std::span<const int32_t> notes) : rest_(notes) {}

  int64_t number() {
    require(!rest_.empty());
    const int32_t value = rest_.front();
    rest_ = rest_.subspan(1);
    return value;
  }
  int64_t count() {
    const int64_t value = number();
    require(value >= 0 && value <= std::ssize(rest_));
    return value;
  }
  std::vector<int64_t> list(int64_t size) {
    std::vector<int64_t> values;
    for (int64_t i = 0; i < size; ++i) {
      values.push_back(number());
    }
    return values;
  }
  std::vector<ByteSpan> spans(int64_t bytes) {
    std::vector<ByteSpan> values(static_cast<size_t>(count()));
    for (ByteSpan& value : values) {
      value.begin = number();
      value.end = number();
      require(value.begin >= 0 && value.begin <= value.end && value.end <= bytes);
    }
    return values;
  }
  static void require(bool holds) { check(holds, "a token store's notes do not fit its ids"); }

 private:
  std::span<const int32_t> rest_;
};

}  // namespace

void append_notes(std::span<const int64_t> ids, const Sample& columns, std::vector<int32_t>& notes) {
  Writer writer(notes);
  writer.number(1 + std::ssize(columns.further_texts));
  writer.number(std::ssize(columns.choices));
  writer.number(std::ssize(ids));
  for (const auto* texts : {&columns.further_texts, &columns.choices}) {
    for (const std::vector<int64_t>& text : *texts) {
      writer.number(std::ssize(text));
    }
  }
  writer.number(std::ssize(columns.target));
  writer.number(columns.value ? 1 : 0);
  if (columns.value) {
    const auto bits = std::bit_cast<uint64_t>(*columns.value);
    writer.number(static_cast<int64_t>(bits & 0xFFFFFFFF));
    writer.number(static_cast<int64_t>(bits >> 32));
  }
  writer.list(columns.label_set);
  writer.list(columns.word_starts);
  for (const int64_t tag : columns.tags) {
    writer.number(tag);
  }
  writer.list(columns.sentence_starts);
  writer.number(columns.passage ? 1 : 0);
  if (columns.passage) {
    writer.spans(columns.passage->ids);
    writer.spans(columns.passage->answers);
  }
  writer.number(columns.label);
}

void append_further_ids(const Sample& columns, std::vector<int64_t>& ids) {
  for (const auto* texts : {&columns.further_texts, &columns.choices}) {
    for (const std::vector<int64_t>& text : *texts) {
      ids.insert(ids.end(), text.begin(), text.end());
    }
  }
  ids.insert(ids.end(), columns.target.begin(), columns.target.end());
}

Sample read_notes(std::span<const int64_t> ids, std::span<const int32_t> notes, std::string_view passage) {
  NoteReader reader(notes);
  Sample sample;
  const auto take = [&] {
    const int64_t length = reader.number();
    NoteReader::require(length >= 0 && length <= std::ssize(ids));
    std::vector<int64_t> text(ids.begin(), ids.begin() + length);
    ids = ids.subspan(static_cast<size_t>(length));
    return text;
  };
  const int64_t texts = reader.count();
  const int64_t choices = reader.count();
  sample.ids = take();
  for (int64_t i = 1; i < texts; ++i) {
    sample.further_texts.push_back(take());
  }
  for (int64_t i = 0; i < choices; ++i) {
    sample.choices.push_back(take());
  }
  sample.target = take();
  if (reader.number() != 0) {
    const auto low = static_cast<uint32_t>(reader.number());
    const auto high = static_cast<uint32_t>(reader.number());
    sample.value = std::bit_cast<double>(static_cast<uint64_t>(high) << 32 | low);
  }
  sample.label_set = reader.list(reader.count());
  const int64_t words = reader.count();
  sample.word_starts = reader.list(words);
  sample.tags = reader.list(words);
  sample.sentence_starts = reader.list(reader.count());
  if (reader.number() != 0) {
    auto found = std::make_shared<Passage>();
    found->text = passage;
    found->ids = reader.spans(std::ssize(passage));
    found->answers = reader.spans(std::ssize(passage));
    sample.passage = std::move(found);
  }
  sample.label = reader.number();
  return sample;
}

}  // namespace lmzoo
