#include "tokenizer/published/train/train.h"

#include <algorithm>
#include <unordered_map>

#include "base/check.h"
#include "base/utf8.h"
#include "tokenizer/published/pieces/scores.h"
#include "tokenizer/published/read/legacy.h"
#include "tokenizer/published/read/rebuild.h"
#include "tokenizer/published/stages/byte_level.h"
#include "tokenizer/published/tokenizer.h"
#include "tokenizer/sentencepiece/train.h"
#include "tokenizer/special_tokens.h"

namespace lmzoo {
namespace huggingface {
namespace {

// The parts of the pipeline that do not depend on the text; the model is added by training.
Json skeleton(const TokenizerOptions& options) {
  Json json{{"version", "1.0"}, {"added_tokens", Json::array()}};
  if (options.type == TokenizerType::word_piece) {
    json["normalizer"] = Json{{"type", "BertNormalizer"},
                              {"clean_text", true},
                              {"handle_chinese_chars", true},
                              {"strip_accents", options.lower},
                              {"lowercase", options.lower}};
    json["pre_tokenizer"] = Json::object({{"type", "BertPreTokenizer"}});
    json["decoder"] = Json{{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", false}};
  } else {
    json["normalizer"] = nullptr;
    json["pre_tokenizer"] =
        Json{{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}};
    json["decoder"] =
        Json{{"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", true}, {"use_regex", true}};
  }
  return json;
}

// [CLS] a [SEP] b [SEP], as everywhere where these tokens exist.
Json frame() {
  const SpecialTokens specials = standard_specials(0, 0);
  return template_of({"[CLS]", "$A", "[SEP]"},
                     {"[CLS]", "$A", "[SEP]", "$B:1", "[SEP]:1"},
                     {{"[CLS]", *specials.vocabulary.cls}, {"[SEP]", *specials.vocabulary.sep}});
}

std::vector<CountedWord> count_words(const Json& described,
                                     const TokenizerOptions& options,
                                     const TextOptions& corpus,
                                     const Progress& progress) {
  const JsonPart part(described, "the trained tokenizer");
  const auto normalizer = part.find("normalizer");
  const NormalizerPtr normalize = normalizer ? read_normalizer(*normalizer) : nullptr;
  const PreTokenization cut = read_pre_tokenizer(part.at("pre_tokenizer"));
  std::unordered_map<std::string, int64_t> counts;
  for (const std::string& text : sample_sentences(options, corpus, progress)) {
    for (std::string& word : words_of(normalize.get(), cut, text)) {
      ++counts[std::move(word)];
    }
  }
  std::vector<CountedWord> words;
  words.reserve(counts.size());
  for (const auto& [text, count] : counts) {
    words.push_back({text, count});
  }
  std::sort(words.begin(), words.end(), [](const CountedWord& a, const CountedWord& b) {
    return a.count != b.count ? a.count > b.count : a.text < b.text;
  });
  return words;
}

// Special tokens first, then the pieces, then the sentinels, as added tokens and as a vocabulary.
Json number_pieces(Json& json, const std::vector<std::string>& pieces, int64_t sentinels) {
  const SpecialTokens specials = standard_specials(std::ssize(pieces), sentinels);
  Json vocabulary = Json::object();
  Json::object_t::Container& entries = vocabulary.get_ref<Json::object_t&>();
  for (int64_t id = 0; id < specials.vocabulary.size; ++id) {
    const auto special = specials.names.find(id);
    if (special != specials.names.end()) {
      json["added_tokens"].push_back(added_token(id, special->second, true));
      entries.emplace_back(special->second, id);
    } else {
      entries.emplace_back(pieces[static_cast<size_t>(id) - special_kinds().size()], id);
    }
  }
  return vocabulary;
}

Json train_merging(const TokenizerOptions& options, const TextOptions& corpus, const Progress& progress) {
  const bool is_word_piece = options.type == TokenizerType::word_piece;
  Json json = skeleton(options);
  const std::vector<CountedWord> words = count_words(json, options, corpus, progress);
  MergeTraining training{.prefix = is_word_piece ? "##" : ""};
  for (int byte = 0; byte < 256 && !is_word_piece; ++byte) {
    append_utf8(training.alphabet.emplace_back(), byte_character(static_cast<unsigned char>(byte)));
  }
  const int64_t size = options.vocab_size.value_or(kDefaultVocabSize);
  const int64_t others = std::ssize(special_kinds()) + options.sentinels;
  const int64_t least = others + std::max<int64_t>(std::ssize(training.alphabet), 1);
  check(size >= least,
        "tokenizer.vocab_size is {}; legal is {} or more: {} special tokens and sentinels{}",
        size,
        least,
        others,
        is_word_piece ? ", and pieces" : ", and 256 bytes");
  training.size = static_cast<size_t>(size - others);
  const Merges trained = train_merges(words, training, progress);
  check(!options.vocab_size || trained.pieces.size() == training.size,
        "tokenizer.vocab_size is {}, more than this corpus has pieces for: legal is {} to {}",
        size,
        least,
        others + std::ssize(trained.pieces));
  Json vocabulary = number_pieces(json, trained.pieces, options.sentinels);
  json["post_processor"] = frame();
  if (is_word_piece) {
    json["model"] = Json{{"type", "WordPiece"},
                         {"unk_token", "<unk>"},
                         {"continuing_subword_prefix", "##"},
                         {"max_input_chars_per_word", 100},
                         {"vocab", std::move(vocabulary)}};
    return json;
  }
  Json merges = Json::array();
  for (const auto& [left, right] : trained.merges) {
    merges.push_back(Json::array({left, right}));
  }
  json["model"] = Json{{"type", "BPE"},
                       {"dropout", nullptr},
                       {"unk_token", nullptr},
                       {"continuing_subword_prefix", nullptr},
                       {"end_of_word_suffix", nullptr},
                       {"fuse_unk", false},
                       {"byte_fallback", false},
                       {"ignore_merges", false},
                       {"vocab", std::move(vocabulary)},
                       {"merges", std::move(merges)}};
  return json;
}

Json train_unigram(const TokenizerOptions& options, const TextOptions& corpus, const Progress& progress) {
  TokenizerOptions plain = options;
  plain.type = TokenizerType::sentencepiece;
  plain.algorithm = PieceAlgorithm::unigram;
  FolderHints hints("the trained tokenizer");
  hints.config = Json::object({{"extra_ids", options.sentinels}});
  Json json = from_sentencepiece(train_sentencepiece(plain, corpus, progress), hints.folder, hints).tokenizer;
  shorten_scores(json);
  json["post_processor"] = frame();
  return json;
}

}  // namespace
}  // namespace huggingface

std::shared_ptr<const Tokenizer> train_pipeline(const TokenizerOptions& options,
                                                const TextOptions& corpus,
                                                const Progress& progress) {
  const Json json = options.type == TokenizerType::unigram
                        ? huggingface::train_unigram(options, corpus, progress)
                        : huggingface::train_merging(options, corpus, progress);
  return huggingface::make_pipeline_tokenizer(
      json, {}, {.bytes = json.dump(1) + "\n", .file = "the trained tokenizer"});
}

}  // namespace lmzoo
