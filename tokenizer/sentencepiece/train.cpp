#include "tokenizer/sentencepiece/train.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <unordered_map>
#include <utility>

#include <sentencepiece_trainer.h>

#include "base/check.h"
#include "base/rng.h"
#include "tokenizer/special_tokens.h"

namespace lmzoo {
namespace {

// Training time grows faster than the length of a sentence.
constexpr size_t kMaxSentenceBytes = 4096;

// Where a sentence that begins at `begin` ends: at a space when there is one, else between two characters.
size_t sentence_end(std::string_view text, size_t begin) {
  if (text.size() - begin <= kMaxSentenceBytes) {
    return text.size();
  }
  const size_t limit = begin + kMaxSentenceBytes;
  const size_t space = text.rfind(' ', limit);
  if (space != std::string_view::npos && space > begin) {
    return space;
  }
  size_t end = limit;
  while (end > begin + 1 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) {
    --end;
  }
  return end;
}

class SampledSentences final : public sentencepiece::SentenceIterator {
 public:
  explicit SampledSentences(const std::vector<std::string>& sentences) : sentences_(sentences) {}
  bool done() const override { return at_ >= sentences_.size(); }
  void Next() override { ++at_; }
  const std::string& value() const override { return sentences_[at_]; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  const std::vector<std::string>& sentences_;
  size_t at_ = 0;
};

struct Attempt {
  std::string model;
  std::string error;  // empty when it succeeded
};

Attempt attempt(const TokenizerOptions& options, int64_t pieces, const std::vector<std::string>& sentences) {
  const std::string keep = options.keep_spaces ? "true" : "false";
  const std::unordered_map<std::string, std::string> arguments{
      {"model_type", std::string(name_of(options.algorithm))},
      {"vocab_size", std::to_string(pieces)},
      {"pad_id", "0"},
      {"eos_id", "1"},
      {"unk_id", "2"},
      {"bos_id", "3"},
      {"control_symbols", "[CLS],[SEP],[MASK]"},
      {"byte_fallback", options.byte_fallback ? "true" : "false"},
      {"character_coverage", fmt::format("{:g}", options.character_coverage)},
      {"normalization_rule_name", std::string(name_of(options.normalization))},
      {"remove_extra_whitespaces", options.keep_spaces ? "false" : "true"},
      {"allow_whitespace_only_pieces", keep},
      {"max_sentence_length", std::to_string(2 * kMaxSentenceBytes)},
      {"input_sentence_size", "0"},
      {"num_threads", "2"},  // part of the result: expected counts are summed in this many parts
      {"minloglevel", "3"},  // its errors come back as a status
  };
  SampledSentences iterator(sentences);
  Attempt result;
  const auto status = sentencepiece::SentencePieceTrainer::Train(arguments, &iterator, &result.model);
  if (!status.ok()) {
    result.error = status.error_message();
    result.error = result.error.empty() ? "unknown error" : result.error;
  }
  return result;
}

// The number behind `words` in a message of libsentencepiece, the only place where it tells its limits.
std::optional<int64_t> number_after(const std::string& message, std::string_view words) {
  const size_t at = message.find(words);
  if (at == std::string::npos) {
    return std::nullopt;
  }
  const int64_t number = std::strtoll(message.c_str() + at + words.size(), nullptr, 10);
  return number > 0 ? std::optional(number) : std::nullopt;
}

std::optional<int64_t> most_pieces(const std::string& error) {
  return number_after(error, "Please set it to a value <= ");
}

std::optional<int64_t> fewest_pieces(const std::string& error) {
  return error.find("smaller than required_chars") != std::string::npos ? number_after(error, " vs ")
                                                                        : std::nullopt;
}

// A size that is always too small, but not so small that libsentencepiece fails in another way: no character
// fits.
int64_t too_few_pieces(const TokenizerOptions& options) {
  return static_cast<int64_t>(special_kinds().size()) + (options.byte_fallback ? 256 : 0);
}

[[noreturn]] void refuse_size(const TokenizerOptions& options,
                              int64_t size,
                              const std::string& error,
                              const std::vector<std::string>& sentences) {
  // When the size is over the upper limit, a second attempt, which fails early, tells the lower one.
  const auto most = most_pieces(error);
  const auto fewest =
      fewest_pieces(most ? attempt(options, too_few_pieces(options), sentences).error : error);
  if (!fewest) {
    throw InputError("tokenizer.vocab_size: cannot train a tokenizer of " + std::to_string(size) +
                     " ids: " + error);
  }
  const int64_t low = *fewest + options.sentinels;
  const std::string parts =
      fmt::format("special tokens{}, every character that character_coverage asks for, and {} sentinels",
                  options.byte_fallback ? ", 256 bytes" : "",
                  options.sentinels);
  if (most) {
    throw InputError(
        fmt::format("tokenizer.vocab_size is {}, more than this corpus has pieces for: legal is {} to {}",
                    size,
                    low,
                    *most + options.sentinels));
  }
  throw InputError(
      fmt::format("tokenizer.vocab_size is {}, too few for {}: legal is {} or more", size, parts, low));
}

}  // namespace

void SentenceSample::add(std::string_view document) {
  for (size_t begin = 0; begin < document.size();) {
    const size_t end = sentence_end(document, begin);
    add_sentence(document.substr(begin, end - begin));
    begin = end;
  }
}

void SentenceSample::add_sentence(std::string_view sentence) {
  const int64_t number = count_++;
  const double lot =
      Stream({.sample = static_cast<uint64_t>(number), .purpose = Purpose::sampling}).uniform();
  bytes_ += static_cast<int64_t>(sentence.size());
  kept_.push({lot, number, std::string(sentence)});
  while (bytes_ > limit_ && kept_.size() > 1) {
    bytes_ -= static_cast<int64_t>(kept_.top().text.size());
    kept_.pop();
  }
}

std::vector<std::string> SentenceSample::take() {
  std::vector<Entry> entries;
  for (; !kept_.empty(); kept_.pop()) {
    entries.push_back(kept_.top());
  }
  std::sort(
      entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.number < b.number; });
  std::vector<std::string> sentences;
  sentences.reserve(entries.size());
  for (Entry& entry : entries) {
    sentences.push_back(std::move(entry.text));
  }
  return sentences;
}

std::vector<std::string> sample_sentences(const TokenizerOptions& options,
                                          const TextOptions& corpus,
                                          const Progress& progress) {
  SentenceSample sample(options.training_bytes);
  for_each_record(
      corpus,
      [&](const TextRecord& record) {
        sample.add(record.text);
        return true;
      },
      progress);
  return sample.take();
}

std::string train_sentencepiece(const TokenizerOptions& options,
                                const TextOptions& corpus,
                                const Progress& progress) {
  const std::vector<std::string> sentences = sample_sentences(options, corpus, progress);
  if (progress) {
    progress("training the tokenizer", -1);
  }
  const int64_t size = options.vocab_size.value_or(kDefaultVocabSize);
  const int64_t pieces = std::max(too_few_pieces(options), size - options.sentinels);
  Attempt trained = attempt(options, pieces, sentences);
  if (!trained.error.empty()) {
    refuse_size(options, size, trained.error, sentences);
  }
  return std::move(trained.model);
}

}  // namespace lmzoo
