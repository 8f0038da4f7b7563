// `lmzoo similarity`: cosines of pairs of words, and how well they agree with people's scores.
#include "infer/vectors/similarity.h"

#include <cmath>
#include <sstream>

#include "base/check.h"
#include "base/utf8.h"
#include "cli/vector_flags.h"

namespace lmzoo {
namespace {

Json number_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(); }

void evaluate_pairs(const Flags& flags, const VectorTable& table, const SimilarityOptions& options) {
  Json all = Json::array();
  std::string text;
  for (const std::string& file : flags.all("PAIRS")) {
    const std::vector<WordPair> pairs = read_word_pairs(file);
    const SimilarityResult result = evaluate_similarity(table, pairs, options);
    const double coverage = static_cast<double>(result.known) / static_cast<double>(pairs.size());
    all.push_back({{"file", file},
                   {"pairs", pairs.size()},
                   {"known", result.known},
                   {"coverage", coverage},
                   {"spearman", number_or_null(result.spearman)},
                   {"pearson", number_or_null(result.pearson)}});
    text += fmt::format("{}: Spearman {}, Pearson {}, {} of {} pairs known\n",
                        file,
                        three_digits(result.spearman),
                        three_digits(result.pearson),
                        result.known,
                        pairs.size());
  }
  flags.has("json") ? print(all.size() == 1 ? all[0] : all) : print(text);
}

void compare(const Flags& flags, const VectorTable& table, const SimilarityOptions& options) {
  Json all = Json::array();
  for (const std::string& prompt : without_blanks(prompts_of(flags))) {
    std::istringstream in(prompt);
    std::string first, second, more;
    check((in >> first >> second) && !(in >> more), "expected two words, got '{}'", printable(prompt));
    const Tensor a = find_vector(table, first, options), b = find_vector(table, second, options);
    check(a.defined() && b.defined(), "'{}' has no vector", printable(a.defined() ? second : first));
    const double found = cosine(a, b);
    all.push_back({{"words", {first, second}}, {"cosine", found}});
    if (!flags.has("json")) {
      print(three_digits(found) + "  " + first + "  " + second + "\n");
    }
  }
  if (flags.has("json")) {
    print_answers(flags, all);
  }
}

}  // namespace

int run_similarity(const Command& self, const Strings& arguments) {
  Flags flags(self);
  add_vector_flags(flags);
  flags.positional(
      "[PAIRS...]",
      "files of word pairs with scores (wordsim353, SimLex-999, ...); default: two words a line of --text, "
      "--file or standard input");
  add_prompt_flags(flags);
  add_lookup_flags(flags);
  if (!flags.parse(arguments)) {
    return 0;
  }
  const Registry registry = make_registry();
  const VectorTable table = load_query_table(flags, registry);
  const SimilarityOptions options{.fold_case = !flags.has("exact-case"), .candidates = candidates_of(flags)};
  flags.all("PAIRS").empty() ? compare(flags, table, options) : evaluate_pairs(flags, table, options);
  return 0;
}

}  // namespace lmzoo
