#include "infer/ask/forward.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>

#include "base/check.h"
#include "core/input_frame.h"
#include "infer/ask/forward_line.h"
#include "io/json.h"
#include "io/lines.h"

namespace lmzoo {
namespace {

void check_request(const ForwardRequest& request, const Model& model, const Location& where) {
  const bool two_stacks = model.architecture() == Architecture::encoder_decoder;
  if (request.ids.empty()) {
    throw InputError(where, "no ids; a line holds {\"ids\": [...]} or {\"text\": \"...\"}");
  }
  if (two_stacks != !request.decoder_ids.empty()) {
    throw InputError(where,
                     two_stacks ? "decoder_ids are missing: the model is an encoder-decoder"
                                : "decoder_ids are given, but the model has no decoder of its own");
  }
  if (!request.token_types.empty() && request.token_types.size() != request.ids.size()) {
    throw InputError(
        where, fmt::format("{} token_types for {} ids", request.token_types.size(), request.ids.size()));
  }
  const auto longest = static_cast<int64_t>(std::max(request.ids.size(), request.decoder_ids.size()));
  if (longest > model.max_length()) {
    throw InputError(where,
                     fmt::format("{} ids, but the model takes at most {}", longest, model.max_length()));
  }
}

// Names of special tokens in the text become their ids.
std::vector<int64_t> framed_ids(const Parts& parts, const Tokenizer& tokenizer, const std::string& text) {
  const Vocabulary& vocabulary = parts.vocabulary;
  const Architecture architecture = parts.model->architecture();
  check(architecture != Architecture::encoder_only || vocabulary.inputs || (vocabulary.cls && vocabulary.sep),
        "the tokenizer has no [CLS] and [SEP], which an encoder's input needs");
  const InputFrame frame =
      architecture == Architecture::encoder_decoder ? InputFrame::of_source(vocabulary) : parts.reading.frame;
  return frame.one(tokenizer.encode_marked(parts.reading.text(text))).ids;
}

ForwardRequest parse_request(const Json& line,
                             const Parts& parts,
                             const Tokenizer& tokenizer,
                             const Location& where) {
  const Model& model = *parts.model;
  ForwardLine given = parse_forward_line(line, model.vocab_rows(), where);
  ForwardRequest request{.ids = std::move(given.ids),
                         .decoder_ids = given.decoder_ids.value_or(std::vector<int64_t>{}),
                         .token_types = std::move(given.token_types)};
  if (given.text) {
    request.ids = framed_ids(parts, tokenizer, *given.text);
    request.prefix_mask = parts.reading.prefix_mask;
    if (model.architecture() == Architecture::encoder_decoder && !given.decoder_ids) {
      request.decoder_ids = {start_symbol(tokenizer.vocabulary())};
    }
  }
  check_request(request, model, where);
  return request;
}

Inputs inputs_of(const ForwardRequest& request) {
  Inputs inputs;
  std::tie(inputs.ids, inputs.sequences) = packed_ids(std::span(&request.ids, 1));
  if (request.prefix_mask) {
    inputs.prefix = {std::ssize(request.ids)};
  }
  if (!request.token_types.empty()) {
    inputs.token_types = at::tensor(request.token_types, at::kLong);
  }
  if (!request.decoder_ids.empty()) {
    std::tie(inputs.decoder_ids, inputs.decoder_sequences) = packed_ids(std::span(&request.decoder_ids, 1));
  }
  return inputs;
}

}  // namespace

std::vector<ForwardRequest> read_forward_requests(const std::string& path,
                                                  const Parts& parts,
                                                  const Tokenizer& tokenizer) {
  std::vector<ForwardRequest> requests;
  LineReader lines(path);
  std::string line;
  while (lines.next(line)) {
    if (!line.empty()) {
      const Location where = lines.where();
      requests.push_back(parse_request(parse_json_line(line, where), parts, tokenizer, where));
    }
  }
  check(!requests.empty(), "{}: no line to compute", path);
  return requests;
}

NamedTensors forward(Model& model,
                     const std::vector<ForwardRequest>& requests,
                     const ForwardOptions& options) {
  const at::NoGradGuard no_grad;
  const at::Device device = model.parameters().front().device();
  NamedTensors all;
  for (size_t n = 0; n < requests.size(); ++n) {
    Trace trace;
    trace.want_attention = options.attention;
    Inputs inputs = inputs_of(requests[n]).to(device);
    inputs.trace = options.hidden || options.attention ? &trace : nullptr;
    const Tensor states = model.hidden(inputs);  // [T, D]
    all.push_back({fmt::format("logits.{}", n), model.logits(states).to(at::kCPU)});
    for (size_t layer = 0; options.hidden && layer < trace.hidden.size(); ++layer) {
      all.push_back({fmt::format("hidden.{}.{}", n, layer), trace.hidden[layer].to(at::kCPU)});
    }
    for (size_t layer = 0; layer < trace.attention.size(); ++layer) {
      all.push_back(
          {fmt::format("attention.{}.{}", n, layer), trace.attention[layer].squeeze(0).to(at::kCPU)});
    }
  }
  return all;
}

}  // namespace lmzoo
