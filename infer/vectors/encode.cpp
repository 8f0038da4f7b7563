#include "infer/vectors/encode.h"

#include <algorithm>
#include <cmath>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/matmul.h>
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
  Trace trace;
  Inputs inputs;
  for (const ReadText& text : texts) {
    lists.push_back(text.ids);
    if (text.prefix_mask) {
      inputs.prefix.push_back(std::ssize(text.ids));
    }
  }
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
  const int64_t length = states.size(0);
  switch (pooling) {
    case TextPooling::first:
      return states[0];
    case TextPooling::last:
      return states[-1];
    case TextPooling::mean:
      return states.mean(0);
    case TextPooling::max:
      return states.amax(0);
    case TextPooling::sqrt_mean:
      return states.sum(0) / std::sqrt(static_cast<double>(length));
    case TextPooling::weighted: {
      const Tensor weights = at::arange(1, length + 1, states.options());
      return at::matmul(weights, states) / weights.sum();
    }
    case TextPooling::own:
      break;
  }
  const bool empty = text.length == 0;
  return states.narrow(0, empty ? 0 : text.begin, empty ? length : text.length).mean(0);
}

}  // namespace

ReadText read_text(const Parts& parts, std::span<const int64_t> own_ids) {
  const FramedTexts framed = parts.reading.frame.one(own_ids);
  ReadText text{.ids = framed.ids, .begin = framed.first, .length = std::ssize(own_ids)};
  text.prefix_mask = parts.reading.prefix_mask;
  if (text.ids.empty() && parts.vocabulary.eos) {
    text.ids.push_back(*parts.vocabulary.eos);
  }
  check(!text.ids.empty(), "a text without a token cannot be encoded");
  return text;
}

std::vector<ReadText> read_texts(const Parts& parts,
                                 const Tokenizer& tokenizer,
                                 const std::vector<std::string>& texts,
                                 const EncodeOptions& options) {
  const int64_t longest = parts.model->max_length();
  const int64_t limit = options.truncate ? longest : INT64_MAX;
  const int64_t kept = std::min(limit, options.max_length.value_or(INT64_MAX));
  std::vector<ReadText> all;
  for (const std::string& text : texts) {
    std::vector<int64_t> own = tokenizer.encode_marked(text);
    const int64_t added = parts.reading.frame.added(1);
    const bool cut = std::ssize(own) + added > kept;
    if (cut) {
      own.resize(static_cast<size_t>(std::max<int64_t>(kept - added, 0)));
    }
    check(std::ssize(own) + added <= longest,
          "'{}' has {} positions, but the model takes at most {} (--truncate cuts it)",
          printable(text, 40),
          std::ssize(own) + added,
          longest);
    all.push_back(read_text(parts, own));
    all.back().cut = cut;
  }
  return all;
}

EncodeOptions asked_so(const Parts& parts) {
  return {.pooling = parts.reading.ask.pooling, .max_length = parts.reading.ask.max_length};
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
