// WHO predicts: a model turns packed ids into hidden states, and wanted rows of them into logits. Two calls,
// because only labeled positions are worth a projection to the vocabulary.
//
// Legend: N source positions, M decoder positions, K wanted rows, D width, V vocabulary.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/batch.h"
#include "core/decoding_state.h"
#include "core/module.h"

namespace lmzoo {

enum class Architecture { encoder_only, decoder_only, encoder_decoder };

// The last linear map, kept apart from its product so that a loss may compute it in chunks or for few
// candidates: logits = rows · weightᵀ + bias.
struct Projection {
  Tensor rows;    // [K, D] after the head's own transform and scaling
  Tensor weight;  // [V, D]
  Tensor bias;    // [V] or undefined

  Tensor logits() const;  // [K, V]
};

// Mean lengths of the sequences of one step, for counting work.
struct SequenceLengths {
  double source = 0;  // the only length of encoder-only and decoder-only models
  double target = 0;  // decoder length, encoder-decoder only
};

// What a part of a model is for, as seen from its blocks.
enum class PartKind {
  embeddings,  // what stands before the blocks: tables of tokens, positions, segments, and their norm
  block,
  head,        // what stands after the blocks of a stack: its final norm, a pooler, a head's own layers
  projection,  // the map to the vocabulary, of a model that does not take its embedding for it
};

// Which positions a part of an encoder-decoder works on. Other models know only `source`.
enum class PartInput { source, target };

struct ModelPart {
  std::string name;  // "embeddings", "encoder.block3"
  PartKind kind = PartKind::embeddings;
  std::vector<std::string> prefixes;  // its parameters: names that are one of these or continue one at a dot
  PartInput input = PartInput::source;
  std::string stack{};  // blocks: of which stack, as in "encoder"
  int64_t depth = 0;    // blocks: how many of the stack are below

  bool holds(std::string_view parameter) const;
};

// The part that holds a parameter, by its name within the model. Every parameter is in one part: else
// std::logic_error.
const ModelPart& part_of(const std::vector<ModelPart>& parts, std::string_view parameter);

class Model : public Module {
 public:
  using Module::Module;

  // From the input to the output; an encoder before its decoder.
  virtual std::vector<ModelPart> parts() const = 0;
  int64_t blocks() const;  // of its last stack: of an encoder-decoder the decoder's

  virtual Architecture architecture() const = 0;
  virtual int64_t width() const = 0;  // D
  // E: numbers in a row of the token embedding; where they are not D, a map follows it.
  virtual int64_t embedding_width() const { return width(); }
  virtual int64_t vocab_rows() const = 0;  // V: rows of the embedding; at least the tokenizer's size
  virtual int64_t max_length() const = 0;  // longest legal sequence (positions); INT64_MAX when unbounded

  // States before the head: [N, D]; for an encoder-decoder the decoder's, [M, D].
  virtual Tensor hidden(const Inputs& inputs) = 0;

  // The states of wanted rows: [K, D]. A model that can overrides it to leave out of its last block what no
  // wanted row needs.
  virtual Tensor hidden_at(const Inputs& inputs, const WantedRows& wanted);

  // States of the source: [N, D]. For an encoder-decoder the encoder's output, else the same as hidden().
  virtual Tensor encode(const Inputs& inputs) { return hidden(inputs); }
  Tensor encode_at(const Inputs& inputs, const WantedRows& wanted);  // [K, D]

  // A table of words instead of a network: what learns word vectors goes with it, and nothing else does.
  virtual bool of_words() const { return false; }

  // A transform of the first state of every sequence that belongs to the model (BERT's pooler): [n, D] -> [n,
  // D].
  virtual bool has_pooler() const { return false; }
  virtual Tensor pool(const Tensor& firsts);  // std::logic_error without one

  // The language-model head on chosen rows of hidden()'s output: [K, D] -> projection to [K, V].
  virtual Projection project(const Tensor& rows) = 0;
  Tensor logits(const Tensor& rows) { return project(rows).logits(); }

  // Writing, a position after the other (core/decoding_state.h), without gradients and dropout. A model that
  // only reads has neither: std::logic_error.
  virtual std::unique_ptr<DecodingState> start(const DecodingPlan& plan);
  // Reads `added` behind what the state has, and extends it. States before the head, of the wanted rows among
  // the new positions: [K, D].
  virtual Tensor append(DecodingState& state, const NewPositions& added, const WantedRows& wanted);

  // Floating-point operations of one training step (forward and backward, 6 per multiply-add weight) over one
  // sequence with `labeled` rows projected to the vocabulary; attention included (reference: 6·N_mm +
  // 12·L·d·T·c).
  virtual double train_flops(const SequenceLengths& lengths, double labeled) const = 0;
};

}  // namespace lmzoo
