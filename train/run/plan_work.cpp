#include "train/run/plan_work.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/machine_memory.h"
#include "core/parameters.h"
#include "io/files.h"
#include "nn/attention_note.h"
#include "train/config/word_settings.h"
#include "train/loop/step.h"
#include "train/run/full_window.h"
#include "train/start/head_classes.h"
#include "train/words/work.h"

namespace lmzoo {
namespace {

// What the libraries take before there is any model.
constexpr double kProcessBytes = 150e6;

// Sizes that no machine has are still told, as the largest number there is.
int64_t rounded(double value) {
  constexpr double kMost = 9e18;
  return std::llround(std::min(value, kMost));
}

class WorkCounter {
 public:
  WorkCounter(const PlannedParts& planned, Plan& plan)
      : loaded_(planned.loaded),
        config_(loaded_.config),
        registry_(planned.registry),
        parts_(planned.parts),
        options_(planned.options),
        plan_(plan) {}

  void count() {
    if (trains_word_vectors(config_)) {
      const WordVectorWork work = word_vector_work(config_, parts_.vocabulary);
      plan_.flops_per_token = work.flops_per_word;
      plan_.labels_per_window = work.labels_per_word * static_cast<double>(plan_.lengths.raw);
      plan_.tokens_per_step = work.words_per_step;
      plan_.memory_bytes = rounded(kProcessBytes + 4.0 * static_cast<double>(plan_.parameters));
      plan_.state_bytes = plan_.least_bytes = plan_.memory_bytes;
      return;
    }
    constexpr int64_t kWindows = 8;  // objectives may draw how much they label
    const Batch batch = full_windows(*parts_.objective,
                                     parts_.model->architecture(),
                                     parts_.vocabulary,
                                     parts_.shape(),
                                     kWindows,
                                     config_.stream_seed());
    const double tokens = static_cast<double>(batch.tokens) / kWindows;  // of a window
    note_attention(batch.inputs);
    plan_.labels_per_window = static_cast<double>(batch.slots.front().count()) / kWindows;
    plan_.flops_per_token =
        train_flops(*parts_.model, *parts_.objective, batch) / static_cast<double>(batch.tokens);
    plan_.tokens_per_step = rounded(tokens * static_cast<double>(config_.train.batch_size));
    const NamedTensors trained = trainable(*parts_.model, *parts_.objective);
    // Weights, and gradients of those that learn, both float32; what the optimizer holds beside them.
    const double state =
        4.0 * static_cast<double>(plan_.parameters + plan_.trained + frozen_parameters()) +
        static_cast<double>(make_optimizer(loaded_, registry_, {.parameters = trained})->memory_bytes());
    // The states of a body that no gradient reaches are not kept.
    const double positions =
        config_.fine_tune.probe ? 0 : tokens * static_cast<double>(config_.micro_batch());
    const double number = config_.train.precision == Precision::bf16 ? 2 : 4;
    const double position_bytes = saved_numbers() * number;
    plan_.memory_bytes = rounded(kProcessBytes + state + positions * position_bytes);
    plan_.state_bytes = rounded(kProcessBytes + state);
    // A sequence has at least one position, and some bytes of it wait on the CPU wherever it is computed.
    const double sequences = static_cast<double>(config_.micro_batch());
    const double least = config_.fine_tune.probe ? sizeof(int64_t) : position_bytes + sizeof(int64_t);
    plan_.least_bytes = rounded(kProcessBytes + state + sequences * least);
    note_memory();
  }

 private:
  // Of models that the objective asks and the run does not save.
  int64_t frozen_parameters() {
    int64_t all = 0;
    for (const FurtherModel& further : parts_.objective->further_models()) {
      const NamedTensors frozen = further.file.empty() ? NamedTensors{} : weights(*further.model, Module());
      const int64_t count = count_elements(frozen);
      all += count;
      if (count > 0) {
        plan_.warnings.push_back(fmt::format("{} {} of {} parameters takes {} of memory and is not trained",
                                             further.name,
                                             further.file,
                                             grouped(count),
                                             human_bytes(static_cast<uint64_t>(count_bytes(frozen)))));
      }
    }
    return all;
  }

  // Planned here, it may run elsewhere: a note, and no error.
  void note_memory() {
    const uint64_t memory = usable_memory();
    if (!options_.device.is_cuda() && static_cast<uint64_t>(plan_.memory_bytes) > memory) {
      plan_.warnings.push_back(fmt::format(
          "full batches need more than the {} of memory that this machine gives", human_bytes(memory)));
    }
  }

  void note_attention(const Inputs& inputs) {
    if (!options_.device.is_cuda() && !config_.train.device.starts_with("cuda")) {
      return;
    }
    const MaskKind mask = inputs.prefix.empty() ? MaskKind::causal : MaskKind::prefix;
    const auto type = config_.train.precision == Precision::bf16 ? at::kBFloat16 : at::kFloat;
    const std::string note = attention_note(*parts_.model, mask, type);
    if (!note.empty()) {
      plan_.warnings.push_back(note);
    }
  }

  // Numbers that a position leaves for the backward pass: each matrix keeps what it reads, and what it gives
  // is kept by whatever comes next. Embeddings, which have a row for each id or position, keep nothing.
  double saved_numbers() const {
    const std::vector<ModelPart> model_parts = parts_.model->parts();
    double numbers = 0;
    for (const NamedTensor& weight : weights(*parts_.model, *parts_.objective)) {
      const Tensor& tensor = weight.tensor;
      const ModelPart* part = model_part(model_parts, weight.name);
      const bool is_table =
          part != nullptr && (part->kind == PartKind::embeddings || part->kind == PartKind::projection);
      numbers += is_table || tensor.dim() != 2 ? 0 : static_cast<double>(tensor.size(0) + tensor.size(1));
    }
    return numbers;
  }

  const LoadedConfig& loaded_;
  const RunConfig& config_;
  const Registry& registry_;
  const Parts& parts_;
  const PlanOptions& options_;
  Plan& plan_;
};

}  // namespace

void count_work(const PlannedParts& planned, Plan& plan) { WorkCounter(planned, plan).count(); }

}  // namespace lmzoo
