// `lmzoo answer`: answers to questions as parts of passages by a fine-tuned run.
#include "infer/ask/answer.h"

#include "base/check.h"
#include "base/utf8.h"
#include "cli/query_flags.h"

namespace lmzoo {
namespace {

std::vector<Question> questions_of(const Flags& flags) {
  if (flags.has("question")) {
    check(flags.has("passage"), "--question needs --passage, the text that is searched");
    Question question{flags.text("question"), flags.text("passage")};
    replace_invalid_utf8(question.question);
    replace_invalid_utf8(question.passage);
    return {question};
  }
  std::vector<Question> questions;
  for (const std::string& line : prompts_of(flags)) {
    const size_t tab = line.find('\t');
    check(tab != std::string::npos, "a line without a tab: give question, tab, passage");
    questions.push_back({line.substr(0, tab), line.substr(tab + 1)});
  }
  return questions;
}

}  // namespace

int run_answer(const Command& self, const Strings& arguments) {
  Flags flags(self);
  add_query_flags(flags);
  flags.value("question", "TEXT", "the question");
  flags.value("passage", "TEXT", "the text that is searched for its answer");
  add_prompt_flags(flags);
  flags.value("top", "N", "so many candidates of each question with --json; default 3");
  if (!flags.parse(arguments)) {
    return 0;
  }
  const std::vector<Question> questions = questions_of(flags);
  const Registry registry = make_registry();
  const LoadedRun run = load_query_run(flags, registry);
  const auto top = static_cast<size_t>(flags.integer("top", 3, at_least(1)));
  const std::vector<PassageAnswer> answers = answer_questions(run.parts, *run.tokenizer, questions);
  Json all = Json::array();
  std::string lines;
  for (size_t i = 0; i < questions.size(); ++i) {
    Json best = Json::array();
    for (const AnswerCandidate& candidate :
         std::span(answers[i].best).first(std::min(top, answers[i].best.size()))) {
      best.push_back({{"text", candidate.text},
                      {"probability", candidate.probability},
                      {"begin_byte", candidate.span.begin},
                      {"end_byte", candidate.span.end}});
    }
    const std::string& answer = answers[i].best.front().text;
    lines += (answer.empty() ? "(no answer)" : answer) + "\n";
    all.push_back({{"question", questions[i].question}, {"answer", answer}, {"candidates", best}});
  }
  flags.has("json") ? print(all) : print(lines);
  return 0;
}

}  // namespace lmzoo
