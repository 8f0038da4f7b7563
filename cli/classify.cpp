// `lmzoo classify`: classes, numbers and choices for texts by a fine-tuned run.
#include "infer/ask/classify.h"

#include "base/check.h"
#include "cli/query_flags.h"

namespace lmzoo {
namespace {

std::string rounded(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", number);
  return text;
}

Json classify_json(const Classification& result, size_t top) {
  if (result.value) {
    return {{"text", result.text}, {"value", *result.value}};
  }
  Json best = Json::array();
  for (size_t i = 0; i < std::min(top, result.classes.size()); ++i) {
    best.push_back({{"class", result.classes[i].first}, {"probability", result.classes[i].second}});
  }
  return {{"text", result.text}, {"classes", best}};
}

std::string to_line(const Classification& result, size_t top) {
  std::string line = result.value ? rounded(*result.value) : "";
  for (size_t i = 0; i < std::min(top, result.classes.size()); ++i) {
    line += (i == 0 ? "" : "  ") + result.classes[i].first + " " + rounded(result.classes[i].second);
  }
  return line + "  " + result.text + "\n";
}

}  // namespace

int run_classify(const Command& self, const Strings& arguments) {
  Flags flags(self);
  add_query_flags(flags);
  add_prompt_flags(flags);
  flags.value("top", "N", "so many classes of each text; default 3");
  if (!flags.parse(arguments)) {
    return 0;
  }
  const Registry registry = make_registry();
  const LoadedRun run = load_query_run(flags, registry);
  const auto top = static_cast<size_t>(flags.integer("top", 3, at_least(1)));
  Json all = Json::array();
  std::string lines;
  for (const Classification& result : classify(run.parts, *run.tokenizer, prompts_of(flags))) {
    all.push_back(classify_json(result, top));
    lines += to_line(result, top);
  }
  flags.has("json") ? print(all) : print(lines);
  return 0;
}

}  // namespace lmzoo
