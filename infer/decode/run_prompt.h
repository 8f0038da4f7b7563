// A text as a finished run's model was trained to go on from it, and where what it writes ends.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "infer/decode/generate.h"
#include "train/run/assemble.h"

namespace lmzoo {

// An encoder-decoder, and a decoder-only model that was trained to write a target behind a source, read the
// text as a source and begin an answer; a decoder of running text continues it, after what stands before a
// text in training: the objective's own begin symbol or, in a stream, the end of the text before. InputError
// for an encoder-only model.
Prompt prompt_of(const LoadedRun& run, const std::string& text);

// What is written for a source.
Prompt prompt_of_source(const Model& model, const Vocabulary& vocabulary, std::vector<int64_t> source);

// What ends what the run writes: the end symbol of its tokenizer, and what it is asked to end at (reading.ask.ends).
std::vector<int64_t> ends_of(const Parts& parts);

// Whether what the run writes stands alone, instead of continuing the text.
bool writes_answers(const LoadedRun& run);

// Until the end of the text, in tokens that are text: no special ones, nor rows of the embedding that stand
// for nothing.
GenerateOptions text_only(const LoadedRun& run);

struct Continuation {
  std::vector<int64_t> ids;  // the new ones
  std::string text{};        // the prompt with them or, where they are an answer, they alone
};
struct ContinueUse {
  std::function<Stream(size_t text)> stream;                     // draws the new ids of a text
  std::function<void(size_t text, const Continuation&)> result;  // in the order of the texts
  std::function<void(const std::string& line)> note{};           // what is to be told; may be empty
};
// Several at a time; a run of masked diffusion by filling masks. What the model has no room for is not written, and that is told.
void continue_texts(const LoadedRun& run,
                    std::span<const std::string> texts,
                    const GenerateOptions& options,
                    const ContinueUse& use);

}  // namespace lmzoo
