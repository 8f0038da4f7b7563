// `lmzoo fill-mask`: what an encoder says at [MASK].
#include "infer/ask/fill_mask.h"

#include "cli/query_flags.h"

namespace lmzoo {
namespace {

Json fill_mask_json(const std::string& text, const std::vector<std::vector<Filling>>& masks) {
  Json all = Json::array();
  for (const std::vector<Filling>& fillings : masks) {
    Json best = Json::array();
    for (const Filling& filling : fillings) {
      best.push_back({{"id", filling.id},
                      {"piece", filling.piece},
                      {"probability", filling.probability},
                      {"text", filling.text}});
    }
    all.push_back(best);
  }
  return {{"prompt", text}, {"masks", all}};
}

std::string fill_mask_text(const std::vector<std::vector<Filling>>& masks) {
  std::string out;
  for (const std::vector<Filling>& fillings : masks) {
    for (const Filling& filling : fillings) {
      char probability[16];
      std::snprintf(probability, sizeof probability, "%.3f", filling.probability);
      out += std::string(probability) + "  " + filling.piece + "  " + filling.text + "\n";
    }
    out += "\n";
  }
  return out;
}

}  // namespace

int run_fill_mask(const Command& self, const Strings& arguments) {
  Flags flags(self);
  add_query_flags(flags);
  add_prompt_flags(flags);
  flags.value("top", "N", "so many tokens for each mask; default 5");
  if (!flags.parse(arguments)) {
    return 0;
  }
  const Registry registry = make_registry();
  const LoadedRun run = load_query_run(flags, registry);
  const int64_t top = flags.integer("top", 5, at_least(1));
  Json all = Json::array();
  for (const std::string& text : prompts_of(flags)) {
    std::vector<std::vector<Filling>> masks;  // none in a blank line
    if (!text.empty()) {
      masks = fill_mask(run, text, top);
    }
    if (!flags.has("json")) {
      print(text.empty() ? "\n" : fill_mask_text(masks));
    }
    all.push_back(fill_mask_json(text, masks));
  }
  if (flags.has("json")) {
    print_answers(flags, all);
  }
  return 0;
}

}  // namespace lmzoo
