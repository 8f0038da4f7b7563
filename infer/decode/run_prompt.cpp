#include "infer/decode/run_prompt.h"

#include <algorithm>

#include "base/check.h"
#include "core/input_frame.h"
#include "infer/decode/denoise.h"

namespace lmzoo {
namespace {

void append(std::vector<int64_t>& ids, std::span<const int64_t> more) {
  ids.insert(ids.end(), more.begin(), more.end());
}

// Nothing follows an empty text that nothing stands before in training.
std::vector<std::vector<int64_t>> go_on_where_possible(Model& model,
                                                       std::span<const Prompt> prompts,
                                                       const GenerateOptions& options,
                                                       std::span<const Stream> streams) {
  std::vector<Prompt> asked;
  std::vector<Stream> draws;
  for (size_t i = 0; i < prompts.size(); ++i) {
    if (!prompts[i].context.empty()) {
      asked.push_back(prompts[i]);
      draws.push_back(streams[i]);
    }
  }
  std::vector<std::vector<int64_t>> written = generate(model, asked, options, draws);
  std::vector<std::vector<int64_t>> made(prompts.size());
  for (size_t i = 0, next = 0; i < prompts.size(); ++i) {
    if (!prompts[i].context.empty()) {
      made[i] = std::move(written[next++]);
    }
  }
  return made;
}

// New tokens end where the model's positions do.
void fit(const Model& model, const GenerateOptions& options, Prompt& prompt, const ContinueUse& use) {
  const int64_t left = model.max_length() - std::ssize(prompt.context);
  if (left < 0 || left >= options.max_tokens) {
    return;  // a prompt that is too long is refused by whoever reads it
  }
  prompt.room = left;
  if (use.note) {
    use.note(fmt::format(
        "{} tokens stand before what is written and the model takes {}: at most {} new ones, not {}",
        prompt.context.size(),
        model.max_length(),
        left + 1,
        options.max_tokens));
  }
}

std::vector<std::string> texts_of_source(const LoadedRun& run, const std::string& text) {
  const Reading& reading = run.parts.reading;
  return reading.record.texts > 1 ? reading.texts(text) : std::vector<std::string>{reading.text(text)};
}

// A model that was trained to fill masks writes them behind the text, so many as are asked for, and what stands before
// the first end is its text.
Continuation continue_by_filling(const LoadedRun& run,
                                 const std::string& text,
                                 const GenerateOptions& options,
                                 Stream& stream) {
  const std::vector<int64_t> own = run.tokenizer->encode_marked(run.parts.reading.text(text));
  const int64_t mask = required_token(run.parts.vocabulary.mask, "[MASK]", "generate");
  std::vector<int64_t> asked = own;
  asked.resize(own.size() + static_cast<size_t>(options.max_tokens), mask);
  const FramedTexts framed = run.parts.reading.frame.one(asked);
  const DenoiseOptions denoise{.mask = mask,
                               .steps = options.steps.value_or(options.max_tokens),
                               .sampling = options.sampling,
                               .forbidden = options.forbidden};
  const std::vector<int64_t> filled = fill_masks(*run.parts.model, framed.ids, denoise, stream);
  const auto begin = filled.begin() + framed.first + std::ssize(own);
  const auto end =
      std::find_first_of(begin, begin + options.max_tokens, options.stop.begin(), options.stop.end());
  const std::vector<int64_t> shown(filled.begin() + framed.first,
                                   end);  // masks of the prompt are filled, too
  return {.ids = {begin, end}, .text = run.tokenizer->decode(shown)};
}

}  // namespace

Prompt prompt_of(const LoadedRun& run, const std::string& text) {
  const Vocabulary& vocabulary = run.tokenizer->vocabulary();
  const Model& model = *run.parts.model;
  check(model.architecture() != Architecture::encoder_only,
        "generate needs a decoder; use fill-mask for an encoder-only model");
  if (writes_answers(run)) {
    std::vector<int64_t> content;  // several texts are one source, as in training
    for (const std::string& each : texts_of_source(run, text)) {
      append(content, run.tokenizer->encode_marked(each));
    }
    return prompt_of_source(model, vocabulary, InputFrame::of_source(vocabulary).one(content).ids);
  }
  // What a frame writes behind a text is not read: the text goes on there.
  const std::vector<int64_t> own = run.tokenizer->encode_marked(run.parts.reading.text(text));
  FramedTexts framed = run.parts.reading.frame.one(own);
  framed.ids.resize(static_cast<size_t>(framed.first) + own.size());
  return {.context = std::move(framed.ids)};
}

Prompt prompt_of_source(const Model& model, const Vocabulary& vocabulary, std::vector<int64_t> source) {
  Prompt prompt{.context = {start_symbol(vocabulary)}};
  if (model.architecture() == Architecture::encoder_decoder) {
    prompt.source = std::move(source);
  } else {
    append(prompt.context, source);
    prompt.prefix = std::ssize(prompt.context);
  }
  return prompt;
}

bool writes_answers(const LoadedRun& run) {
  return run.parts.model->architecture() == Architecture::encoder_decoder || run.parts.reading.prefix_mask;
}

std::vector<int64_t> ends_of(const Parts& parts) {
  std::vector<int64_t> ends = parts.reading.ask.ends;
  if (parts.vocabulary.eos && std::ranges::find(ends, *parts.vocabulary.eos) == ends.end()) {
    ends.insert(ends.begin(), *parts.vocabulary.eos);
  }
  return ends;
}

GenerateOptions text_only(const LoadedRun& run) {
  const Vocabulary& vocabulary = run.tokenizer->vocabulary();
  GenerateOptions options;
  options.stop = ends_of(run.parts);
  for (int64_t id = 0; id < run.parts.model->vocab_rows(); ++id) {
    const bool is_text = id < vocabulary.size && !vocabulary.is_special(id) && vocabulary.unk != id;
    if (!is_text && std::ranges::find(options.stop, id) == options.stop.end()) {
      options.forbidden.push_back(id);
    }
  }
  return options;
}

void continue_texts(const LoadedRun& run,
                    std::span<const std::string> texts,
                    const GenerateOptions& options,
                    const ContinueUse& use) {
  if (run.parts.objective->fills_any_share()) {
    for (size_t i = 0; i < texts.size(); ++i) {
      Stream stream = use.stream(i);
      use.result(i, continue_by_filling(run, texts[i], options, stream));
    }
    return;
  }
  check(!options.steps,
        "steps are of models that fill masks (masked_diffusion), and this one writes from left to right");
  for (size_t begin = 0; begin < texts.size(); begin += kPromptsAtOnce) {
    const auto some = texts.subspan(begin, std::min(kPromptsAtOnce, texts.size() - begin));
    std::vector<Prompt> prompts;
    std::vector<Stream> streams;
    for (const std::string& text : some) {
      prompts.push_back(prompt_of(run, text));
      fit(*run.parts.model, options, prompts.back(), use);
      streams.push_back(use.stream(begin + streams.size()));
    }
    const auto made = go_on_where_possible(*run.parts.model, prompts, options, streams);
    for (size_t i = 0; i < some.size(); ++i) {
      std::vector<int64_t> shown;
      if (!writes_answers(run)) {
        shown = run.tokenizer->encode_marked(some[i]);
      }
      append(shown, made[i]);
      use.result(begin + i, {.ids = made[i], .text = run.tokenizer->decode(shown)});
    }
  }
}

}  // namespace lmzoo
