// What compare.h shows: for other programs, and for people.
#include <algorithm>

#include <fmt/format.h>

#include "tokenizer/compare.h"

namespace lmzoo {
namespace {

std::string spaced(const std::vector<std::string>& pieces) {
  std::string all;
  for (const std::string& piece : pieces) {
    all += (all.empty() ? "" : " ") + piece;
  }
  return all;
}

}  // namespace

Json to_json(const std::vector<WordComparison>& words) {
  Json all = Json::array();
  for (const WordComparison& word : words) {
    Json merges = Json::array(), ways = Json::object();
    for (const MergeStep& step : word.merges) {
      merges.push_back(
          Json{{"left", step.left}, {"right", step.right}, {"rank", step.rank}, {"pieces", step.pieces}});
    }
    for (const Segmentation& way : word.ways) {
      ways[way.way] = way.pieces;
    }
    all.push_back(
        Json{{"word", word.word}, {"characters", word.characters}, {"merges", merges}, {"ways", ways}});
  }
  return all;
}

std::string to_text(const std::vector<WordComparison>& words) {
  std::string text;
  for (const WordComparison& word : words) {
    text += word.word + "\n";
    for (const MergeStep& step : word.merges) {
      text += fmt::format(
          "  merge {} + {} (rank {}): {}\n", step.left, step.right, step.rank, spaced(step.pieces));
    }
    for (const Segmentation& way : word.ways) {
      text += fmt::format("  {}{}{}\n",
                          way.way,
                          std::string(14 - std::min<size_t>(way.way.size(), 13), ' '),
                          spaced(way.pieces));
    }
  }
  return text;
}

}  // namespace lmzoo
