// `lmzoo forward`: what a model computes for given ids or texts, as tensors: feature extraction, debugging,
// parity.
//
// Input, a JSON object a line: {"ids": [...], "decoder_ids": [...], "token_types": [...]} or {"text": "..."}.
// Output for line n (from 0): logits.n [T, V]; hidden.n.l [T, D] after the embedding (l = 0) and after each
// layer; attention.n.l [H, T, T] probabilities. T counts decoder ids for an encoder-decoder.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/model.h"
#include "core/parameters.h"
#include "tokenizer/tokenizer.h"
#include "train/run/assemble.h"

namespace lmzoo {

struct ForwardRequest {
  std::vector<int64_t> ids;
  std::vector<int64_t> decoder_ids;  // encoder-decoder only; of a text: the start symbol alone
  std::vector<int64_t> token_types;  // empty: absent
  bool prefix_mask = false;          // as in Reading
};

// Reads and checks a JSONL file against the model's architecture, vocabulary and length; errors name file and
// line.
std::vector<ForwardRequest> read_forward_requests(const std::string& path,
                                                  const Parts& parts,
                                                  const Tokenizer& tokenizer);

struct ForwardOptions {
  bool hidden = false;
  bool attention = false;
};

// All requests are computed one by one, so that no result depends on its neighbors.
NamedTensors forward(Model& model,
                     const std::vector<ForwardRequest>& requests,
                     const ForwardOptions& options);

}  // namespace lmzoo
