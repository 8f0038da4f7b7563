#include "infer/vectors/encode.h"

#include <algorithm>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include "base/check.h"
#include "base/utf8.h"
#include "core/input_frame.h"

namespace lmzoo {
namespace {

// The packed states of the texts after every layer: [N, D] each, float32 on the CPU.
std::vector<Tensor> states_of(Model& model, std::span<const ReadText> texts) {
  std::vector<std::vector<int64_t>> lists;
  for (const ReadText& text : texts) {
    lists.push_back(text.ids);
  }
  Trace trace;
  Inputs inputs;
  std::tie(inputs.ids, inputs.sequences) = packed_ids(lists);
  inputs = inputs.to(model.parameters().front().device());
  inputs.trace = &trace;
  const Tensor last = model.encode(inputs);
  if (trace.hidden.empty()) {
    trace.hidden.push_back(last);  // a model without layers
  }
  for (Tensor& states : trace.hidden) {
    states = states.to(at::kCPU, at::kFloat);
  }
  return std::move(trace.hidden);
}

size_t layer_index(const std::optional<int64_t>& layer, size_t layers) {
  if (!layer) {
    return layers - 1;
  }
  check(*layer >= 0 && *layer < static_cast<int64_t>(layers),
        "layer {} is not there: the model has 0 (the embedding) to {}",
        *layer,
        layers - 1);
  return static_cast<size_t>(*layer);
}

Tensor pool(const Tensor& states, const ReadText& text, TextPooling pooling) {  // [T, D] -> [D]
  switch (pooling) {
    case TextPooling::first:
      return states[0];
    case TextPooling::last:
      return states[-1];
    case TextPooling::mean:
      return states.mean(0);
    case TextPooling::own:
      break;
  }
  const bool empty = text.length == 0;
  return states.narrow(0, empty ? 0 : text.begin, empty ? states.size(0) : text.length).mean(0);
}

}  // namespace

ReadText read_text(const Model& model, const Tokenizer& tokenizer, std::span<const int64_t> own_ids) {
  const Vocabulary& vocabulary = tokenizer.vocabulary();
  const FramedTexts framed = InputFrame::of_text(model.architecture(), vocabulary).one(own_ids);
  ReadText text{.ids = framed.ids, .begin = framed.first, .length = std::ssize(own_ids)};
  if (text.ids.empty() && vocabulary.eos) {
    text.ids.push_back(*vocabulary.eos);
  }
  check(!text.ids.empty(), "a text without a token cannot be encoded");
  return text;
}

std::vector<ReadText> read_texts(const Model& model,
                                 const Tokenizer& tokenizer,
                                 const std::vector<std::string>& texts,
                                 bool truncate) {
  std::vector<ReadText> all;
  for (const std::string& text : texts) {
    std::vector<int64_t> own = tokenizer.encode_marked(text);
    const int64_t added = std::ssize(read_text(model, tokenizer, own).ids) - std::ssize(own);
    const int64_t room = model.max_length() - added;
    if (std::ssize(own) > room) {
      check(truncate,
            "'{}' has {} positions, but the model takes at most {} (--truncate cuts it)",
            printable(text, 40),
            std::ssize(own) + added,
            model.max_length());
      own.resize(static_cast<size_t>(room));
    }
    all.push_back(read_text(model, tokenizer, own));
  }
  return all;
}

void for_each_states(Model& model,
                     std::span<const ReadText> texts,
                     const UseStates& use,
                     const Progress& progress) {
  const at::NoGradGuard no_grad;
  for (size_t begin = 0; begin < texts.size();) {
    size_t end = begin;
    int64_t positions = 0;
    while (end < texts.size() &&
           (end == begin || positions + std::ssize(texts[end].ids) <= kPositionsAtOnce)) {
      positions += std::ssize(texts[end++].ids);
    }
    const std::vector<Tensor> states = states_of(model, texts.subspan(begin, end - begin));
    int64_t start = 0;
    for (; begin < end; ++begin) {
      const int64_t length = std::ssize(texts[begin].ids);
      std::vector<Tensor> layers;
      for (const Tensor& layer : states) {
        layers.push_back(layer.narrow(0, start, length));
      }
      use(begin, layers);
      start += length;
    }
    if (progress) {
      progress("encode", static_cast<double>(end) / static_cast<double>(texts.size()));
    }
  }
}

Tensor encode_texts(Model& model,
                    std::span<const ReadText> texts,
                    const EncodeOptions& options,
                    const Progress& progress) {
  std::vector<Tensor> rows;
  const auto use = [&](size_t text, const std::vector<Tensor>& layers) {
    rows.push_back(pool(layers[layer_index(options.layer, layers.size())], texts[text], options.pooling));
  };
  for_each_states(model, texts, use, progress);
  return rows.empty() ? at::zeros({0, model.width()}) : at::stack(rows);
}

}  // namespace lmzoo
