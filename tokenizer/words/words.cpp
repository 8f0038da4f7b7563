#include "tokenizer/words/words.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <thread>
#include <utility>

#include "base/check.h"
#include "base/utf8.h"
#include "io/files.h"
#include "tokenizer/saved_format.h"
#include "tokenizer/special_tokens.h"

namespace lmzoo {
namespace {

constexpr size_t kMaxFileBytes = size_t{4} << 30;

// Words first, so that the rows of a table of vectors are ids; then the special tokens as everywhere. Moves
// the words out of the table.
SpecialTokens specials_after(WordTable& table) {
  SpecialTokens tokens;
  tokens.vocabulary.words = std::make_shared<const WordIndex>(std::move(table.words.words));
  int64_t next = tokens.vocabulary.words->size();
  for (const SpecialKind& kind : special_kinds()) {
    add_special(tokens, kind, next++, kind.name);
  }
  add_sentinels(tokens, next, table.sentinels);
  tokens.vocabulary.size = next + table.sentinels;
  tokens.vocabulary.counts = std::make_shared<const std::vector<int64_t>>(std::move(table.words.counts));
  return tokens;
}

class WordsTokenizer final : public Tokenizer {
 public:
  explicit WordsTokenizer(WordTable table)
      : Tokenizer(specials_after(table)),
        rules_(table.rules),
        phrases_(std::move(table.phrases)),
        sentinels_(table.sentinels),
        missed_(table.words.missed) {}

 protected:
  std::map<std::string, std::string> files() const override {
    Json header = saved_header("words", sentinels_);
    header["lower"] = rules_.lower;
    header["punctuation"] = name_of(rules_.punctuation);
    if (missed_ > 0) {
      header["missed"] = missed_;
    }
    std::string rows;
    for (int64_t i = 0; i < words().size(); ++i) {
      rows += fmt::format("{}\t{}\n", words().word(i), (*vocabulary().counts)[static_cast<size_t>(i)]);
    }
    std::map<std::string, std::string> files{{kTokenizerFile, header.dump(1) + "\n"}, {kWordsFile, rows}};
    if (!phrases_.empty()) {
      files.emplace(kPhrasesFile, phrases_.text());
    }
    return files;
  }

  std::vector<int64_t> encode_text(std::string_view text) const override {
    std::vector<int64_t> ids;
    const auto add = [&](std::string_view word) {
      const int32_t number = words().find(word);
      ids.push_back(number >= 0 ? number : *vocabulary().unk);
    };
    if (phrases_.empty()) {
      WordSplitter splitter(rules_, text);
      for (std::string_view word; splitter.next(word);) {
        add(word);
      }
    } else {
      WordReader reader(rules_, phrases_);
      for (const std::string_view word : reader.words(text)) {
        add(word);
      }
    }
    return ids;
  }

  std::string decode_text(std::span<const int64_t> ids) const override {
    std::string text;
    for (const int64_t id : ids) {
      text += text.empty() ? "" : " ";
      text += id < words().size() ? words().word(id) : "<unk>";
    }
    return text;
  }

  bool trims_spaces() const override { return true; }
  std::string text_piece(int64_t id) const override { return std::string(words().word(id)); }
  std::optional<int64_t> text_id(std::string_view piece) const override {
    const int32_t number = words().find(piece);
    return number >= 0 ? std::optional<int64_t>(number) : std::nullopt;
  }

 private:
  const WordIndex& words() const { return *vocabulary().words; }

  WordRules rules_;
  Phrases phrases_;
  int64_t sentinels_;
  int64_t missed_;
};

[[noreturn]] void refuse_words(const std::string& path, int64_t line, const std::string& what) {
  throw InputError(Location{path, line}, what);
}

// words.tsv. A word may hold anything but a tab and a line end, for a corpus may have odd spaces in words;
// those of other sources too.
WordCounts parse_words(std::string_view text, const std::string& path) {
  WordCounts words;
  for (int64_t line = 1; !text.empty(); ++line) {
    const size_t end = text.find('\n');
    const std::string_view row = text.substr(0, end);
    const size_t tab = row.find('\t');
    if (end == std::string_view::npos || tab == std::string_view::npos || tab == 0) {
      refuse_words(path, line, "is not `word TAB count`");
    }
    int64_t count = -1;
    const char* stop = row.data() + row.size();
    const auto [at, error] = std::from_chars(row.data() + tab + 1, stop, count);
    if (error != std::errc() || at != stop || count < 0) {
      refuse_words(
          path, line, fmt::format("the count `{}` is no whole number", printable(row.substr(tab + 1))));
    }
    const std::string_view word = row.substr(0, tab);
    if (!is_utf8(word) || word.size() > kMaxWordBytes) {
      refuse_words(path, line, fmt::format("the word is no UTF-8, or over {} bytes", kMaxWordBytes));
    }
    if (words.words.add(word) != std::ssize(words.counts)) {
      refuse_words(path, line, fmt::format("the word `{}` is listed twice", printable(word)));
    }
    words.counts.push_back(count);
    text.remove_prefix(end + 1);
  }
  check(!words.counts.empty(), "{}: has no words", path);
  return words;
}

}  // namespace

std::shared_ptr<const Tokenizer> make_words_tokenizer(WordTable table) {
  return std::make_shared<WordsTokenizer>(std::move(table));
}

std::shared_ptr<const Tokenizer> train_words_tokenizer(const TokenizerOptions& options,
                                                       const TextOptions& corpus,
                                                       const Progress& progress) {
  const CountRequest request{.text = corpus,
                             .rules = {.lower = options.lower, .punctuation = options.punctuation},
                             .threads = static_cast<int>(std::max(std::thread::hardware_concurrency(), 1U))};
  WordTable table{.words = {}, .rules = request.rules, .phrases = {}, .sentinels = options.sentinels};
  if (options.phrases) {
    table.phrases = learn_phrases(request, *options.phrases, progress);
  }
  table.words =
      select_words(count_words(request, table.phrases, progress), options.min_count, options.max_words);
  return make_words_tokenizer(std::move(table));
}

std::shared_ptr<const Tokenizer> load_words_tokenizer(const std::string& folder, const Json& header) {
  const std::string file = folder + "/" + kTokenizerFile;
  const Json lower = header.value("lower", Json());
  check(lower.is_boolean(), "{}: lower must be true or false", file);
  const Json punctuation = header.value("punctuation", Json());
  WordTable table{.words = {}, .rules = {}, .phrases = {}, .sentinels = header["sentinels"].get<int64_t>()};
  table.rules.lower = lower.get<bool>();
  bool known = false;
  for (const auto& [value, name] : EnumNames<Punctuation>::values) {
    if (punctuation == std::string(name)) {
      table.rules.punctuation = value;
      known = true;
    }
  }
  check(known, "{}: punctuation must be keep, split or drop", file);
  const std::string words = folder + "/" + kWordsFile;
  table.words = parse_words(read_text_file(words, kMaxFileBytes), words);
  const Json missed = header.value("missed", Json(uint64_t{0}));
  check(missed.is_number_unsigned(), "{}: missed must be a whole number", file);
  table.words.missed = missed.get<int64_t>();
  const std::string phrases = folder + "/" + kPhrasesFile;
  if (std::filesystem::exists(phrases)) {
    table.phrases = Phrases::parse(read_text_file(phrases, kMaxFileBytes), phrases);
  }
  return make_words_tokenizer(std::move(table));
}

}  // namespace lmzoo
