// Whole words of every kind of tokenizer.
#include "tokenizer/word_edges.h"

#include "support/catch.h"
#include "support/files.h"
#include "tokenizer/vocabulary_of.h"

using namespace lmzoo;
using lmzoo::test::golden;
using lmzoo::test::TempDir;
using lmzoo::test::write_file;

namespace {

using Texts = std::vector<std::string>;

// The words of a text as its ids have them, decoded.
Texts split_by_edges(const Tokenizer& tokenizer, const std::string& text) {
  const auto edges = vocabulary_of(tokenizer).edges;
  const std::vector<int64_t> ids = tokenizer.encode(text);
  Texts words;
  std::vector<int64_t> word;
  for (size_t i = 0; i < ids.size(); ++i) {
    const bool is_new = i == 0 || edges->at(ids[i]).begins || edges->at(ids[i - 1]).ends;
    if (is_new && i > 0) {
      words.push_back(tokenizer.decode(word));
      word.clear();
    }
    word.push_back(ids[i]);
  }
  words.push_back(tokenizer.decode(word));
  for (std::string& each : words) {  // a mark that begins a word may decode to a space
    each.erase(0, each.find_first_not_of(' '));
  }
  return words;
}

std::shared_ptr<const Tokenizer> trained_on_owls(TokenizerOptions options) {
  TempDir dir;
  std::string corpus;
  for (int i = 0; i < 60; ++i) {
    corpus += "the snowy owls, unseen and seen, fly over snow " + std::to_string(i) + "\n";
  }
  write_file(dir / "corpus.txt", corpus);
  options.sentinels = 2;
  return make_tokenizer(options, {.files = {dir / "corpus.txt"}}, "");
}

}  // namespace

TEST_CASE("words are told apart by spaces, in pieces, bytes and characters") {
  const Texts attached{"the", "snowy", "owls,", "unseen"};
  const std::string text = "the snowy owls, unseen";
  CHECK(split_by_edges(*trained_on_owls({.vocab_size = 296}), text) == attached);
  CHECK(split_by_edges(*trained_on_owls({.algorithm = PieceAlgorithm::bpe, .vocab_size = 320}), text) ==
        attached);
  CHECK(split_by_edges(*trained_on_owls({.type = TokenizerType::byte}), text) == attached);
  CHECK(split_by_edges(*trained_on_owls({.type = TokenizerType::character}), text) == attached);
  CHECK(split_by_edges(*trained_on_owls({.type = TokenizerType::byte_bpe, .vocab_size = 290}), text) ==
        attached);
  CHECK(split_by_edges(*trained_on_owls({.type = TokenizerType::unigram, .vocab_size = 296}), text) ==
        attached);
}

TEST_CASE("WordPiece's words are those that ## continues, and of type words every id is one") {
  const std::string text = "the snowy owls, unseen";
  const Texts split{"the", "snowy", "owls", ",", "unseen"};
  CHECK(split_by_edges(*trained_on_owls({.type = TokenizerType::word_piece, .vocab_size = 60}), text) ==
        split);
  const auto words = trained_on_owls({.type = TokenizerType::words, .min_count = 1});
  const auto edges = vocabulary_of(*words).edges;
  for (const WordEdges& edge : *edges) {
    CHECK((edge == WordEdges{.begins = true, .ends = true}));
  }
}

TEST_CASE("published tokenizers mark words in their own ways") {
  const auto words_of_folder = [](const std::string& folder) {
    return split_by_edges(*load_tokenizer(golden("tokenizer_folders/" + folder)), "newest lower newest");
  };
  const Texts three{"newest", "lower", "newest"};
  for (const char* folder : {"bert_files", "gpt2_files", "gpt1_files", "llama_files", "t5_files"}) {
    INFO(folder);
    CHECK(words_of_folder(folder) == three);
  }
}

TEST_CASE("special tokens are words of their own") {
  const auto tokenizer = trained_on_owls({.type = TokenizerType::word_piece, .vocab_size = 60});
  const Vocabulary vocabulary = vocabulary_of(*tokenizer);
  for (const auto& special : {vocabulary.cls, vocabulary.sep, vocabulary.mask, vocabulary.eos}) {
    CHECK((vocabulary.edges->at(special.value()) == WordEdges{.begins = true, .ends = true}));
  }
  CHECK(std::ssize(*vocabulary.edges) == vocabulary.size);
}
