#include "objectives/support.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include <ATen/ops/embedding.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "base/number_or_group.h"

namespace lmzoo {
void register_objectives(Registry& registry);
}

namespace lmzoo::test {
namespace {

struct Setter final : FieldVisitor {
  explicit Setter(Settings settings) : left(std::move(settings)) {}
  Settings left;

  template <class T>
  void take(const FieldInfo& info, T& value) {
    if (const auto found = left.find(std::string(info.name)); found != left.end()) {
      value = std::get<T>(found->second);
      left.erase(found);
    }
  }
  void boolean(const FieldInfo& info, bool& value) override { take(info, value); }
  void integer(const FieldInfo& info, int64_t& value) override { take(info, value); }
  void real(const FieldInfo& info, double& value) override { take(info, value); }
  void text(const FieldInfo& info, std::string& value) override { take(info, value); }
  void choice(const FieldInfo& info, ChoiceRef& value) override {
    std::string name(value.get());
    take(info, name);
    if (!value.set(name)) {
      throw std::logic_error("no such choice: " + name);
    }
  }
  void optional(const FieldInfo& info, OptionalRef& value) override {
    if (left.contains(std::string(info.name))) {
      value.emplace();
      value.visit(*this, info);
    }
  }
  void list(const FieldInfo&, ListRef&) override {}
  // A number, or the fields of the group by their own names.
  void group(const FieldInfo& info, GroupRef& value) override {
    auto* short_form = dynamic_cast<NumberOrGroup*>(&value);
    if (short_form == nullptr) {
      left.erase(std::string(info.name));  // of an optional one: that it is there
      value.visit(*this);
    } else if (left.contains(std::string(info.name))) {
      take(info, short_form->become_number());
    } else if (left.contains("from")) {
      value.visit(*this);
    }
  }
};

// A TinyModel where an option asks for the zoo's bert, which this layer does not see.
struct TinyBertOptions {
  int64_t width = 16;

  static constexpr void fields(auto& self, auto& visit) {
    visit("width", self.width, "of states", at_least(1));
  }
};
ModelFamily tiny_bert() {
  return {.name = "bert",
          .summary = "for tests",
          .defaults = AnyOptions(TinyBertOptions{}),
          .presets = {},
          .make = [](const AnyOptions& options, const ModelContext& context) -> std::shared_ptr<Model> {
            return std::make_shared<TinyModel>(
                Architecture::encoder_only, context.vocabulary.size, options.as<TinyBertOptions>().width);
          }};
}

Tensor tensor_of(const std::vector<int64_t>& values) { return at::tensor(values, at::kLong); }

// What is predicted in one slot, at rows of the flat states.
struct PackedSlot {
  std::vector<int64_t> rows, labels;
  std::vector<float> weights;
};

// Flat ids, their lengths, and the slots.
struct Packer {
  std::vector<int64_t> ids, lengths, decoder_ids, decoder_lengths;
  std::vector<PackedSlot> slots;

  void append(const std::vector<int64_t>& sequence) {
    ids.insert(ids.end(), sequence.begin(), sequence.end());
    lengths.push_back(std::ssize(sequence));
  }
  void add(const Example& example) {
    const bool writes = example.layout == Layout::source_target;
    const int64_t first = writes ? std::ssize(decoder_ids) : std::ssize(ids);
    for (const Target& target : example.targets) {
      PackedSlot& slot = slots.at(static_cast<size_t>(target.slot));
      slot.labels.insert(slot.labels.end(), target.labels.begin(), target.labels.end());
      for (const int64_t position : target.at) {
        slot.rows.push_back(first + position);
      }
      if (target.at.empty() && !target.labels.empty()) {
        slot.rows.push_back(std::ssize(lengths));  // of the whole sequence
      }
      slot.weights.insert(slot.weights.end(), target.weights.begin(), target.weights.end());
      slot.weights.resize(slot.labels.size(), 1);
    }
    append(example.sequences.at(0).ids);
    if (writes) {
      const std::vector<int64_t>& written = example.sequences.at(1).ids;
      decoder_ids.push_back(0);
      decoder_ids.insert(decoder_ids.end(), written.begin(), written.end() - 1);
      decoder_lengths.push_back(std::ssize(written));
    }
  }
};

}  // namespace

Vocabulary bert_vocabulary() {
  return {.size = 30522,
          .pad = 0,
          .unk = 100,
          .bos = {},
          .eos = {},
          .cls = 101,
          .sep = 102,
          .mask = 103,
          .sentinels = {}};
}

Vocabulary t5_vocabulary() {
  Vocabulary vocabulary{.size = 32100,
                        .pad = 0,
                        .unk = 2,
                        .bos = {},
                        .eos = 1,
                        .cls = {},
                        .sep = {},
                        .mask = {},
                        .sentinels = {}};
  for (int64_t id = 32099; id >= 32000; --id) {
    vocabulary.sentinels.push_back(id);
  }
  return vocabulary;
}

ObjectiveContext bert_context(int64_t sequence_length) {
  return {.vocabulary = bert_vocabulary(),
          .architecture = Architecture::encoder_only,
          .sequence_length = sequence_length,
          .width = 16,
          .classes = {}};
}

ObjectiveContext t5_context(int64_t sequence_length, Architecture architecture) {
  return {.vocabulary = t5_vocabulary(),
          .architecture = architecture,
          .sequence_length = sequence_length,
          .width = 16,
          .classes = {}};
}

std::shared_ptr<Objective> make_objective(const std::string& name,
                                          const Settings& settings,
                                          const ObjectiveContext& context) {
  static const Registry registry = [] {
    Registry all;
    register_objectives(all);
    all.add(tiny_bert());
    return all;
  }();
  const ObjectiveKind& kind = registry.objective(name);
  AnyOptions options = kind.defaults;
  Setter setter(settings);
  options.visit(setter);
  if (!setter.left.empty()) {
    throw std::logic_error("no such option: " + setter.left.begin()->first);
  }
  ObjectiveContext complete = context;
  complete.make_model = [&](const NestedChoice& choice) {
    return registry.model(choice.type())
        .make(choice.options(), {context.vocabulary, context.sequence_length});
  };
  complete.make_model_on_embeddings = complete.make_model;
  complete.make_objective = [&](const NestedChoice& choice, const ObjectiveContext& own) {
    return registry.objective(choice.type()).make(choice.options(), own);
  };
  return kind.make(options, complete);
}

Stream stream_of(uint64_t sample, uint64_t seed) {
  return Stream({.seed = seed, .epoch = 0, .sample = sample});
}

std::vector<int64_t> ids_between(int64_t low, int64_t high, int64_t count, uint64_t seed) {
  Stream stream({.seed = seed, .purpose = Purpose::sampling});
  std::vector<int64_t> ids;
  for (int64_t i = 0; i < count; ++i) {
    ids.push_back(low + static_cast<int64_t>(stream.below(high - low)));
  }
  return ids;
}

Shown shown(Example example) {
  const Target first = example.targets.empty() ? Target{} : example.targets.front();
  Shown made{.ids = example.sequences.at(0).ids,
             .token_types = example.sequences[0].token_types,
             .target = {},
             .positions = first.at,
             .labels = first.labels,
             .unlabeled = {},
             .values = first.values,
             .example = std::move(example)};
  if (made.example.layout == Layout::source_target) {
    made.target = made.example.sequences.at(1).ids;
    for (int64_t t = 0; t < std::ssize(made.target); ++t) {
      if (std::ranges::find(first.at, t) == first.at.end()) {
        made.unlabeled.push_back(t);
      }
    }
  }
  return made;
}

std::vector<int64_t> stream_text(const Example& example) {
  std::vector<int64_t> text = example.sequences.at(0).ids;
  if (!example.targets.at(0).labels.empty()) {
    text.push_back(example.targets[0].labels.back());
  }
  return text;
}

Batch batch_of(const std::vector<Example>& examples, const std::vector<Slot>& slots) {
  Packer packer;
  packer.slots.resize(slots.size());
  for (const Example& example : examples) {
    packer.add(example);
  }
  Batch batch;
  batch.inputs.ids = tensor_of(packer.ids);
  batch.inputs.sequences = Sequences(packer.lengths);
  if (!packer.decoder_ids.empty()) {
    batch.inputs.decoder_ids = tensor_of(packer.decoder_ids);
    batch.inputs.decoder_sequences = Sequences(packer.decoder_lengths);
  }
  for (size_t i = 0; i < slots.size(); ++i) {
    const PackedSlot& slot = packer.slots[i];
    SlotBatch& made = batch.slots.emplace_back();
    made.rows = tensor_of(slot.rows);
    made.rows = slots[i].reads > 1 ? made.rows.view({-1, slots[i].reads}) : made.rows;
    made.labels = tensor_of(slot.labels);
    if (std::ranges::any_of(slot.weights, [](float weight) { return weight != 1; })) {
      made.weights = at::tensor(slot.weights, at::kFloat);
    }
    made.total = std::accumulate(slot.weights.begin(), slot.weights.end(), 0.0);
  }
  return batch;
}

TinyModel::TinyModel(Architecture architecture, int64_t vocabulary, int64_t width)
    : architecture_(architecture),
      embedding_(register_parameter("embedding", at::randn({vocabulary, width}))),
      positions_(register_parameter("positions", at::randn({64, width}))),
      head_(register_parameter("head", at::randn({vocabulary, width}) * 0.1)),
      bias_(register_parameter("bias", at::zeros({vocabulary}))) {}

Tensor TinyModel::embed(const Tensor& ids, const Sequences& sequences) const {
  return at::embedding(embedding_, ids) + positions_.index_select(0, sequences.positions());
}

Tensor TinyModel::encode(const Inputs& inputs) { return embed(inputs.ids, inputs.sequences); }

Tensor TinyModel::hidden(const Inputs& inputs) {
  const Tensor states = encode(inputs);
  if (architecture_ != Architecture::encoder_decoder) {
    return states;
  }
  const Tensor sources = to_padded(states, inputs.sequences).mean(1);  // [n, D]
  return embed(inputs.decoder_ids, inputs.decoder_sequences) +
         sources.index_select(0, inputs.decoder_sequences.owners());
}

Projection TinyModel::project(const Tensor& rows) { return {.rows = rows, .weight = head_, .bias = bias_}; }

Overfit overfit(Objective& objective, Model& model, const Batch& batch, int64_t steps) {
  std::vector<Tensor> parameters = model.parameters();
  for (const Tensor& parameter : objective.parameters()) {
    parameters.push_back(parameter);
  }
  Overfit result;
  for (int64_t step = 0; step <= steps; ++step) {
    Stream stream({});
    const Losses losses = objective.loss(model, batch, stream);
    const Tensor loss = mean_loss(losses, batch);
    result.last = loss.item<double>();
    result.first = step == 0 ? result.last : result.first;
    result.accuracy = losses.at(0).metrics.at(0).second.item<double>() / batch.slots.at(0).total;
    loss.backward();
    const at::NoGradGuard no_grad;
    for (Tensor& parameter : parameters) {
      if (parameter.grad().defined()) {
        parameter -= parameter.grad();
        parameter.mutable_grad().reset();
      }
    }
  }
  return result;
}

double chi_squared(const std::vector<int64_t>& observed, const std::vector<double>& probabilities) {
  if (observed.size() != probabilities.size()) {
    throw std::logic_error("chi_squared: one probability for each count");
  }
  double total = 0;
  for (const int64_t count : observed) {
    total += static_cast<double>(count);
  }
  double sum = 0;
  for (size_t i = 0; i < observed.size(); ++i) {
    const double expected = total * probabilities[i];
    sum += std::pow(static_cast<double>(observed[i]) - expected, 2) / expected;
  }
  return sum;
}

double chi_squared_limit(int64_t degrees_of_freedom) {
  const auto k = static_cast<double>(degrees_of_freedom);
  return k * std::pow(1 - 2 / (9 * k) + 5 * std::sqrt(2 / (9 * k)), 3);
}

double five_sigma(double trials, double probability) {
  return 5 * std::sqrt(trials * probability * (1 - probability));
}

}  // namespace lmzoo::test
