// How the texts of a run's data become what its model reads: so many texts a record, each behind its prefix. Training,
// evaluation and every question to the finished run go by it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/sample.h"
#include "core/input_frame.h"
#include "train/exchange/ask_options.h"

namespace lmzoo {

struct Reading {
  RecordShape record{};               // of the training data
  std::vector<std::string> prefix{};  // written before each text (data.train.prefix)
  AskOptions ask{};
  // Around a text that belongs to no task: a query, or what is embedded. Encoders: InputFrame::of_text. A decoder-only
  // model goes on from what stood before its texts in training (the objective's own begin symbol or, in a stream, the
  // end of the text before), or reads it as the source that its targets stand behind; a published one reads texts as
  // its tokenizer writes them.
  InputFrame frame{InputTemplate{}};
  bool prefix_mask =
      false;  // of a decoder-only model whose texts are sources: each position sees the whole text

  // A text as the model reads it, which stands in the given column of texts.
  std::string text(std::string_view own, size_t column = 0) const;
  std::vector<std::string> first_texts(const std::vector<std::string>& own) const;

  // The texts of a line, with tabs between, as the model reads them. InputError when the run was trained on another
  // number of texts; of a published model, whose data are unknown, a line has one or two.
  std::vector<std::string> texts(std::string_view line) const;
  // The same of a multiple choice, and what stands behind the texts: at least two choices.
  struct Choices {
    std::vector<std::string> texts, choices;
  };
  Choices with_choices(std::string_view line) const;
};

}  // namespace lmzoo
