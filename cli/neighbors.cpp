// `lmzoo neighbors`: the words nearest to a word, or to a sum of words.
#include "infer/vectors/neighbors.h"

#include "cli/vector_flags.h"
#include "train/loop/stop_signal.h"

namespace lmzoo {
namespace {

Json neighbors_json(const VectorTable& table,
                    const std::string& query,
                    const std::vector<Neighbor>& neighbors) {
  Json list = Json::array();
  for (const Neighbor& neighbor : neighbors) {
    list.push_back({{"word", table.word(neighbor.row)}, {"cosine", neighbor.cosine}});
  }
  return {{"query", query}, {"neighbors", list}};
}

std::string neighbors_text(const VectorTable& table,
                           const std::string& query,
                           const std::vector<Neighbor>& neighbors) {
  std::string text = query + "\n";
  for (const Neighbor& neighbor : neighbors) {
    text += "  " + three_digits(neighbor.cosine) + "  " + table.word(neighbor.row) + "\n";
  }
  return text + "\n";
}

}  // namespace

int run_neighbors(const Command& self, const Strings& arguments) {
  Flags flags(self);
  add_vector_flags(flags);
  flags.positional("[WORD...]",
                   "words, or sums as \"king - man + woman\"; default: --text, --file or standard input");
  add_prompt_flags(flags);
  flags.value("top", "N", "so many neighbors; default 10");
  flags.value("candidates", "N", "only the first N words are answers; default: all");
  if (!flags.parse(arguments)) {
    return 0;
  }
  const Registry registry = make_registry();
  const VectorTable table = load_query_table(flags, registry);
  const NeighborOptions options{.count = flags.integer("top", 10, between(1, 100'000)),
                                .candidates = candidates_of(flags)};
  const Strings words = flags.all("WORD").empty() ? without_blanks(prompts_of(flags)) : flags.all("WORD");
  const StopSignal signals;
  ProgressBar bar("neighbors", "");
  const auto found = nearest(table, parse_queries(table, words), options, when_long(bar.callback()));
  bar.finish();
  Json all = Json::array();
  for (size_t i = 0; i < words.size(); ++i) {
    if (!flags.has("json")) {
      print(neighbors_text(table, words[i], found[i]));
    }
    all.push_back(neighbors_json(table, words[i], found[i]));
  }
  if (flags.has("json")) {
    flags.all("WORD").size() == 1 ? print(all[0]) : print_answers(flags, all);
  }
  return 0;
}

}  // namespace lmzoo
