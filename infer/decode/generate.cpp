#include "infer/decode/generate.h"

#include <algorithm>
#include <limits>
#include <stdexcept>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>

#include "base/check.h"

namespace lmzoo {
namespace {

bool contains(const std::vector<int64_t>& ids, int64_t id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

void check_lengths(const Model& model, const Prompt& prompt, int64_t added) {
  check(!prompt.context.empty(), "the prompt has no token");
  const auto context = static_cast<int64_t>(prompt.context.size());
  check(context <= model.max_length() - added,
        "the prompt has {} tokens and {} more are asked for, but the model takes at most {}",
        context,
        added,
        model.max_length());
  check(static_cast<int64_t>(prompt.source.size()) <= model.max_length(),
        "the source has {} tokens, but the model takes at most {}",
        prompt.source.size(),
        model.max_length());
}

int64_t limit_of(const Prompt& prompt, const GenerateOptions& options) {
  return prompt.room ? std::min(*prompt.room + 1, options.max_tokens) : options.max_tokens;
}

std::unique_ptr<Reader> make_reader(Model& model,
                                    std::span<const Prompt> prompts,
                                    const GenerateOptions& options) {
  if (!options.cache) {
    return reader_from_scratch(model, prompts);
  }
  int64_t capacity = 0;
  for (const Prompt& prompt : prompts) {
    capacity = std::max(capacity, std::ssize(prompt.context) + limit_of(prompt, options));
  }
  return reader_with_state(model, prompts, capacity);
}

// Logits of one row [V] to an id.
int64_t choose(std::span<float> logits, const GenerateOptions& options, Stream& stream) {
  for (const int64_t id : options.forbidden) {
    logits[static_cast<size_t>(id)] = -std::numeric_limits<float>::infinity();
  }
  return draw(candidates(logits, options.sampling), stream);
}

// The prompts that are still written: a row of the reader each.
struct Writing {
  std::vector<size_t> prompts;
  std::vector<std::vector<int64_t>> next;  // what each row reads next

  void add(size_t prompt, std::vector<int64_t> ids) {
    prompts.push_back(prompt);
    next.push_back(std::move(ids));
  }
};

}  // namespace

std::vector<std::vector<int64_t>> generate(Model& model,
                                           std::span<const Prompt> prompts,
                                           const GenerateOptions& options,
                                           std::span<Stream> streams,
                                           const SeenToken& seen) {
  if (streams.size() != prompts.size()) {
    throw std::logic_error("generate: every prompt needs a stream");
  }
  if (prompts.empty()) {
    return {};
  }
  Writing writing;
  for (size_t i = 0; i < prompts.size(); ++i) {
    check_lengths(
        model, prompts[i], std::min(options.max_tokens, prompts[i].room.value_or(options.max_tokens)));
    writing.add(i, prompts[i].context);
  }
  const at::NoGradGuard no_grad;
  const std::unique_ptr<Reader> reader = make_reader(model, prompts, options);
  std::vector<std::vector<int64_t>> made(prompts.size());
  while (!writing.prompts.empty()) {
    const Tensor logits = reader->read(writing.next);  // [n, V]
    const auto vocabulary = static_cast<size_t>(logits.size(1));
    Writing left;
    std::vector<int64_t> rows;  // of those that are left
    for (size_t row = 0; row < writing.prompts.size(); ++row) {
      const size_t prompt = writing.prompts[row];
      float* own = logits.mutable_data_ptr<float>() + row * vocabulary;
      const int64_t id = choose({own, vocabulary}, options, streams[prompt]);
      if (contains(options.stop, id)) {
        continue;
      }
      made[prompt].push_back(id);
      if (seen) {
        seen(prompt, id);
      }
      if (std::ssize(made[prompt]) < limit_of(prompts[prompt], options)) {
        left.add(prompt, {id});
        rows.push_back(static_cast<int64_t>(row));
      }
    }
    if (rows.size() < writing.prompts.size()) {
      reader->reorder(rows);
    }
    writing = std::move(left);
  }
  return made;
}

std::vector<int64_t> generate(Model& model,
                              const Prompt& prompt,
                              const GenerateOptions& options,
                              Stream& stream,
                              const std::function<void(int64_t)>& seen) {
  const SeenToken show = [&](size_t, int64_t id) { seen(id); };
  return generate(model, std::span(&prompt, 1), options, std::span(&stream, 1), seen ? show : SeenToken{})
      .front();
}

Score score(Model& model, const Prompt& prompt, std::span<const int64_t> continuation) {
  const auto count = static_cast<int64_t>(continuation.size());
  check_lengths(model, prompt, count);
  const at::NoGradGuard no_grad;
  std::vector<int64_t> fed = prompt.context;
  fed.insert(fed.end(), continuation.begin(), continuation.end());
  fed.pop_back();  // nothing follows the last one
  const Inputs inputs = inputs_of(model, std::span(&prompt, 1), std::span(&fed, 1));
  const Tensor rows = at::arange(std::ssize(fed) - count, std::ssize(fed), inputs.ids.options());
  const Tensor states = model.hidden_at(inputs, {.rows = rows, .counts = {count}});   // [count, D]
  const Tensor logs = model.logits(states).to(at::kCPU, at::kFloat).log_softmax(-1);  // [count, V]
  const std::vector<int64_t> said(continuation.begin(), continuation.end());
  const Tensor wanted = packed_ids(std::span(&said, 1)).first;  // [count]
  return {logs.gather(1, wanted.unsqueeze(1)).sum(at::kDouble).item<double>(),
          at::equal(logs.argmax(-1), wanted)};
}

}  // namespace lmzoo
