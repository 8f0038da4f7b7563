// make_tokenizer() and load_tokenizer(): which kind, from where, and the cache.
#include <filesystem>

#include "base/check.h"
#include "base/strings.h"
#include "base/utf8.h"
#include "base/vocabulary.h"
#include "io/files.h"
#include "io/manifest.h"
#include "tokenizer/ids_only.h"
#include "tokenizer/published/published.h"
#include "tokenizer/published/train/train.h"
#include "tokenizer/saved_format.h"
#include "tokenizer/sentencepiece/sentencepiece.h"
#include "tokenizer/sentencepiece/train.h"
#include "tokenizer/simple_tokenizers.h"
#include "tokenizer/special_tokens.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/words/words.h"

namespace lmzoo {
namespace {

using TokenizerPtr = std::shared_ptr<const Tokenizer>;

constexpr size_t kMaxModelBytes = size_t{256} << 20;

// An option that has no effect is a misunderstanding; `used` holds the values of those that have one.
void refuse_unused(const TokenizerOptions& given, const TokenizerOptions& used, std::string_view what) {
  check(given == used,
        "tokenizer: {}{} has no effect there: leave it out",
        what,
        given.path != used.path                               ? "path"
        : given.algorithm != used.algorithm                   ? "algorithm"
        : given.model != used.model                           ? "model"
        : given.vocab_size != used.vocab_size                 ? "vocab_size"
        : given.add_specials != used.add_specials             ? "add_specials"
        : given.byte_fallback != used.byte_fallback           ? "byte_fallback"
        : given.character_coverage != used.character_coverage ? "character_coverage"
        : given.normalization != used.normalization           ? "normalization"
        : given.keep_spaces != used.keep_spaces               ? "keep_spaces"
        : given.lower != used.lower                           ? "lower"
        : given.punctuation != used.punctuation               ? "punctuation"
        : given.min_count != used.min_count                   ? "min_count"
        : given.max_words != used.max_words                   ? "max_words"
        : given.phrases != used.phrases                       ? "phrases"
                                                              : "training_bytes");
}

bool is_pipeline(TokenizerType type) {
  return type == TokenizerType::word_piece || type == TokenizerType::byte_bpe ||
         type == TokenizerType::unigram;
}

TokenizerPtr load_pretrained(const TokenizerOptions& options) {
  check(!options.path.empty(),
        "tokenizer: type pretrained needs path, the folder of a published checkpoint or the tokenizer/ of a "
        "run");
  refuse_unused(options,
                {.type = options.type, .path = options.path, .vocab_size = options.vocab_size},
                "type pretrained needs nothing but path; ");
  const bool of_run = std::filesystem::exists(options.path + "/" + kTokenizerFile);
  TokenizerPtr tokenizer = of_run ? load_tokenizer(options.path) : load_huggingface_tokenizer(options.path);
  check(!options.vocab_size || *options.vocab_size == tokenizer->vocabulary().size,
        "tokenizer.vocab_size is {}, but {} has exactly {}",
        options.vocab_size.value_or(0),
        options.path,
        tokenizer->vocabulary().size);
  return tokenizer;
}

void check_size(const TokenizerOptions& options, const Tokenizer& tokenizer, std::string_view what) {
  const int64_t size = tokenizer.vocabulary().size;
  check(!options.vocab_size || *options.vocab_size == size,
        "tokenizer.vocab_size is {}, but {} with {} sentinels has exactly {}",
        options.vocab_size.value_or(0),
        what,
        options.sentinels,
        size);
}

TokenizerPtr make_byte(const TokenizerOptions& options) {
  refuse_unused(options,
                {.type = options.type, .vocab_size = options.vocab_size, .sentinels = options.sentinels},
                "type byte needs nothing but sentinels; ");
  TokenizerPtr tokenizer = make_byte_tokenizer(options.sentinels);
  check_size(options, *tokenizer, "type byte");
  return tokenizer;
}

TokenizerPtr load_model(const TokenizerOptions& options) {
  refuse_unused(options,
                {.model = options.model,
                 .vocab_size = options.vocab_size,
                 .sentinels = options.sentinels,
                 .add_specials = options.add_specials},
                "an existing model is not trained; ");
  const Overlay overlay{.sentinels = options.sentinels, .add_specials = options.add_specials};
  TokenizerPtr tokenizer =
      make_sentencepiece_tokenizer(read_text_file(options.model, kMaxModelBytes), overlay, options.model);
  check_size(options, *tokenizer, options.model);
  return tokenizer;
}

TokenizerPtr train_characters(const TokenizerOptions& options,
                              const TextOptions& corpus,
                              const Progress& progress) {
  CharacterCounter counter;
  for_each_record(
      corpus,
      [&](const TextRecord& record) {
        counter.add(record.text);
        return true;
      },
      progress);
  std::u32string characters = counter.ranked();
  if (options.vocab_size) {
    const auto others = static_cast<int64_t>(special_kinds().size()) + options.sentinels;
    const int64_t wanted = *options.vocab_size - others;
    const auto known = static_cast<int64_t>(characters.size());
    check(wanted >= 1 && wanted <= known,
          "tokenizer.vocab_size is {}; legal is {} to {}: {} special tokens and sentinels, and the {} "
          "characters of the corpus",
          *options.vocab_size,
          others + 1,
          others + known,
          others,
          known);
    characters.resize(static_cast<size_t>(wanted));
  }
  return make_character_tokenizer(characters, options.sentinels);
}

TokenizerPtr train(const TokenizerOptions& options, const TextOptions& corpus, const Progress& progress) {
  if (options.type == TokenizerType::character) {
    return train_characters(options, corpus, progress);
  }
  if (options.type == TokenizerType::words) {
    return train_words_tokenizer(options, corpus, progress);
  }
  if (is_pipeline(options.type)) {
    return train_pipeline(options, corpus, progress);
  }
  return make_sentencepiece_tokenizer(train_sentencepiece(options, corpus, progress),
                                      {.sentinels = options.sentinels},
                                      "the trained tokenizer");
}

std::string cache_key(const TokenizerOptions& options, const TextOptions& corpus) {
  ContentHash hash;
  hash.add(int64_t{1});  // version of what training makes of the same input
  hash.add(name_of(options.type)).add(name_of(options.algorithm)).add(name_of(options.normalization));
  hash.add(options.vocab_size.value_or(0)).add(options.sentinels).add(int64_t{options.byte_fallback});
  hash.add(fmt::format("{:g}", options.character_coverage))
      .add(int64_t{options.keep_spaces})
      .add(options.training_bytes);
  if (options.type == TokenizerType::word_piece) {
    hash.add(int64_t{options.lower});
  }
  if (options.type == TokenizerType::words) {
    const PhraseOptions phrases = options.phrases.value_or(PhraseOptions{.passes = 0});
    hash.add(int64_t{options.lower}).add(name_of(options.punctuation));
    hash.add(options.min_count).add(options.max_words);
    hash.add(phrases.passes).add(fmt::format("{:g}", phrases.threshold)).add(phrases.min_count);
  }
  add_to(hash, corpus);
  return hash.hex();
}

// Undamaged only; what is damaged is made again.
TokenizerPtr find_cached(const std::string& folder) {
  if (!std::filesystem::exists(folder)) {
    return nullptr;
  }
  try {
    verify_manifest(folder);
    return load_tokenizer(folder);
  } catch (const InputError&) {
    return nullptr;
  }
}

std::string cache_folder(const TokenizerOptions& options,
                         const TextOptions& corpus,
                         const std::string& cache_dir) {
  return cache_dir + "/tokenizer-" + cache_key(options, corpus);
}

// What it is trained on: files of its own, or the run's text.
TextOptions training_text(const TokenizerOptions& options, const TextOptions& corpus) {
  return options.files.empty() ? corpus : TextOptions{.files = options.files};
}

// What the types that are saved as tokenizer.json take.
void check_pipeline(const TokenizerOptions& options) {
  TokenizerOptions used{.type = options.type,
                        .files = options.files,
                        .vocab_size = options.vocab_size,
                        .sentinels = options.sentinels,
                        .training_bytes = options.training_bytes};
  if (options.type == TokenizerType::word_piece) {
    used.lower = options.lower;
    refuse_unused(options, used, "type wordpiece takes vocab_size, sentinels, training_bytes and lower; ");
  } else if (options.type == TokenizerType::byte_bpe) {
    refuse_unused(options, used, "type byte_bpe takes vocab_size, sentinels and training_bytes; ");
  } else {
    used.byte_fallback = options.byte_fallback;
    used.character_coverage = options.character_coverage;
    used.normalization = options.normalization;
    refuse_unused(
        options,
        used,
        "type unigram takes vocab_size, sentinels, training_bytes, byte_fallback, character_coverage and "
        "normalization; ");
  }
}

// What can be wrong with the options of a tokenizer that must be trained.
void check_trained(const TokenizerOptions& options) {
  if (options.type == TokenizerType::character) {
    refuse_unused(options,
                  {.type = options.type,
                   .files = options.files,
                   .vocab_size = options.vocab_size,
                   .sentinels = options.sentinels},
                  "type char takes vocab_size and sentinels; ");
  } else if (options.type == TokenizerType::words) {
    refuse_unused(options,
                  {.type = options.type,
                   .files = options.files,
                   .sentinels = options.sentinels,
                   .lower = options.lower,
                   .punctuation = options.punctuation,
                   .min_count = options.min_count,
                   .max_words = options.max_words,
                   .phrases = options.phrases},
                  "type words takes sentinels, lower, punctuation, min_count, max_words and phrases; ");
  } else if (is_pipeline(options.type)) {
    check_pipeline(options);
  } else if (options.type == TokenizerType::sentencepiece && options.model.empty()) {
    check(options.add_specials,
          "tokenizer.add_specials: false is for an existing model; a trained one has them all");
    const TokenizerOptions plain;
    TokenizerOptions used = options;
    used.lower = plain.lower;
    used.punctuation = plain.punctuation;
    used.min_count = plain.min_count;
    used.max_words = plain.max_words;
    used.phrases = plain.phrases;
    refuse_unused(options, used, "is for type words; ");
  }
}

// Keys and types of lmzoo_tokenizer.json.
class SavedReader {
 public:
  explicit SavedReader(const std::string& folder)
      : path_(folder + "/" + kTokenizerFile), json_(read_json(path_)) {
    check(json_.is_object() && json_.value("format", Json()) == "lmzoo-tokenizer",
          "{}: is not a tokenizer that lmzoo saved",
          path_);
    check(json_.value("version", Json()) == 1, "{}: version is not 1, the only one known here", path_);
  }

  const std::string& path() const { return path_; }
  const Json& json() const { return json_; }
  std::string text(const char* key) const {
    check(json_.contains(key) && json_[key].is_string(), "{}: {} must be a string", path_, key);
    return json_[key].get<std::string>();
  }
  bool boolean(const char* key) const {
    check(json_.contains(key) && json_[key].is_boolean(), "{}: {} must be true or false", path_, key);
    return json_[key].get<bool>();
  }
  int64_t sentinels() const {
    constexpr int64_t kMost = 10'000;
    const Json value = json_.value("sentinels", Json());
    check(value.is_number_integer() && value >= 0 && value <= kMost,
          "{}: sentinels must be 0 to {}",
          path_,
          kMost);
    return value.get<int64_t>();
  }

 private:
  std::string path_;
  Json json_;
};

}  // namespace

TokenizerPtr find_tokenizer(const TokenizerOptions& options,
                            const TextOptions& corpus,
                            const std::string& cache_dir) {
  check_trained(options);
  if (options.type == TokenizerType::byte) {
    return make_byte(options);
  }
  if (options.type == TokenizerType::pretrained) {
    return load_pretrained(options);
  }
  if (!options.model.empty()) {
    return load_model(options);
  }
  return cache_dir.empty() ? nullptr
                           : find_cached(cache_folder(options, training_text(options, corpus), cache_dir));
}

TokenizerPtr make_tokenizer(const TokenizerOptions& options,
                            const TextOptions& corpus,
                            const std::string& cache_dir,
                            const Progress& progress) {
  if (TokenizerPtr found = find_tokenizer(options, corpus, cache_dir)) {
    return found;
  }
  const TextOptions text = training_text(options, corpus);
  TokenizerPtr tokenizer = train(options, text, progress);
  if (!cache_dir.empty()) {
    make_folders(cache_dir);
    StagedFolder staged(cache_folder(options, text, cache_dir));
    tokenizer->save(staged.path());
    write_manifest(staged.path());
    staged.commit();
  }
  return tokenizer;
}

std::optional<Vocabulary> planned_vocabulary(const TokenizerOptions& options) {
  if (options.type == TokenizerType::pretrained) {
    return load_pretrained(options)->vocabulary();
  }
  check_trained(options);
  const bool counted = options.type == TokenizerType::character || options.type == TokenizerType::words;
  if (counted && !options.vocab_size) {
    return std::nullopt;
  }
  const int64_t size = options.vocab_size.value_or(kDefaultVocabSize);
  const int64_t others = std::ssize(special_kinds()) + options.sentinels;
  check(size > others,
        "tokenizer.vocab_size is {}, but must be more than {}: the special tokens and sentinels",
        size,
        others);
  Vocabulary planned = standard_specials(size - others, options.sentinels).vocabulary;
  if (is_pipeline(options.type)) {  // trained with the post-processor [CLS] a [SEP] b [SEP]
    planned.inputs = InputTemplate{
        .before = {*planned.cls}, .between = {*planned.sep}, .after = {*planned.sep}, .second_type = true};
  }
  return planned;
}

TokenizerPtr load_tokenizer(const std::string& folder) {
  if (!std::filesystem::exists(folder + "/" + kTokenizerFile) && has_huggingface_tokenizer(folder)) {
    return load_huggingface_tokenizer(folder);
  }
  const SavedReader saved(folder);
  const std::string type = saved.text("type");
  if (type == name_of(TokenizerType::byte)) {
    return make_byte_tokenizer(saved.sentinels());
  }
  if (type == name_of(TokenizerType::character)) {
    const std::string text = saved.text("characters");
    std::u32string characters;
    for (size_t at = 0; at < text.size();) {
      const CodePoint point = code_point_at(text, at);
      at += static_cast<size_t>(point.length);
      characters += point.value;
    }
    return make_character_tokenizer(characters, saved.sentinels());
  }
  if (type == name_of(TokenizerType::words)) {
    saved.sentinels();
    return load_words_tokenizer(folder, saved.json());
  }
  if (type == "ids") {
    return load_ids_only_tokenizer(saved.json(), saved.path());
  }
  check(type == name_of(TokenizerType::sentencepiece),
        "{}: type is `{}`; known are sentencepiece, byte, char, words",
        saved.path(),
        printable(type));
  const std::string model = folder + "/" + kPiecesFile;
  return make_sentencepiece_tokenizer(
      read_text_file(model, kMaxModelBytes),
      {.sentinels = saved.sentinels(), .add_specials = saved.boolean("add_specials")},
      model);
}

}  // namespace lmzoo
