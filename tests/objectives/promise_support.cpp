#include "objectives/promise_support.h"

#include <algorithm>

namespace lmzoo::test {
namespace {

constexpr int64_t kIds = 160, kStop = 50;

Vocabulary whole_vocabulary() {
  Vocabulary vocabulary{
      .size = kIds, .pad = 0, .unk = 1, .bos = {}, .eos = 5, .cls = 2, .sep = 3, .mask = 4, .sentinels = {}};
  for (int64_t id = 6; id < kFirstWord; ++id) {
    vocabulary.sentinels.push_back(id);
  }
  std::vector<WordEdges> edges(kIds, {.begins = true, .ends = true});
  for (int64_t id = kFirstWord; id < kIds; ++id) {
    edges[static_cast<size_t>(id)] = {.begins = id % 2 == 0};
  }
  vocabulary.edges = std::make_shared<const std::vector<WordEdges>>(edges);
  vocabulary.ask.encode = [](std::string_view text) {
    return std::vector<int64_t>{kStop, kFirstWord + text.at(3) - 'A'};
  };
  vocabulary.ask.id_of_piece = [](std::string_view) { return std::optional<int64_t>(kStop); };
  return vocabulary;
}

}  // namespace

std::shared_ptr<Objective> objective_of(const Made& made) {
  return make_objective(made.objective,
                        made.settings,
                        {.vocabulary = whole_vocabulary(),
                         .architecture = made.architecture,
                         .sequence_length = 128,
                         .width = 8,
                         .classes = {}});
}

std::vector<Promise> promises_of(const Objective& objective) {
  return dynamic_cast<const DrawingObjective&>(objective).promises();
}

Sample numbered_text(uint64_t number) {
  return {.ids = ids_between(kFirstWord, kIds, 60 + number % 39, number)};
}

TrainingPlace numbered_place(uint64_t number) {
  return {.step = static_cast<int64_t>(number % 100) + 1, .steps = 100};
}

std::vector<Made> all_that_draw() {
  constexpr auto kEncoderOnly = Architecture::encoder_only;
  constexpr auto kDecoderOnly = Architecture::decoder_only;
  std::vector<Made> all{
      {"masked_lm", {{"dialect", "hf"}, {"from", 0.3}, {"to", 0.1}}, kEncoderOnly},
      {"masked_diffusion", {}, kEncoderOnly},
      {"masked_diffusion", {{"least_rate", 0.2}}, kEncoderOnly},
      {"spanbert", {}, kEncoderOnly},
      {"prefix_lm"},
      {"ul2", {}},
      {"ul2", {{"s_25", 3.0}, {"x_64_50", 0.0}}, kDecoderOnly},
      {"fill_in_the_middle", {}, kDecoderOnly},
      {"fill_in_the_middle", {{"rate", 0.9}, {"spm_share", 0.2}}, kDecoderOnly},
      {"bart"},
      {"bart", {{"dialect", "fairseq"}}},
      {"bart", {{"rotate", 0.3}, {"permute_sentences", 0.5}, {"insert", 0.1}, {"delete_tokens", 0.1}}},
  };
  for (const std::string dialect : {"bert", "hf", "roberta", "electra", "gpt-bert"}) {
    all.push_back({"masked_lm", {{"dialect", dialect}}, kEncoderOnly});
    all.push_back({"masked_next_token", {{"dialect", dialect}, {"causal_share", 0.3}}, kDecoderOnly});
  }
  for (const std::string dialect : {"bert", "hf", "roberta"}) {
    all.push_back({"masked_lm", {{"dialect", dialect}, {"whole_words", true}}, kEncoderOnly});
  }
  for (const std::string dialect : {"t5-google", "t5-hf", "closing-sentinel"}) {
    all.push_back({"span_corruption", {{"dialect", dialect}}});
  }
  for (const std::string corruption : {"replace_spans", "drop_tokens", "mass", "bert", "deshuffling"}) {
    for (const std::string places : {"spans", "tokens"}) {
      all.push_back({"span_corruption", {{"corruption", corruption}, {"places", places}, {"density", 0.3}}});
    }
  }
  return all;
}

}  // namespace lmzoo::test
