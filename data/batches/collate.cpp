#include "data/batches/collate.h"

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <utility>
#include <variant>
#include <vector>

#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>

#include "base/check.h"

namespace lmzoo {
namespace {

Tensor to_tensor(const std::vector<int64_t>& values) {
  Tensor tensor = at::empty({static_cast<int64_t>(values.size())}, at::kLong);
  std::copy(values.begin(), values.end(), tensor.data_ptr<int64_t>());
  return tensor;
}

// Sequences that stand one after the other.
struct Packed {
  std::vector<int64_t> ids;
  std::vector<int64_t> lengths;
  size_t begin = 0;  // of the sequence that is being written

  int64_t end() const { return static_cast<int64_t>(ids.size()); }
  void append(std::span<const int64_t> more) { ids.insert(ids.end(), more.begin(), more.end()); }
  void finish_sequence() {
    lengths.push_back(static_cast<int64_t>(ids.size() - begin));
    begin = ids.size();
  }
};

class Collator {
 public:
  Collator(Architecture architecture, const Vocabulary& vocabulary)
      : architecture_(architecture), vocabulary_(vocabulary) {}

  void add(const InPlace& example) {
    check_positions(example.ids, example.positions, example.labels);
    if (architecture_ == Architecture::encoder_decoder) {
      std::vector<int64_t> original = example.ids;
      for (size_t i = 0; i < example.positions.size(); ++i) {
        original[example.positions[i]] = example.labels[i];
      }
      add_source(example.ids);
      add_decoder(original, {});
      return;
    }
    add_position_labels(example.positions, example.labels);
    add_source(example.ids);
  }

  void add(const SequenceToSequence& example) {
    if (architecture_ == Architecture::encoder_decoder) {
      add_source(example.source);
      add_decoder(example.target, example.unlabeled);
      return;
    }
    source_.ids.push_back(start());
    source_.append(example.source);
    prefix_.push_back(static_cast<int64_t>(example.source.size()) + 1);
    finish_predicting(source_, example.target, example.unlabeled);
  }

  void add(const TokenStream& example) {
    const std::span<const int64_t> ids = example.ids;
    const size_t given = std::min<size_t>(ids.size(), 1);
    source_.append(ids.first(given));
    std::vector<int64_t> unlabeled;
    for (int64_t i = 1; i < example.given; ++i) {
      unlabeled.push_back(i - 1);
    }
    finish_predicting(source_, ids.subspan(given), unlabeled);
  }

  void add(const Labeled& example) {
    if (example.values.empty()) {
      add_label(sequences(), example.label);
    } else {
      rows_.push_back(sequences());
      values_.insert(values_.end(), example.values.begin(), example.values.end());
    }
    add_source(example.ids, example.token_types);
  }

  void add(const Tagged& example) {
    check_positions(example.ids, example.positions, example.labels);
    for (const int64_t word : example.words) {
      words_.push_back(std::ssize(rows_) + word);
    }
    add_position_labels(example.positions, example.labels);
    add_source(example.ids, example.token_types);
  }

  void add(const Spanned& example) {
    const std::vector<int64_t> ends{example.begin, example.end};
    check_positions(example.ids, ends, ends);
    rows_.push_back(sequences());
    labels_.insert(labels_.end(), ends.begin(), ends.end());
    pieces_.push_back(example.piece);
    add_source(example.ids, example.token_types);
  }

  void add(const Choices& example) {
    add_label(sequences(), example.label);
    groups_.push_back(std::ssize(example.sequences));
    for (const Labeled& sequence : example.sequences) {
      if (example.next_tokens) {
        add_next_tokens(sequence.ids);
      }
      add_source(sequence.ids, sequence.token_types);
    }
  }

  Batch finish() const {
    Batch batch;
    batch.inputs.ids = to_tensor(source_.ids);
    batch.inputs.sequences = Sequences(source_.lengths);
    batch.inputs.prefix = prefix_;
    if (!decoder_.lengths.empty()) {
      batch.inputs.decoder_ids = to_tensor(decoder_.ids);
      batch.inputs.decoder_sequences = Sequences(decoder_.lengths);
    }
    batch.rows = to_tensor(rows_);
    if (labels_positions_) {
      const bool decodes = !decoder_.lengths.empty();
      batch.row_counts =
          count_rows(batch.rows, decodes ? batch.inputs.decoder_sequences : batch.inputs.sequences);
    }
    batch.labels = to_tensor(labels_);
    if (!pieces_.empty()) {
      batch.labels = batch.labels.view({-1, 2});
    }
    if (!values_.empty()) {
      batch.values = at::tensor(values_).view({std::ssize(rows_), -1});
    }
    if (!next_rows_.empty()) {
      batch.next_rows = to_tensor(next_rows_);
      batch.next_labels = to_tensor(next_labels_);
    }
    if (!types_.empty()) {
      std::vector<int64_t> types = types_;
      types.resize(source_.ids.size());
      batch.inputs.token_types = to_tensor(types);
    }
    batch.words = words_;
    batch.groups = groups_;
    batch.pieces = pieces_;
    batch.tokens = source_.end() + decoder_.end();
    return batch;
  }

 private:
  int64_t start() const {
    for (const std::optional<int64_t>& id : {vocabulary_.pad, vocabulary_.bos, vocabulary_.eos}) {
      if (id) {
        return *id;
      }
    }
    throw InputError("the decoder needs a symbol to begin with, but the tokenizer has no pad, bos or eos");
  }

  void add_label(int64_t row, int64_t label) {
    rows_.push_back(row);
    labels_.push_back(label);
  }

  // Of the sequence that the source gets next.
  void add_position_labels(std::span<const int64_t> positions, std::span<const int64_t> labels) {
    labels_positions_ = true;
    for (size_t i = 0; i < positions.size(); ++i) {
      add_label(source_.end() + positions[i], labels[i]);
    }
  }

  int64_t sequences() const { return std::ssize(source_.lengths); }

  void add_source(std::span<const int64_t> ids, std::span<const int64_t> types = {}) {
    if (!types.empty()) {
      types_.resize(source_.begin);  // sequences before it without types have type 0
      types_.insert(types_.end(), types.begin(), types.end());
    }
    source_.append(ids);
    source_.finish_sequence();
  }

  void add_next_tokens(std::span<const int64_t> ids) {
    for (size_t i = 1; i < ids.size(); ++i) {
      next_rows_.push_back(source_.end() + static_cast<int64_t>(i) - 1);
      next_labels_.push_back(ids[i]);
    }
  }

  void add_decoder(std::span<const int64_t> target, std::span<const int64_t> unlabeled) {
    decoder_.ids.push_back(start());
    finish_predicting(decoder_, target, unlabeled);
  }

  // The last id of the sequence that `to` is writing predicts target[0], which predicts target[1], and so on;
  // the last of the target is only predicted. `unlabeled` are ascending positions of the target.
  void finish_predicting(Packed& to, std::span<const int64_t> target, std::span<const int64_t> unlabeled) {
    labels_positions_ = true;
    const int64_t first = to.end() - 1;
    if (!target.empty()) {
      to.append(target.first(target.size() - 1));
    }
    to.finish_sequence();
    size_t skipped = 0;
    for (size_t i = 0; i < target.size(); ++i) {
      if (skipped < unlabeled.size() && unlabeled[skipped] == static_cast<int64_t>(i)) {
        ++skipped;
      } else {
        add_label(first + static_cast<int64_t>(i), target[i]);
      }
    }
  }

  static void check_positions(std::span<const int64_t> ids,
                              std::span<const int64_t> positions,
                              std::span<const int64_t> labels) {
    const bool legal = std::all_of(positions.begin(), positions.end(), [&](int64_t position) {
      return position >= 0 && position < std::ssize(ids);
    });
    if (!legal || labels.size() != positions.size()) {
      throw std::logic_error("collate: an example labels positions that it does not have");
    }
  }

  Architecture architecture_;
  const Vocabulary& vocabulary_;
  Packed source_, decoder_;
  bool labels_positions_ = false;  // of the source or, if there is one, the decoder; else whole sequences
  std::vector<int64_t> prefix_, rows_, labels_;
  std::vector<int64_t> types_;  // of the ids up to the last sequence that has any; empty: none has
  std::vector<float> values_;
  std::vector<int64_t> next_rows_, next_labels_, words_, groups_;
  std::vector<PassagePiece> pieces_;
};

}  // namespace

std::string refusal(FormKind form, Architecture architecture) {
  const bool encoder_only = architecture == Architecture::encoder_only;
  const bool decoder_only = architecture == Architecture::decoder_only;
  switch (form) {
    case FormKind::in_place:
      return decoder_only
                 ? "an objective that labels positions of its own input (masked LM, tagging) needs both "
                   "sides of them, but a decoder-only model sees only the left"
                 : "";
    case FormKind::sequence_to_sequence:
      return encoder_only
                 ? "an objective with a source and a target needs a decoder that writes the target, but "
                   "an encoder-only model has none"
                 : "";
    case FormKind::token_stream:
      if (encoder_only) {
        return "every position of an encoder-only model sees the next token, so there is nothing to predict";
      }
      return decoder_only ? ""
                          : "a next-token objective has no source that the encoder of an encoder-decoder "
                            "could read";
    case FormKind::labeled:
    case FormKind::tagged:
    case FormKind::spanned:
    case FormKind::choices:
      return "";
  }
  throw std::logic_error("refusal: unknown form");
}

Batch collate(std::span<const Example> examples, Architecture architecture, const Vocabulary& vocabulary) {
  if (!examples.empty()) {
    const std::string why = refusal(static_cast<FormKind>(examples.front().index()), architecture);
    if (!why.empty()) {
      throw std::logic_error("collate: " + why);
    }
  }
  Collator collator(architecture, vocabulary);
  for (const Example& example : examples) {
    if (example.index() != examples.front().index()) {
      throw std::logic_error("collate: examples of different forms");
    }
    std::visit([&](const auto& form) { collator.add(form); }, example);
  }
  return collator.finish();
}

}  // namespace lmzoo
