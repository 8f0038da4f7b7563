// `lmzoo tag`: a class for each word of texts by a fine-tuned run.
#include "infer/ask/tag.h"

#include "cli/query_flags.h"

namespace lmzoo {

int run_tag(const Command& self, const Strings& arguments) {
  Flags flags(self);
  add_query_flags(flags);
  add_prompt_flags(flags);
  if (!flags.parse(arguments)) {
    return 0;
  }
  const Registry registry = make_registry();
  const LoadedRun run = load_query_run(flags, registry);
  Json all = Json::array();
  std::string lines;
  for (const TaggedWords& text : tag_texts(run.parts, *run.tokenizer, prompts_of(flags))) {
    Json words = Json::array();
    for (const auto& [word, tag] : text) {
      words.push_back({{"word", word}, {"tag", tag.empty() ? Json() : Json(tag)}});
      lines += word + "/" + (tag.empty() ? "-" : tag) + " ";
    }
    if (!text.empty()) {
      lines.pop_back();
    }
    lines += '\n';
    all.push_back(std::move(words));
  }
  flags.has("json") ? print(all) : print(lines);
  return 0;
}

}  // namespace lmzoo
