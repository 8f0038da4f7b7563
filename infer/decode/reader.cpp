#include "infer/decode/reader.h"

#include "objectives/parts/heads.h"

namespace lmzoo {
namespace {

using IdLists = std::span<const std::vector<int64_t>>;

bool has_encoder(const Model& model) { return model.architecture() == Architecture::encoder_decoder; }
at::Device device_of(const Model& model) { return model.parameters().front().device(); }

// Empty when none has a prefix.
std::vector<int64_t> prefixes_of(std::span<const Prompt> prompts) {
  std::vector<int64_t> all;
  bool any = false;
  for (const Prompt& prompt : prompts) {
    all.push_back(prompt.prefix);
    any = any || prompt.prefix > 0;
  }
  return any ? all : std::vector<int64_t>{};
}

std::vector<std::vector<int64_t>> sources_of(std::span<const Prompt> prompts) {
  std::vector<std::vector<int64_t>> all;
  for (const Prompt& prompt : prompts) {
    all.push_back(prompt.source);
  }
  return all;
}

Tensor logits_of(Model& model, const Tensor& states) {
  return model.logits(states).to(at::kCPU, at::kFloat).contiguous();
}

template <class T>
std::vector<T> picked(const std::vector<T>& items, std::span<const int64_t> order) {
  std::vector<T> chosen;
  for (const int64_t from : order) {
    chosen.push_back(items.at(static_cast<size_t>(from)));
  }
  return chosen;
}

class StateReader final : public Reader {
 public:
  StateReader(Model& model, std::span<const Prompt> prompts, int64_t capacity)
      : model_(model), prefix_(prefixes_of(prompts)) {
    DecodingPlan plan{.sequences = std::ssize(prompts), .capacity = capacity};
    if (has_encoder(model)) {
      const std::vector<std::vector<int64_t>> sources = sources_of(prompts);
      std::tie(plan.sources.ids, plan.sources.sequences) = packed_ids(sources);
      plan.sources = plan.sources.to(device_of(model));
    }
    state_ = model.start(plan);
  }

  Tensor read(IdLists added) override {
    const auto [ids, sequences] = packed_ids(added);
    const at::Device device = device_of(model_);
    const Sequences moved = sequences.to(device);
    const NewPositions fresh{.ids = ids.to(device), .sequences = moved, .prefix = std::exchange(prefix_, {})};
    return logits_of(model_, model_.append(*state_, fresh, last_rows(moved)));
  }

  void reorder(std::span<const int64_t> order) override { state_->reorder(order); }

 private:
  Model& model_;
  std::vector<int64_t> prefix_;  // of the first read
  std::unique_ptr<DecodingState> state_;
};

class ScratchReader final : public Reader {
 public:
  ScratchReader(Model& model, std::span<const Prompt> prompts)
      : model_(model), prompts_(prompts.begin(), prompts.end()), seen_(prompts.size()) {}

  Tensor read(IdLists added) override {
    for (size_t i = 0; i < added.size(); ++i) {
      seen_.at(i).insert(seen_[i].end(), added[i].begin(), added[i].end());
    }
    const Inputs inputs = inputs_of(model_, prompts_, seen_);
    const Sequences& written = has_encoder(model_) ? inputs.decoder_sequences : inputs.sequences;
    return logits_of(model_, model_.hidden_at(inputs, last_rows(written)));
  }

  void reorder(std::span<const int64_t> order) override {
    prompts_ = picked(prompts_, order);
    seen_ = picked(seen_, order);
  }

 private:
  Model& model_;
  std::vector<Prompt> prompts_;
  std::vector<std::vector<int64_t>> seen_;
};

}  // namespace

std::unique_ptr<Reader> reader_with_state(Model& model, std::span<const Prompt> prompts, int64_t capacity) {
  return std::make_unique<StateReader>(model, prompts, capacity);
}

std::unique_ptr<Reader> reader_from_scratch(Model& model, std::span<const Prompt> prompts) {
  return std::make_unique<ScratchReader>(model, prompts);
}

Inputs inputs_of(const Model& model, std::span<const Prompt> prompts, IdLists contexts) {
  Inputs inputs;
  if (has_encoder(model)) {
    std::tie(inputs.ids, inputs.sequences) = packed_ids(sources_of(prompts));
    std::tie(inputs.decoder_ids, inputs.decoder_sequences) = packed_ids(contexts);
  } else {
    std::tie(inputs.ids, inputs.sequences) = packed_ids(contexts);
    inputs.prefix = prefixes_of(prompts);
  }
  return inputs.to(device_of(model));
}

}  // namespace lmzoo
