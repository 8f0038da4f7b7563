#include "infer/report/inspect.h"

#include "base/check.h"
#include "data/batches/collate.h"
#include "data/batches/loader.h"
#include "infer/report/inspect_words.h"
#include "nn/parameter.h"
#include "tokenizer/vocabulary_of.h"
#include "train/config/word_settings.h"

namespace lmzoo {
namespace {

class Inspector {
 public:
  Inspector(const Parts& parts, const Tokenizer& tokenizer) : parts_(parts), tokenizer_(tokenizer) {
    const std::vector<Slot> slots = parts.objective->slots();
    while (shown_ + 1 < slots.size() && !slots[shown_].classes.empty()) {
      ++shown_;
    }
    slot_ = slots[shown_];
  }

  // `sample`: which of the batch's sequences.
  InspectedExample show(const Batch& batch, int64_t sample, const Sample& content) const {
    InspectedExample example;
    example.window = batch.samples.front();
    std::vector<std::vector<int64_t>> texts{content.ids};
    texts.insert(texts.end(), content.further_texts.begin(), content.further_texts.end());
    texts.insert(texts.end(), content.choices.begin(), content.choices.end());
    if (!content.target.empty()) {
      texts.push_back(content.target);
    }
    for (const std::vector<int64_t>& text : texts) {
      example.text += (example.text.empty() ? "" : " | ") + tokenizer_.decode(text);
      for (const int64_t id : text) {
        example.ids.push_back(token(id));
      }
    }
    const Inputs& inputs = batch.inputs;
    if (slot().predicts != Predicts::ids) {
      show_task(batch, sample, content, example);
      return example;
    }
    const bool has_decoder = inputs.decoder_ids.defined();
    example.sequences.push_back(
        sequence(has_decoder ? "encoder" : "input", inputs.ids, inputs.sequences, sample));
    if (has_decoder) {
      example.sequences.push_back(sequence("decoder", inputs.decoder_ids, inputs.decoder_sequences, sample));
    }
    const Sequences& predicted = has_decoder ? inputs.decoder_sequences : inputs.sequences;
    add_labels(batch, predicted, sample, example.sequences.back());
    describe_attention(inputs, sample, example);
    example.label = class_beside(batch, sample);
    return example;
  }

 private:
  // The one slot that is shown: the first whose labels are of the text or of the data.
  const Slot& slot() const { return slot_; }
  std::string class_beside(const Batch& batch, int64_t sequence) const {
    const std::vector<Slot> slots = parts_.objective->slots();
    for (size_t s = 1; s < slots.size(); ++s) {
      if (slots[s].level != Level::sequence || slots[s].predicts != Predicts::classes) {
        continue;
      }
      const SlotBatch& targets = batch.slots[s];
      for (int64_t i = 0; i < targets.count(); ++i) {
        if (targets.rows.const_data_ptr<int64_t>()[i] == sequence) {
          return fmt::format("{} {}", slots[s].name, targets.labels.const_data_ptr<int64_t>()[i]);
        }
      }
    }
    return "";
  }
  InspectedToken token(int64_t id) const { return {id, tokenizer_.piece(id)}; }
  InspectedToken class_token(int64_t index) const {
    return {index, parts_.classes.at(static_cast<size_t>(index))};
  }

  // Labels that are no ids. Of records with columns the batch holds one, which may be several sequences:
  // choices, both orders of a pair, pieces of a passage.
  void show_task(const Batch& batch, int64_t sample, const Sample& content, InspectedExample& example) const {
    const Sequences& sequences = batch.inputs.sequences;
    const bool is_alone = slot().level != Level::sequence || slot().predicts == Predicts::rows;
    const int64_t first = is_alone ? 0 : sample;
    const int64_t last = is_alone ? sequences.count() : sample + 1;
    for (int64_t i = first; i < last; ++i) {
      const std::string name = last - first == 1 ? "input" : fmt::format("input {}", i - first + 1);
      example.sequences.push_back(sequence(name, batch.inputs.ids, sequences, i));
      example.sequences.back().attention = parts_.model->architecture() == Architecture::decoder_only
                                               ? "a position sees itself and those before it"
                                               : "every position sees every other";
      add_task_labels(batch, i, example.sequences.back());
    }
    example.label = label_text(content);
  }

  void add_task_labels(const Batch& batch, int64_t index, InspectedSequence& shown) const {
    const Sequences& sequences = batch.inputs.sequences;
    const SlotBatch& targets = batch.slots.at(shown_);
    const int64_t* const labels = targets.labels.const_data_ptr<int64_t>();
    if (slot().predicts == Predicts::rows) {
      for (const int64_t end : {1, 0}) {
        const int64_t at = labels[2 * index + end];
        shown.positions.at(static_cast<size_t>(at)).label = InspectedToken{at,
                                                                           at == 0    ? "no answer"
                                                                           : end == 0 ? "begin"
                                                                                      : "end"};
      }
    } else if (slot().level == Level::position) {
      const int64_t* const rows = targets.rows.const_data_ptr<int64_t>();
      for (int64_t i = 0; i < targets.rows.numel(); ++i) {
        const int64_t at = rows[i] - sequences.start(index);
        if (at >= 0 && at < sequences.length(index)) {
          shown.positions[static_cast<size_t>(at)].label = class_token(labels[i]);
        }
      }
    }
  }

  // What is expected of the whole sample, in words; empty when it is shown at positions.
  std::string label_text(const Sample& content) const {
    if (slot().level == Level::position || slot().predicts == Predicts::rows) {
      return "";
    }
    if (!content.choices.empty()) {
      return fmt::format("choice {} of {}", content.label + 1, content.choices.size());
    }
    if (content.label >= 0) {
      return class_token(content.label).piece;
    }
    if (content.value) {
      return fmt::format("{:g}", *content.value);
    }
    std::string names;
    for (const int64_t index : content.label_set) {
      names += (names.empty() ? "" : ", ") + class_token(index).piece;
    }
    return names.empty() ? "no class" : names;
  }

  InspectedSequence sequence(const std::string& name,
                             const Tensor& ids,
                             const Sequences& sequences,
                             int64_t index) const {
    InspectedSequence shown{.name = name, .attention = "", .positions = {}};
    const int64_t* const all = ids.const_data_ptr<int64_t>();
    for (int64_t i = sequences.start(index); i < sequences.start(index) + sequences.length(index); ++i) {
      shown.positions.push_back(
          {.input = token(all[i]), .special = parts_.vocabulary.is_special(all[i]), .label = {}});
    }
    return shown;
  }

  void add_labels(const Batch& batch,
                  const Sequences& sequences,
                  int64_t index,
                  InspectedSequence& shown) const {
    const SlotBatch& targets = batch.slots.at(shown_);
    const int64_t* const rows = targets.rows.const_data_ptr<int64_t>();
    const int64_t* const labels = targets.labels.const_data_ptr<int64_t>();
    const int64_t start = sequences.start(index);
    for (int64_t i = 0; i < targets.rows.numel(); ++i) {
      if (rows[i] >= start && rows[i] < start + sequences.length(index)) {
        shown.positions[static_cast<size_t>(rows[i] - start)].label = token(labels[i]);
      }
    }
  }

  void describe_attention(const Inputs& inputs, int64_t index, InspectedExample& example) const {
    const std::string all = "every position sees every other";
    const std::string past = "a position sees itself and those before it";
    InspectedSequence& last = example.sequences.back();
    switch (parts_.model->architecture()) {
      case Architecture::encoder_only:
        last.attention = all;
        return;
      case Architecture::encoder_decoder:
        example.sequences.front().attention = all;
        if (example.sequences.size() > 1) {
          last.attention = past + ", and the whole encoder";
        }
        return;
      case Architecture::decoder_only:
        last.attention = past;
        if (!inputs.prefix.empty()) {
          const int64_t prefix = inputs.prefix[static_cast<size_t>(index)];
          last.attention += fmt::format("; the first {} are seen by all", prefix);
          for (int64_t i = 0; i < prefix; ++i) {
            last.positions[static_cast<size_t>(i)].sees_all = true;
          }
        }
        return;
    }
  }

  const Parts& parts_;
  const Tokenizer& tokenizer_;
  size_t shown_ = 0;
  Slot slot_;
};

}  // namespace

std::vector<InspectedExample> inspect_examples(const LoadedConfig& loaded,
                                               const Registry& registry,
                                               int64_t count) {
  const RunConfig& config = loaded.config;
  constexpr auto kStyle = ProgressBar::Style::automatic;
  const auto tokenizer = make_run_tokenizer(loaded, kStyle);
  const auto store = open_store(loaded, "data.train", config.data.train, tokenizer, std::nullopt, kStyle);
  const MetaScope no_weights;
  const Parts parts = build_parts(loaded, registry, vocabulary_of(*tokenizer), store->classes());
  if (trains_word_vectors(config)) {
    const WordTask task(
        config.objective.options.as<WordOptions>(), config.objective.type == kCbow, *parts.vocabulary.counts);
    return inspect_sentences(task,
                             WordCorpus(store, config.data.sequence_length),
                             *tokenizer,
                             {.seed = config.stream_seed(), .count = count});
  }
  const MixedWindows windows = training_windows(loaded, parts, tokenizer, store);
  Loader loader(
      windows, loader_steps(parts, windows), {.batch_size = 1, .seed = config.stream_seed(), .workers = 0});
  const Inspector inspector(parts, *tokenizer);
  std::vector<InspectedExample> examples;
  uint64_t drawn = 0;
  while (std::ssize(examples) < count) {
    const Batch batch = loader.next().value();
    const uint64_t epoch = drawn++ / static_cast<uint64_t>(windows.size());
    const std::vector<Sample> samples = windows.window(epoch, static_cast<int64_t>(batch.samples.front()));
    // A document of sentences is one sample of several sequences.
    const bool has_pairs = parts.record().sentences;
    const int64_t shown = has_pairs ? batch.inputs.sequences.count() : std::ssize(samples);
    for (int64_t i = 0; i < shown && std::ssize(examples) < count; ++i) {
      examples.push_back(inspector.show(batch, i, samples[has_pairs ? 0 : static_cast<size_t>(i)]));
    }
  }
  return examples;
}

Json to_json(const InspectedExample& example) {
  Json ids = Json::array();
  for (const InspectedToken& token : example.ids) {
    ids.push_back(token.id);
  }
  Json sequences = Json::array();
  for (const InspectedSequence& sequence : example.sequences) {
    Json positions = Json::array();
    for (const InspectedPosition& position : sequence.positions) {
      positions.push_back({{"id", position.input.id},
                           {"piece", position.input.piece},
                           {"label", position.label ? Json(position.label->id) : Json()},
                           {"label_piece", position.label ? Json(position.label->piece) : Json()}});
    }
    sequences.push_back(
        {{"name", sequence.name}, {"attention", sequence.attention}, {"positions", positions}});
  }
  return {{"window", example.window},
          {"text", example.text},
          {"ids", ids},
          {"groups", to_json(example.groups)},
          {"label", example.label.empty() ? Json() : Json(example.label)},
          {"sequences", sequences}};
}

}  // namespace lmzoo
