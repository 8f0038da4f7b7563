// foresee_vocabulary of plan.h.
#include "base/words/word_index.h"
#include "tokenizer/vocabulary_of.h"
#include "train/run/plan.h"

namespace lmzoo {
namespace {

// Of pieces that are not known yet: that they will tell where words begin is all a plan needs.
std::shared_ptr<const std::vector<WordEdges>> unknown_edges(int64_t ids) {
  return std::make_shared<const std::vector<WordEdges>>(static_cast<size_t>(ids));
}

}  // namespace

ForeseenVocabulary foresee_vocabulary(const LoadedConfig& loaded, bool look_at_files) {
  const RunConfig& config = loaded.config;
  const TokenizerOptions& options = config.tokenizer;
  return loaded.places.locate("tokenizer", [&]() -> ForeseenVocabulary {
    std::shared_ptr<const Tokenizer> tokenizer;
    if (look_at_files || options.type == TokenizerType::byte) {
      tokenizer = find_tokenizer(options, config.text_for_tokenizer(), config.data.cache_dir);
    }
    const bool must_be_trained = tokenizer == nullptr && options.model.empty();
    if (auto planned = must_be_trained ? planned_vocabulary(options) : std::nullopt) {
      planned->edges = unknown_edges(planned->size);
      return {
          *planned, nullptr, "the tokenizer is not trained yet: its size is taken from tokenizer.vocab_size"};
    }
    if (tokenizer == nullptr && look_at_files) {
      tokenizer = make_tokenizer(options, config.text_for_tokenizer(), "");
    }
    if (tokenizer != nullptr) {
      return {vocabulary_of(*tokenizer), tokenizer, ""};
    }
    const TokenizerOptions guess{.vocab_size = 8000 + options.sentinels, .sentinels = options.sentinels};
    Vocabulary guessed = planned_vocabulary(guess).value();
    guessed.edges = unknown_edges(guessed.size);
    if (options.type == TokenizerType::words) {
      constexpr int32_t kGuessedWords = 8000;
      guessed.counts = std::make_shared<const std::vector<int64_t>>(kGuessedWords, 1);
      const auto words = std::make_shared<WordIndex>();
      for (int32_t i = 0; i < kGuessedWords; ++i) {
        words->add(std::to_string(i));
      }
      guessed.words = words;
    }
    return {guessed, nullptr, "the vocabulary is unknown without data and taken as 8,000"};
  });
}

}  // namespace lmzoo
