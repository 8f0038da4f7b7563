#include "infer/ask/fill_mask.h"

#include <algorithm>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>

#include "base/check.h"
#include "core/input_frame.h"
#include "infer/decode/run_prompt.h"

namespace lmzoo {
namespace {

bool is_one_of(int64_t id, const std::vector<int64_t>& ids) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

void check_length(const Model& model, size_t length) {
  check(static_cast<int64_t>(length) <= model.max_length(),
        "the text has {} tokens, but the model takes at most {}",
        length,
        model.max_length());
}

std::vector<int64_t> places_of(int64_t id, const std::vector<int64_t>& ids) {
  std::vector<int64_t> places;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] == id) {
      places.push_back(static_cast<int64_t>(i));
    }
  }
  return places;
}

// Probabilities of every token at `places`: [places, V], special tokens 0 (the others still sum to less than
// 1).
Tensor probabilities_at(Model& model,
                        const Vocabulary& vocabulary,
                        const std::vector<int64_t>& ids,
                        const std::vector<int64_t>& places) {
  const at::NoGradGuard no_grad;
  const at::Device device = model.parameters().front().device();
  Inputs inputs;
  std::tie(inputs.ids, inputs.sequences) = packed_ids(std::span(&ids, 1));
  const Tensor rows = at::tensor(places, at::kLong).to(device);
  const Tensor states = model.hidden_at(inputs.to(device), {.rows = rows, .counts = {std::ssize(places)}});
  Tensor probabilities = model.logits(states).to(at::kCPU, at::kFloat).softmax(-1).contiguous();
  auto values = probabilities.accessor<float, 2>();
  for (int64_t id = 0; id < probabilities.size(1); ++id) {
    if (vocabulary.is_special(id) || id >= vocabulary.size) {
      for (int64_t row = 0; row < probabilities.size(0); ++row) {
        values[row][id] = 0;
      }
    }
  }
  return probabilities;
}

// The text of `ids` without the special tokens around it.
std::string plain_text(const Tokenizer& tokenizer, const std::vector<int64_t>& ids) {
  std::vector<int64_t> content;
  for (const int64_t id : ids) {
    if (!tokenizer.vocabulary().is_special(id)) {
      content.push_back(id);
    }
  }
  return tokenizer.decode(content);
}

}  // namespace

std::vector<std::vector<Filling>> fill_mask(const LoadedRun& run, const std::string& text, int64_t count) {
  Model& model = *run.parts.model;
  const Tokenizer& tokenizer = *run.tokenizer;
  const Reading& reading = run.parts.reading;
  const Vocabulary& vocabulary = tokenizer.vocabulary();
  check(
      model.architecture() == Architecture::encoder_only,
      "fill-mask needs an encoder-only model trained with masked_lm; use generate or infill for the others");
  check(vocabulary.mask.has_value(), "the tokenizer has no [MASK] token");
  const std::vector<int64_t> ids = reading.frame.one(tokenizer.encode_marked(reading.text(text))).ids;
  const std::vector<int64_t> places = places_of(*vocabulary.mask, ids);
  check(!places.empty(), "the text has no {} to fill", tokenizer.piece(*vocabulary.mask));
  check_length(model, ids.size());

  const Tensor probabilities = probabilities_at(model, vocabulary, ids, places);
  const auto [best, order] = probabilities.topk(std::min(count, vocabulary.size), -1);
  std::vector<int64_t> filled = ids;
  for (size_t i = 0; i < places.size(); ++i) {
    filled[places[i]] = order[static_cast<int64_t>(i)][0].item<int64_t>();
  }
  std::vector<std::vector<Filling>> all;
  for (int64_t i = 0; i < static_cast<int64_t>(places.size()); ++i) {
    std::vector<Filling> fillings;
    for (int64_t j = 0; j < best.size(1); ++j) {
      const auto id = order[i][j].item<int64_t>();
      std::vector<int64_t> variant = filled;
      variant[places[i]] = id;
      fillings.push_back(
          {id, tokenizer.piece(id), plain_text(tokenizer, variant), best[i][j].item<double>()});
    }
    all.push_back(std::move(fillings));
  }
  return all;
}

std::vector<std::vector<int64_t>> spans_of(const std::vector<int64_t>& target,
                                           const std::vector<int64_t>& wanted,
                                           const std::vector<int64_t>& sentinels) {
  std::vector<std::vector<int64_t>> spans(wanted.size());
  std::vector<int64_t>* current = nullptr;
  for (const int64_t id : target) {
    if (!is_one_of(id, sentinels)) {
      if (current != nullptr) {
        current->push_back(id);
      }
      continue;
    }
    const auto it = std::find(wanted.begin(), wanted.end(), id);
    current = it == wanted.end() ? nullptr : &spans[it - wanted.begin()];
    if (current != nullptr) {
      current->clear();  // a decoder that writes a sentinel twice means the later one
    }
  }
  return spans;
}

Infilling infill_spans(const LoadedRun& run,
                       const std::string& text,
                       const GenerateOptions& options,
                       Stream& stream) {
  Model& model = *run.parts.model;
  const Tokenizer& tokenizer = *run.tokenizer;
  const Vocabulary& vocabulary = tokenizer.vocabulary();
  check(model.architecture() == Architecture::encoder_decoder,
        "infill needs an encoder-decoder trained with span_corruption, or a decoder-only model trained with "
        "fill_in_the_middle; use fill-mask or generate for the others");
  const std::vector<int64_t> source =
      InputFrame::of_source(vocabulary).one(tokenizer.encode_marked(run.parts.reading.text(text))).ids;
  std::vector<int64_t> wanted;
  std::copy_if(source.begin(), source.end(), std::back_inserter(wanted), [&](int64_t id) {
    return is_one_of(id, vocabulary.sentinels);
  });
  check(!wanted.empty(), "the text has no sentinel such as <extra_id_0> to fill");
  for (size_t i = 1; i < wanted.size(); ++i) {
    check(std::find(wanted.begin(), wanted.begin() + static_cast<std::ptrdiff_t>(i), wanted[i]) ==
              wanted.begin() + static_cast<std::ptrdiff_t>(i),
          "{} stands twice in the text, but each gap needs a sentinel of its own",
          tokenizer.piece(wanted[i]));
  }
  check_length(model, source.size());

  Infilling result;
  result.target = generate(model, prompt_of_source(model, vocabulary, source), options, stream);
  const std::vector<std::vector<int64_t>> spans = spans_of(result.target, wanted, vocabulary.sentinels);
  std::vector<int64_t> whole;
  size_t next = 0;
  for (const int64_t id : source) {
    if (is_one_of(id, vocabulary.sentinels)) {
      whole.insert(whole.end(), spans[next].begin(), spans[next].end());
      ++next;
    } else {
      whole.push_back(id);
    }
  }
  for (const std::vector<int64_t>& span : spans) {
    result.spans.push_back(tokenizer.decode(span));
  }
  result.text = plain_text(tokenizer, whole);
  return result;
}

}  // namespace lmzoo
