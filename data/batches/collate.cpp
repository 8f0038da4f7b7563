#include "data/batches/collate.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <stdexcept>
#include <utility>
#include <vector>

#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>

#include "base/check.h"
#include "core/input_frame.h"
#include "data/batches/slot_targets.h"

namespace lmzoo {
namespace {

// Sequences that stand one after the other.
struct Packed {
  std::vector<int64_t> ids;
  std::vector<int64_t> lengths;
  size_t begin = 0;  // of the sequence that is being written

  int64_t end() const { return std::ssize(ids); }
  int64_t count() const { return std::ssize(lengths); }
  void append(std::span<const int64_t> more) { ids.insert(ids.end(), more.begin(), more.end()); }
  void finish_sequence() {
    lengths.push_back(static_cast<int64_t>(ids.size() - begin));
    begin = ids.size();
  }
};

[[noreturn]] void misfit(const std::string& what) { throw std::logic_error("collate: " + what); }

class Collator {
 public:
  explicit Collator(const CollateRules& rules) : rules_(rules) {
    for (const Slot& slot : rules.slots) {
      slots_.emplace_back(slot);
    }
  }

  void add(const Example& example) {
    if (example.sequences.empty()) {
      misfit("an example without a sequence");
    }
    notes_.push_back(example.note);
    switch (example.layout) {
      case Layout::in_place:
        return add_in_place(example);
      case Layout::source_target:
        return add_source_target(example);
      case Layout::stream:
        require(rules_.architecture == Architecture::decoder_only, "a stream");
        return add_as_it_is(example);
    }
  }

  Batch finish() {
    if (!decoder_.lengths.empty() && decoder_.count() != source_.count()) {
      misfit("examples with a target beside examples without one");
    }
    Batch batch;
    batch.inputs.ids = to_tensor(source_.ids);
    batch.inputs.sequences = Sequences(source_.lengths);
    if (std::ranges::any_of(prefix_, [](int64_t visible) { return visible > 0; })) {
      batch.inputs.prefix = prefix_;
    }
    if (!decoder_.lengths.empty()) {
      batch.inputs.decoder_ids = to_tensor(decoder_.ids);
      batch.inputs.decoder_sequences = Sequences(decoder_.lengths);
    }
    if (!types_.empty()) {
      types_.resize(source_.ids.size());
      batch.inputs.token_types = to_tensor(types_);
    }
    for (SlotTargets& slot : slots_) {
      const bool decodes = is_written(slot.slot()) && !decoder_.lengths.empty();
      batch.slots.push_back(slot.finish(decodes ? batch.inputs.decoder_sequences : batch.inputs.sequences));
    }
    batch.group_sizes = std::move(group_sizes_);
    if (std::ranges::any_of(notes_, [](const std::any& note) { return note.has_value(); })) {
      batch.notes = std::move(notes_);
    }
    batch.tokens = source_.end() + decoder_.end();
    return batch;
  }

 private:
  static void require(bool fits, const char* what) {
    if (!fits) {
      misfit(std::string(what) + " cannot be given to this architecture");
    }
  }

  bool writes() const { return rules_.architecture == Architecture::encoder_decoder; }
  // Whether a slot's rows are the decoder's.
  bool is_written(const Slot& slot) const { return writes() && slot.predicts == Predicts::ids; }

  SlotTargets& slot_of(const Target& target) {
    if (target.slot < 0 || target.slot >= std::ssize(slots_)) {
      misfit("a target of a slot that the objective does not have");
    }
    return slots_[static_cast<size_t>(target.slot)];
  }

  void add_in_place(const Example& example) {
    const bool restores = std::ranges::any_of(
        example.targets, [&](const Target& target) { return is_written(slot_of(target).slot()); });
    if (restores) {
      return add_restored(example);
    }
    add_as_it_is(example);
    if (example.sees_both_sides && rules_.architecture == Architecture::decoder_only) {
      for (size_t i = prefix_.size() - example.sequences.size(); i < prefix_.size(); ++i) {
        prefix_[i] = source_.lengths[i];
      }
    }
  }

  // Every sequence is read, and targets stand in the states of what is read.
  void add_as_it_is(const Example& example) {
    const int64_t first = source_.count();
    std::vector<int64_t> starts;
    for (const TokenSequence& sequence : example.sequences) {
      starts.push_back(source_.end());
      add_source(sequence);
    }
    group_sizes_.push_back(std::ssize(example.sequences));
    for (const Target& target : example.targets) {
      const size_t sequence = sequence_of(target, example);
      slot_of(target).add(target,
                          {.first_row = starts[sequence],
                           .length = std::ssize(example.sequences[sequence].ids),
                           .sequence = first + target.sequence,
                           .group = first});
    }
  }

  // An encoder-decoder writes what the corrupted sequence was.
  void add_restored(const Example& example) {
    if (example.sequences.size() != 1) {
      misfit("several sequences whose ids an encoder-decoder would have to write");
    }
    const std::vector<int64_t>& ids = example.sequences.front().ids;
    Target whole{.at = std::vector<int64_t>(ids.size()), .labels = ids};
    std::iota(whole.at.begin(), whole.at.end(), 0);
    Example rest{.layout = Layout::in_place, .sequences = example.sequences};
    for (const Target& target : example.targets) {
      if (!is_written(slot_of(target).slot())) {
        rest.targets.push_back(target);
        continue;
      }
      whole.slot = target.slot;
      if (target.at.size() != target.labels.size() || !target.weights.empty()) {
        misfit("a target that an encoder-decoder cannot restore");
      }
      for (size_t i = 0; i < target.at.size(); ++i) {
        if (target.at[i] < 0 || target.at[i] >= std::ssize(ids)) {
          misfit("a target labels positions that its sequence does not have");
        }
        whole.labels[static_cast<size_t>(target.at[i])] = target.labels[i];
      }
    }
    const std::vector<int64_t> original = whole.labels;
    add_decoder(original, {&whole, 1});
    add_as_it_is(rest);
  }

  void add_source_target(const Example& example) {
    require(rules_.architecture != Architecture::encoder_only, "a source and a target");
    if (example.sequences.size() != 2) {
      misfit("a source and a target are two sequences");
    }
    const TokenSequence& source = example.sequences[0];
    const std::vector<int64_t>& target = example.sequences[1].ids;
    if (writes()) {
      add_decoder(target, example.targets);
      add_source(source);
    } else {
      source_.ids.push_back(start_symbol(rules_.vocabulary));
      source_.append(source.ids);
      write(source_, target, example.targets);
      prefix_.push_back(std::ssize(source.ids) + 1);
    }
    group_sizes_.push_back(1);
  }

  void add_decoder(std::span<const int64_t> target, std::span<const Target> targets) {
    decoder_.ids.push_back(start_symbol(rules_.vocabulary));
    write(decoder_, target, targets);
  }

  // The last id of the sequence that `to` is writing predicts target[0], which predicts target[1], and so on; the
  // last of the target is only predicted.
  void write(Packed& to, std::span<const int64_t> target, std::span<const Target> targets) {
    const RowsOfSequence rows{
        .first_row = to.end() - 1, .length = std::ssize(target), .sequence = to.count(), .group = to.count()};
    if (!target.empty()) {
      to.append(target.first(target.size() - 1));
    }
    to.finish_sequence();
    for (const Target& wanted : targets) {
      slot_of(wanted).add(wanted, rows);
    }
  }

  static size_t sequence_of(const Target& target, const Example& example) {
    if (target.sequence < 0 || target.sequence >= std::ssize(example.sequences)) {
      misfit("a target of a sequence that the example does not have");
    }
    return static_cast<size_t>(target.sequence);
  }

  void add_source(const TokenSequence& sequence) {
    if (!sequence.token_types.empty()) {
      types_.resize(source_.begin);  // sequences before it without types have type 0
      types_.insert(types_.end(), sequence.token_types.begin(), sequence.token_types.end());
    }
    source_.append(sequence.ids);
    source_.finish_sequence();
    prefix_.push_back(0);
  }

  const CollateRules& rules_;
  Packed source_, decoder_;
  std::vector<SlotTargets> slots_;
  std::vector<int64_t> prefix_;  // of each source sequence; 0: causal
  std::vector<int64_t> types_;   // of the ids up to the last sequence that has any; empty: none has
  std::vector<int64_t> group_sizes_;
  std::vector<std::any> notes_;
};

}  // namespace

std::string refusal(const ObjectiveForm& form, Architecture architecture) {
  const bool encoder_only = architecture == Architecture::encoder_only;
  const bool decoder_only = architecture == Architecture::decoder_only;
  switch (form.layout) {
    case Layout::in_place:
      return decoder_only && form.needs_both_sides
                 ? "an objective that labels positions of its own input (masked LM, tagging) needs both "
                   "sides of them, but a decoder-only model sees only the left"
                 : "";
    case Layout::source_target:
      return encoder_only
                 ? "an objective with a source and a target needs a decoder that writes the target, but "
                   "an encoder-only model has none"
                 : "";
    case Layout::stream:
      if (encoder_only) {
        return "every position of an encoder-only model sees the next token, so there is nothing to predict";
      }
      return decoder_only ? ""
                          : "a next-token objective has no source that the encoder of an encoder-decoder "
                            "could read";
  }
  throw std::logic_error("refusal: unknown layout");
}

std::string refusal(const ObjectiveForm& form, const Model& model) {
  if (form.of_words != model.of_words()) {
    return form.of_words ? "word vectors are learned by a table of words, and this is a network"
                         : "a table of words learns word vectors and nothing else";
  }
  return refusal(form, model.architecture());
}

Batch collate(std::span<const Example> examples, const CollateRules& rules) {
  Collator collator(rules);
  for (const Example& example : examples) {
    collator.add(example);
  }
  return collator.finish();
}

}  // namespace lmzoo
