#include "tokenizer/tokenizer.h"

#include <filesystem>
#include <iostream>
#include <iterator>

#include "base/check.h"
#include "base/utf8.h"
#include "cli/config_flags.h"
#include "tokenizer/compare.h"
#include "tokenizer/encode_lines.h"
#include "train/loop/stop_signal.h"
#include "train/run/assemble.h"
#include "train/saved/run_files.h"

namespace lmzoo {
namespace {

// FROM is a configuration, a run, or a folder that a tokenizer was saved in.
std::shared_ptr<const Tokenizer> tokenizer_of(const Flags& flags) {
  const std::string from = flags.text("CONFIG");
  if (std::filesystem::is_directory(from)) {
    return load_tokenizer(is_run(from) ? tokenizer_folder(run_of(from)) : from);
  }
  return make_run_tokenizer(read_config(flags, make_registry()), ProgressBar::Style::automatic);
}

std::string given_text(const Flags& flags) {
  return flags.has("text")
             ? flags.text("text")
             : std::string(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
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

void encode_file(const Flags& flags, const Tokenizer& tokenizer) {
  const EncodeLinesOptions options{.marked = flags.has("marked"),
                                   .offsets = flags.has("offsets"),
                                   .framed = flags.has("framed"),
                                   .decoded = flags.has("decoded")};
  encode_lines(flags.text("jsonl"), tokenizer, options, [](const Json& line) { print_line(line); });
}

void show_comparison(const Flags& flags, const std::vector<std::shared_ptr<const Tokenizer>>& tokenizers) {
  const std::vector<WordComparison> words = compare_segmentations(given_text(flags), tokenizers);
  flags.has("json") ? print(to_json(words)) : print(to_text(words));
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
    show_comparison(flags, train_to_compare(flags.text("CONFIG"), size));
    return 0;
  }
  const auto tokenizer = tokenizer_of(flags);
  if (action == "compare") {
    show_comparison(flags, {tokenizer});
  } else if (action == "encode" && flags.has("jsonl")) {
    encode_file(flags, *tokenizer);
  } else if (action == "train") {
    train_one(flags, *tokenizer);
  } else if (action == "encode") {
    encode(flags, *tokenizer);
  } else {
    const std::string text = tokenizer->decode(parse_ids(given_text(flags)), Specials::show);
    flags.has("json") ? print(Json{{"text", text}}) : print_exactly(text + "\n");
  }
  return 0;
}

}  // namespace lmzoo
