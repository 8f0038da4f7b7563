// Small files of words and lines. The first byte tells which: 'w' a tokenizer of words, its header, words.tsv and
// phrases.tsv with NULs between; 'a' analogy questions; 'p' pairs of words with scores; 'l' prompts, by file and by
// standard input; all else ids as they are written to be decoded.
#include <cstdlib>
#include <sstream>

#include "fuzz/folder.h"
#include "fuzz/target.h"
#include "infer/decode/prompts.h"
#include "infer/vectors/word_tests.h"
#include "io/json.h"
#include "tokenizer/encode_lines.h"
#include "tokenizer/words/words.h"

namespace lmzoo::fuzz {
namespace {

void touch_texts(const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    touch(text.data(), text.size());
  }
}

void read_words(std::string_view rest, const Folder& folder) {
  const auto next = [&] {
    const std::string_view part = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    return part;
  };
  Json header = parse_json(next(), "header");
  if (!header.is_object()) {
    return;
  }
  header["sentinels"] = 2;  // checked by whoever reads the header
  folder.hold(kWordsFile, next());
  folder.hold(kPhrasesFile, rest);
  const auto tokenizer = load_words_tokenizer(folder.path(), header);
  const std::string text = "The old owl, new york a_b \xC3\xA9\xE3\x80\x80x";
  const std::vector<int64_t> ids = tokenizer->encode(text);
  touch_texts({tokenizer->decode(ids, Specials::show), tokenizer->fingerprint()});
  tokenizer->save(folder / "again");
  if (load_words_tokenizer(folder / "again", read_json(folder / "again/lmzoo_tokenizer.json"))
          ->encode(text) != ids) {
    std::abort();
  }
}

void read_prompts_both_ways(std::string_view bytes, const Folder& folder) {
  folder.hold("prompts", bytes);
  std::istringstream in{std::string(bytes)};
  touch_texts(without_blanks(read_prompts("", "", in)));
  touch_texts(read_prompts("", folder / "prompts", in));
}

}  // namespace

void read_input(const Input& input) {
  if (input.bytes.empty()) {
    return;
  }
  static const Folder folder;
  const std::string_view bytes = input.bytes.substr(1);
  if (input.bytes[0] == 'w') {
    read_words(bytes, folder);
  } else if (input.bytes[0] == 'a') {
    folder.hold("questions", bytes);
    const AnalogySet set = read_analogies(folder / "questions");
    touch_texts(set.sections);
    for (const AnalogyQuestion& question : set.questions) {
      touch_texts({question.words.begin(), question.words.end()});
      touch(set.sections.at(question.section).data(), 0);
    }
  } else if (input.bytes[0] == 'p') {
    folder.hold("pairs", bytes);
    for (const WordPair& pair : read_word_pairs(folder / "pairs")) {
      touch_texts({pair.first, pair.second});
    }
  } else if (input.bytes[0] == 'l') {
    read_prompts_both_ways(bytes, folder);
  } else {
    const std::vector<int64_t> ids = parse_ids(bytes);
    touch(ids.data(), ids.size() * sizeof(int64_t));
  }
}

}  // namespace lmzoo::fuzz
