#include "infer/ask/answer.h"

#include "base/check.h"
#include "infer/ask/ask.h"
#include "tokenizer/encode_columns.h"

namespace lmzoo {

std::vector<PassageAnswer> answer_questions(const Parts& parts,
                                            const Tokenizer& tokenizer,
                                            const std::vector<Question>& questions) {
  check(parts.objective->slots().front().predicts == Predicts::rows,
        "answer needs a run that was trained with the objective question_answering");
  std::vector<PassageAnswer> answers;
  for (const Question& question : questions) {
    RecordColumns columns;
    columns.texts = {parts.reading.text(question.question, 0), parts.reading.text(question.passage, 1)};
    columns.has_answer = true;
    const Sample sample = encode_columns(tokenizer, columns);
    answers.push_back(ask(parts, std::span(&sample, 1)).answers.at(0));
  }
  return answers;
}

}  // namespace lmzoo
