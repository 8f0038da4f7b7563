#include "tokenizer/tokenizer.h"

#include <charconv>
#include <filesystem>
#include <iostream>
#include <iterator>

#include "base/check.h"
#include "base/utf8.h"
#include "cli/config_flags.h"
#include "cli/tokenizer_show.h"
#include "tokenizer/compare.h"
#include "train/loop/stop_signal.h"
#include "train/run/assemble.h"
#include "train/run/run_folder.h"

namespace lmzoo {
namespace {

// FROM is a configuration, a run, or a folder that a tokenizer was saved in.
std::shared_ptr<const Tokenizer> tokenizer_of(const Flags& flags) {
  const std::string from = flags.text("CONFIG");
  if (std::filesystem::is_directory(from)) {
    return load_tokenizer(is_run(from) ? tokenizer_folder(from) : from);
  }
  return make_run_tokenizer(read_config(flags, make_registry()), ProgressBar::Style::automatic);
}

std::string given_text(const Flags& flags) {
  return flags.has("text")
             ? flags.text("text")
             : std::string(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
}

std::vector<int64_t> given_ids(const std::string& text) {
  std::vector<int64_t> ids;
  const auto is_separator = [](char c) {
    return c == ' ' || c == ',' || c == '\n' || c == '\t' || c == '[' || c == ']';
  };
  for (size_t begin = 0; begin < text.size();) {
    size_t end = begin;
    while (end < text.size() && !is_separator(text[end])) {
      ++end;
    }
    if (end > begin) {
      const std::string word = text.substr(begin, end - begin);
      int64_t id = 0;
      const auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), id);
      check(error == std::errc{} && stop == word.data() + word.size(),
            "tokenizer decode: '{}' is no id; ids are whole numbers, separated by spaces or commas",
            printable(word));
      ids.push_back(id);
    }
    begin = end + 1;
  }
  return ids;
}

void encode(const Flags& flags, const Tokenizer& tokenizer) {
  std::string text = given_text(flags);
  while (!flags.has("text") && !text.empty() && text.back() == '\n') {
    text.pop_back();
  }
  const auto ids = flags.has("marked") ? tokenizer.encode_marked(text) : tokenizer.encode(text);
  Json pieces = Json::array();
  std::string line;
  for (const ShownToken& token : show(tokenizer, ids)) {
    pieces.push_back(token.piece);
    line += (line.empty() ? "" : " ") + std::to_string(token.id);
  }
  flags.has("json") ? print(Json{{"ids", ids}, {"pieces", pieces}}) : print(line + "\n");
}

void train_one(const Flags& flags, const Tokenizer& tokenizer) {
  if (flags.has("out")) {
    tokenizer.save(flags.text("out"));
  }
  const Json result{{"vocabulary", tokenizer.vocabulary().size},
                    {"sentinels", tokenizer.vocabulary().sentinels.size()},
                    {"fingerprint", tokenizer.fingerprint()}};
  flags.has("json") ? print(result) : print(fmt::format("vocabulary {}\n", tokenizer.vocabulary().size));
}

}  // namespace

int run_tokenizer(const Command& self, const Strings& arguments) {
  Flags flags(self);
  flags.positional("ACTION",
                   "train (a configuration's, into its cache), encode, decode, or compare segmentations");
  flags.positional("CONFIG",
                   "a run's YAML, a run folder, a folder with a saved or a published tokenizer; compare: or "
                   "a .txt file to "
                   "train small ones on");
  flags.repeated("set", "KEY=VALUE", "override a key of the YAML");
  flags.value("text", "TEXT", "what to encode, or ids to decode; default: standard input");
  flags.value("out", "DIR", "train: save it there, too");
  flags.toggle("marked", "encode: names of special tokens such as [MASK] mean the token");
  flags.value("jsonl", "FILE", "encode: a JSON object for each of its lines {\"text\": ...}");
  flags.toggle("offsets", "encode --jsonl: the bytes that each id stands for, too");
  flags.toggle("framed", "encode --jsonl: the ids between their special tokens, too");
  flags.toggle("decoded", "encode --jsonl: the ids as text again, too");
  flags.value("vocab-size", "N", "compare with a .txt file: ids of each tokenizer; default 2000");
  flags.toggle("json", "print JSON");
  if (!flags.parse(arguments)) {
    return 0;
  }
  static const Strings actions{"train", "encode", "decode", "compare"};
  const std::string action = flags.text("ACTION");
  check(std::find(actions.begin(), actions.end(), action) != actions.end(),
        "lmzoo tokenizer: no action '{}'; legal: {}{}",
        printable(action),
        joined(actions),
        suggestion(action, actions));
  const StopSignal signals;
  if (action == "compare" && flags.text("CONFIG").ends_with(".txt")) {
    const int64_t size = flags.integer("vocab-size", 2000, between(300, 100'000));
    show_segmentations(flags, given_text(flags), train_to_compare(flags.text("CONFIG"), size));
    return 0;
  }
  const auto tokenizer = tokenizer_of(flags);
  if (action == "compare") {
    show_segmentations(flags, given_text(flags), {tokenizer});
  } else if (action == "encode" && flags.has("jsonl")) {
    encode_lines(flags, *tokenizer);
  } else if (action == "train") {
    train_one(flags, *tokenizer);
  } else if (action == "encode") {
    encode(flags, *tokenizer);
  } else {
    const std::string text = tokenizer->decode(given_ids(given_text(flags)), Specials::show);
    flags.has("json") ? print(Json{{"text", text}}) : print(text + "\n");
  }
  return 0;
}

}  // namespace lmzoo
