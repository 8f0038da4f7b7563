// `lmzoo analogy`: a is to b as c is to what?
#include "infer/vectors/analogy.h"

#include <sstream>

#include "base/check.h"
#include "base/utf8.h"
#include "cli/vector_flags.h"
#include "train/loop/stop_signal.h"

namespace lmzoo {
namespace {

AnalogyOptions analogy_options(const Flags& flags) {
  AnalogyOptions options{.candidates = candidates_of(flags), .fold_case = !flags.has("exact-case")};
  options.method = choice_of(flags, "method", options.method);
  options.epsilon = flags.real("epsilon", options.epsilon, more_than(0));
  return options;
}

double share(int64_t part, int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

Json analogy_json(const AnalogyScore& score) {
  return {{"section", score.section},
          {"questions", score.questions},
          {"known", score.known},
          {"coverage", share(score.known, score.questions)},
          {"correct", score.correct},
          {"accuracy", share(score.correct, score.known)}};
}

std::string analogy_text(const AnalogyScore& score) {
  return padded(score.section, 32) + padded(fmt::format("{} of {}", score.correct, score.known), 18) +
         padded(three_digits(100 * share(score.correct, score.known)) + " %", 12) + "known " +
         three_digits(100 * share(score.known, score.questions)) + " %\n";
}

void evaluate_analogies(const Flags& flags, const VectorTable& table, const AnalogyOptions& options) {
  const AnalogySet set = read_analogies(flags.text("QUESTIONS"));
  const StopSignal signals;
  ProgressBar bar("analogies", "");
  const AnalogyResult result = evaluate_analogies(table, set, options, when_long(bar.callback()));
  bar.finish();
  std::vector<const AnalogyScore*> totals;
  if (result.syntactic.questions > 0) {
    totals = {&result.semantic, &result.syntactic};
  }
  totals.push_back(&result.total);
  Json json{{"method", name_of(options.method)}, {"words", table.size()}, {"candidates", options.candidates}};
  Json sections = Json::array();
  std::string text;
  for (const AnalogyScore& score : result.sections) {
    sections.push_back(analogy_json(score));
    text += analogy_text(score);
  }
  for (const AnalogyScore* score : totals) {
    json[score->section] = analogy_json(*score);
    text += analogy_text(*score);
  }
  json["sections"] = sections;
  flags.has("json") ? print(json) : print(text);
}

std::array<std::string, 3> three_words(const std::string& text) {
  std::istringstream in(text);
  std::array<std::string, 3> words;
  std::string more;
  check((in >> words[0] >> words[1] >> words[2]) && !(in >> more),
        "expected three words, as in \"man king woman\", got '{}'",
        printable(text));
  return words;
}

void answer(const Flags& flags, const VectorTable& table, const AnalogyOptions& options) {
  Json all = Json::array();
  for (const std::string& prompt : without_blanks(prompts_of(flags))) {
    const auto answers =
        solve_analogy(table, three_words(prompt), options, flags.integer("top", 5, between(1, 100'000)));
    Json list = Json::array();
    std::string text = prompt + "\n";
    for (const AnalogyAnswer& candidate : answers) {
      list.push_back({{"word", table.word(candidate.row)}, {"score", candidate.score}});
      text += "  " + three_digits(candidate.score) + "  " + table.word(candidate.row) + "\n";
    }
    all.push_back({{"prompt", prompt}, {"answers", list}});
    if (!flags.has("json")) {
      print(text + "\n");
    }
  }
  if (flags.has("json")) {
    print_answers(flags, all);
  }
}

}  // namespace

int run_analogy(const Command& self, const Strings& arguments) {
  Flags flags(self);
  add_vector_flags(flags);
  flags.positional("[QUESTIONS]",
                   "a file as questions-words.txt; default: three words of --text, --file or standard input");
  add_prompt_flags(flags);
  flags.value("method", "NAME", "add (3CosAdd) or mul (3CosMul); default add");
  flags.value("epsilon", "X", "of mul; default 0.001");
  flags.value("top", "N", "so many answers to three words; default 5");
  add_lookup_flags(flags);
  if (!flags.parse(arguments)) {
    return 0;
  }
  const Registry registry = make_registry();
  const AnalogyOptions options = analogy_options(flags);
  const VectorTable table = load_query_table(flags, registry);
  flags.text("QUESTIONS").empty() ? answer(flags, table, options) : evaluate_analogies(flags, table, options);
  return 0;
}

}  // namespace lmzoo
