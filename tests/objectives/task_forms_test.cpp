// What the objectives of fine-tuning make of samples: exact ids, labels where they belong, cuts, refusals.
#include "core/input_frame.h"
#include "objectives/parts/answer_spans.h"
#include "objectives/support.h"
#include "support/catch.h"

using namespace lmzoo;
using namespace lmzoo::test;
using Catch::Matchers::Contains;

namespace {

using Ids1 = std::vector<int64_t>;

ObjectiveContext task_context(const RecordShape& record, int64_t length = 64) {
  ObjectiveContext context{.vocabulary = bert_vocabulary(),
                           .architecture = Architecture::encoder_only,
                           .sequence_length = length,
                           .width = 16,
                           .classes = {"B-PER", "I-PER", "O"},
                           .record = record};
  context.vocabulary.eos = 1;
  context.vocabulary.bos = 5;
  return context;
}

Shown shown_example(const Objective& objective, const Sample& sample) {
  Stream stream = stream_of(0);
  return shown(objective.example(sample, {}, stream));
}

std::shared_ptr<const Passage> passage(int64_t ids, const std::vector<ByteSpan>& answers) {
  auto made = std::make_shared<Passage>();
  made->text.assign(static_cast<size_t>(ids), 'x');
  for (int64_t i = 0; i < ids; ++i) {
    made->ids.push_back({i, i + 1});
  }
  made->answers = answers;
  return made;
}

}  // namespace

TEST_CASE("a pair is framed with token types, and its longer text is cut first") {
  const auto objective = make_objective("classification", {}, task_context({.texts = 2, .label = true}, 8));
  CHECK(objective->lengths().raw == 5);
  const auto whole = shown_example(*objective, {.ids = {10}, .label = 2, .further_texts = {{11, 12}}});
  CHECK(whole.ids == Ids1{101, 10, 102, 11, 12, 102});
  CHECK(whole.token_types == Ids1{0, 0, 0, 1, 1, 1});
  CHECK(whole.labels == Ids1{2});
  const auto cut =
      shown_example(*objective, {.ids = {10, 11, 12, 13, 14}, .label = 0, .further_texts = {{20, 21}}});
  CHECK(cut.ids == Ids1{101, 10, 11, 12, 102, 20, 21, 102});
  const auto both = shown_example(
      *objective, {.ids = {10, 11, 12, 13, 14}, .label = 0, .further_texts = {{20, 21, 22, 23}}});
  CHECK(both.ids == Ids1{101, 10, 11, 12, 102, 20, 21, 102});
}

TEST_CASE("the frame of a published tokenizer is taken as it is") {
  ObjectiveContext context = task_context({.texts = 2, .label = true});
  context.vocabulary.inputs = InputTemplate{.before = {0}, .between = {2, 2}, .after = {2}};
  const auto objective = make_objective("classification", {}, context);
  const auto pair = shown_example(*objective, {.ids = {10}, .label = 0, .further_texts = {{11}}});
  CHECK(pair.ids == Ids1{0, 10, 2, 2, 11, 2});
  CHECK(pair.token_types.empty());
  CHECK(objective->lengths().raw == 60);
}

TEST_CASE("longest first: the longer text loses ids until both are equal, then both do") {
  CHECK(longest_first(3, 4, 10) == std::pair<int64_t, int64_t>(3, 4));
  CHECK(longest_first(2, 9, 7) == std::pair<int64_t, int64_t>(2, 5));
  CHECK(longest_first(9, 2, 7) == std::pair<int64_t, int64_t>(5, 2));
  CHECK(longest_first(9, 8, 7) == std::pair<int64_t, int64_t>(4, 3));
  CHECK(longest_first(8, 9, 7) == std::pair<int64_t, int64_t>(3, 4));
}

TEST_CASE("several labels are flags, a number is a number") {
  const auto several = make_objective("multi_label", {}, task_context({.labels = true}));
  CHECK(shown_example(*several, {.ids = {10}, .label_set = {0, 2}}).values == std::vector<float>{1, 0, 1});
  CHECK(shown_example(*several, {.ids = {10}}).values == std::vector<float>{0, 0, 0});
  const auto number = make_objective("regression", {}, task_context({.value = true}));
  CHECK(shown_example(*number, {.ids = {10}, .value = 3.5}).values == std::vector<float>{3.5});
}

TEST_CASE("tags stand at the first id of each word, or at all of them") {
  // Ada Lovelace wrote
  const Sample sample{.ids = {9262, 8590, 10732, 2626}, .word_starts = {0, 1, 3}, .tags = {0, 1, 2}};
  const auto first = make_objective("token_classification", {}, task_context({.tags = true}));
  const auto tagged = shown_example(*first, sample);
  CHECK(tagged.ids == Ids1{101, 9262, 8590, 10732, 2626, 102});
  CHECK(tagged.positions == Ids1{1, 2, 4});
  CHECK(tagged.labels == Ids1{0, 1, 2});
  const auto all =
      make_objective("token_classification", {{"subwords", "all"}}, task_context({.tags = true}));
  const auto every = shown_example(*all, sample);
  CHECK(every.positions == Ids1{1, 2, 3, 4});
  CHECK(every.labels == Ids1{0, 1, 1, 2});
  CHECK(std::any_cast<Ids1>(every.example.note) == Ids1{0, 1, 3});
  // B- goes on as I-, a word without ids has no label, and what is cut off has none.
  const Sample odd{.ids = {7, 8, 9, 10}, .word_starts = {0, 2, 2, 3}, .tags = {0, 1, 2, 1}};
  const auto short_all =
      make_objective("token_classification", {{"subwords", "all"}}, task_context({.tags = true}, 5));
  const auto cut = shown_example(*short_all, odd);
  CHECK(cut.ids == Ids1{101, 7, 8, 9, 102});
  CHECK(cut.positions == Ids1{1, 2, 3});
  CHECK(cut.labels == Ids1{0, 1, 2});
}

TEST_CASE("a long passage is read in pieces that overlap; the answer is labeled where all of it stands") {
  const auto objective = make_objective("question_answering",
                                        {{"stride", int64_t{1}}, {"max_question_length", int64_t{2}}},
                                        task_context({.texts = 2, .answer = true}, 8));
  Sample sample{.ids = {7, 8, 9}, .further_texts = {{10, 11, 12, 13, 14}}};
  sample.passage = passage(5, {{3, 5}});
  Stream stream = stream_of(0);
  const std::vector<Example> pieces = objective->examples(sample, {}, stream);
  REQUIRE(pieces.size() == 2);
  const Shown first = shown(pieces[0]);
  CHECK(first.ids == Ids1{101, 7, 8, 102, 10, 11, 12, 102});
  CHECK(first.labels == Ids1{0, 0});
  const Shown second = shown(pieces[1]);
  CHECK(second.ids == Ids1{101, 7, 8, 102, 12, 13, 14, 102});
  CHECK(second.labels == Ids1{5, 6});
  const auto piece = std::any_cast<PassagePiece>(second.example.note);
  CHECK(piece.first == 2);
  CHECK(piece.offset == 4);
  CHECK(second.token_types == Ids1{0, 0, 0, 0, 1, 1, 1, 1});
}

TEST_CASE("answers: bytes to ids, also when an answer begins or ends inside of one") {
  Passage text{.text = "the owls sleep", .ids = {{0, 3}, {3, 8}, {8, 14}}, .answers = {}};
  CHECK(ids_of_answer(text, {4, 7}, 0, 3) == std::pair<int64_t, int64_t>(1, 1));
  CHECK(ids_of_answer(text, {0, 14}, 0, 3) == std::pair<int64_t, int64_t>(0, 2));
  CHECK(ids_of_answer(text, {0, 3}, 1, 2) == std::nullopt);
  CHECK(ids_of_answer(text, {9, 14}, 0, 2) == std::nullopt);
}

TEST_CASE("answers: the n best of all pieces, by length, order and the threshold of no answer") {
  const auto text = passage(4, {});
  // [CLS] q [SEP] p0 p1 p2 [SEP] and the piece with p2 p3
  const std::vector<PassagePiece> pieces{{text, 0, 3, 3}, {text, 2, 3, 2}};
  const std::vector<PieceLogits> logits{{{1, 9, 0, 2, 0, 0, 0}, {1, 9, 0, 0, 3, 1, 0}},
                                        {{4, 0, 0, 1, 0, 0}, {5, 0, 0, 0, 2, 0}}};
  const PassageAnswer best = best_answers(pieces, logits, {.candidates = 20, .longest = 30});
  REQUIRE(best.best.size() >= 3);
  CHECK(best.best[0].span == ByteSpan{0, 2});  // p0 p1: 2 + 3; the question's 9 + 9 is no answer
  CHECK(best.best[0].score == 5);
  for (size_t i = 1; i < best.best.size(); ++i) {
    CHECK(best.best[i].score <= best.best[i - 1].score);
    CHECK((best.best[i].span != best.best[i - 1].span));
  }
  const PassageAnswer brief = best_answers(pieces, logits, {.candidates = 20, .longest = 1});
  for (const AnswerCandidate& candidate : brief.best) {
    CHECK(candidate.span.end - candidate.span.begin == 1);
  }
  // No answer has 1 + 1 in one piece and 4 + 5 in the other: the least counts.
  const AnswerRules none{.candidates = 20, .longest = 30, .no_answer = true, .null_threshold = -4};
  CHECK(best_answers(pieces, logits, none).best[0].text.empty());
  const AnswerRules some{.candidates = 20, .longest = 30, .no_answer = true, .null_threshold = -2};
  CHECK(best_answers(pieces, logits, some).best[0].text == "xx");
  double sum = 0;
  for (const AnswerCandidate& candidate : best.best) {
    sum += candidate.probability;
  }
  CHECK(sum == Approx(1));
}

TEST_CASE("every choice is read with the text, after what the second text begins it with") {
  const auto objective =
      make_objective("multiple_choice", {}, task_context({.texts = 2, .choices = 2, .label = true}));
  const auto choices = shown_example(
      *objective, {.ids = {7, 8}, .label = 1, .further_texts = {{9}}, .choices = {{10}, {11, 12}}});
  REQUIRE(choices.example.sequences.size() == 2);
  CHECK(choices.example.sequences[0].ids == Ids1{101, 7, 8, 102, 9, 10, 102});
  CHECK(choices.example.sequences[1].ids == Ids1{101, 7, 8, 102, 9, 11, 12, 102});
  CHECK(choices.example.sequences[1].token_types == Ids1{0, 0, 0, 0, 1, 1, 1, 1});
  CHECK(choices.labels == Ids1{1});
}

TEST_CASE("GPT-1's forms: start, delimiter, extract; both orders of a pair; choices") {
  const auto make = [](const RecordShape& record, const Settings& settings = {}) {
    ObjectiveContext context = task_context(record);
    context.architecture = Architecture::decoder_only;
    return make_objective("gpt1_task", settings, context);
  };
  const auto one = shown_example(*make({.label = true}), {.ids = {7, 8}, .label = 2});
  REQUIRE(one.example.sequences.size() == 1);
  CHECK(one.example.sequences[0].ids == Ids1{5, 7, 8, 101});
  REQUIRE(one.example.targets.size() == 2);
  const Target& next = one.example.targets[1];
  CHECK(next.slot == 1);
  CHECK(next.at == Ids1{0, 1, 2});
  CHECK(next.labels == Ids1{7, 8, 101});
  CHECK(next.weights == std::vector<float>(3, 1.0F / 3));  // together the example weighs 1
  const auto pair = make({.texts = 2, .label = true}, {{"both_orders", true}, {"lm_weight", 0.0}});
  const auto both = shown_example(*pair, {.ids = {7}, .label = 0, .further_texts = {{8}}});
  REQUIRE(both.example.sequences.size() == 2);
  CHECK(both.example.sequences[0].ids == Ids1{5, 7, 102, 8, 101});
  CHECK(both.example.sequences[1].ids == Ids1{5, 8, 102, 7, 101});
  CHECK(both.example.targets.size() == 1);
  const auto choices = make({.choices = 2, .label = true});
  const auto which = shown_example(*choices, {.ids = {7}, .label = 1, .choices = {{8}, {9}}});
  CHECK(which.example.sequences[1].ids == Ids1{5, 7, 102, 9, 101});
}

TEST_CASE("text to text: sources and targets end in eos and are cut") {
  const auto objective =
      make_objective("text_to_text", {{"target_length", int64_t{3}}}, task_context({.target = true}, 4));
  const auto pair =
      shown_example(*objective, {.ids = {7, 8}, .further_texts = {{9, 10}}, .target = {11, 12, 13}});
  CHECK(pair.ids == Ids1{7, 8, 9, 1});
  CHECK(pair.target == Ids1{11, 12, 1});
  ObjectiveContext decoder = task_context({.target = true}, 8);
  decoder.architecture = Architecture::decoder_only;
  const auto joined = make_objective("text_to_text", {{"target_length", int64_t{3}}}, decoder);
  const auto both = shown_example(*joined, {.ids = {7, 8, 9, 10, 11, 12, 13}, .target = {14}});
  CHECK(both.ids.size() + both.target.size() == 8);
  CHECK(both.target == Ids1{14, 1});
}

TEST_CASE("completions: only the target is predicted") {
  ObjectiveContext context = task_context({.target = true}, 5);
  context.architecture = Architecture::decoder_only;
  const auto objective = make_objective("causal_lm", {{"completion_only", true}, {"add_eos", true}}, context);
  const auto stream = shown_example(*objective, {.ids = {7, 8}, .target = {9}});
  CHECK(stream_text(stream.example) == Ids1{7, 8, 9, 1});
  CHECK(stream.positions == Ids1{1, 2});
  const auto cut = shown_example(*objective, {.ids = {7, 8, 9, 10}, .target = {11, 12, 13}});
  CHECK(stream_text(cut.example) == Ids1{7, 8, 9, 10, 11, 12});
}

TEST_CASE("tasks say which column they miss, and what cannot work") {
  const auto refused = [](const std::string& name, const RecordShape& record, const Settings& settings = {}) {
    try {
      make_objective(name, settings, task_context(record));
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  CHECK_THAT(refused("classification", {}), Contains("set data.train.label"));
  CHECK_THAT(refused("multi_label", {.label = true}), Contains("set data.train.labels"));
  CHECK_THAT(refused("regression", {.label = true}), Contains("set data.train.value"));
  CHECK_THAT(refused("token_classification", {}), Contains("set data.train.tags"));
  CHECK_THAT(refused("question_answering", {.answer = true}),
             Contains("names 1 column; as in text: [question"));
  CHECK_THAT(refused("question_answering", {.texts = 2, .answer = true}), Contains("more than stride = 128"));
  CHECK_THAT(refused("multiple_choice", {.label = true}), Contains("data.train.choices"));
  CHECK_THAT(refused("text_to_text", {}), Contains("set data.train.target"));
  CHECK_THAT(refused("gpt1_task", {.label = true}), Contains("needs a decoder-only model"));
  CHECK_THAT(refused("classification", {.texts = 3, .label = true}), Contains("one text or a pair"));
  CHECK_THAT(refused("classification", {.label = true}, {{"pooling", "pooler"}}),
             Contains("this model has none"));
  CHECK_THAT(refused("masked_lm", {.texts = 2}),
             Contains("reads one text and neither other columns nor sentences"));
  CHECK_THAT(refused("causal_lm", {.value = true}),
             Contains("reads one text and neither other columns nor sentences"));
  CHECK_THAT(refused("causal_lm", {}, {{"completion_only", true}}), Contains("set data.train.target"));
  CHECK(refused("classification", {.texts = 0}) == "accepted");  // a published model came without data
}
