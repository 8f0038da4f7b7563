#include "train/inspect.h"

#include "core/check.h"
#include "data/collate.h"
#include "data/loader.h"
#include "models/parameter.h"

namespace lmzoo {
namespace {

class Inspector {
 public:
  Inspector(const Parts& parts, const Tokenizer& tokenizer) : parts_(parts), tokenizer_(tokenizer) {}

  // `sample`: which of the batch's sequences.
  InspectedExample show(const Batch& batch, int64_t sample, const Sample& content) const {
    InspectedExample example;
    example.window = batch.samples.front();
    example.text = tokenizer_.decode(content.ids);
    for (const int64_t id : content.ids) {
      example.ids.push_back(token(id));
    }
    const Inputs& inputs = batch.inputs;
    const bool has_decoder = inputs.decoder_ids.defined();
    const bool labeled = parts_.objective->form() == FormKind::labeled;
    example.sequences.push_back(
        sequence(has_decoder ? "encoder" : "input", inputs.ids, inputs.sequences, sample));
    if (has_decoder) {
      example.sequences.push_back(sequence("decoder", inputs.decoder_ids, inputs.decoder_sequences, sample));
    }
    if (labeled) {
      example.label = parts_.classes.at(static_cast<size_t>(content.label));
    } else {
      const Sequences& predicted = has_decoder ? inputs.decoder_sequences : inputs.sequences;
      add_labels(batch, predicted, sample, example.sequences.back());
    }
    describe_attention(inputs, sample, example);
    return example;
  }

 private:
  InspectedToken token(int64_t id) const { return {id, tokenizer_.piece(id)}; }

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
    const int64_t* const rows = batch.rows.const_data_ptr<int64_t>();
    const int64_t* const labels = batch.labels.const_data_ptr<int64_t>();
    const int64_t start = sequences.start(index);
    for (int64_t i = 0; i < batch.rows.numel(); ++i) {
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
          last.attention += concat("; the first ", prefix, " are seen by all");
          for (int64_t i = 0; i < prefix; ++i) {
            last.positions[static_cast<size_t>(i)].sees_all = true;
          }
        }
        return;
    }
  }

  const Parts& parts_;
  const Tokenizer& tokenizer_;
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
  const Parts parts = build_parts(loaded, registry, tokenizer->vocabulary(), store->classes());
  const Windows windows = make_windows(loaded, *parts.objective, parts.vocabulary, store);
  Loader loader(windows, loader_steps(parts), {.batch_size = 1, .seed = config.stream_seed(), .workers = 0});
  const Inspector inspector(parts, *tokenizer);
  std::vector<InspectedExample> examples;
  while (std::ssize(examples) < count) {
    const Batch batch = loader.next().value();
    const std::vector<Sample> samples = windows.window(static_cast<int64_t>(batch.samples.front()));
    for (int64_t i = 0; i < std::ssize(samples) && std::ssize(examples) < count; ++i) {
      examples.push_back(inspector.show(batch, i, samples[static_cast<size_t>(i)]));
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
          {"label", example.label.empty() ? Json() : Json(example.label)},
          {"sequences", sequences}};
}

}  // namespace lmzoo
