#include "train/loop/step.h"

#include <ATen/Context.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include "base/rng.h"
#include "train/loop/precision.h"

namespace lmzoo {

double train_flops(const Model& model, const Objective& objective, const Batch& batch) {
  const Sequences& sources = batch.inputs.sequences;
  const double count = static_cast<double>(sources.count());
  if (count == 0) {
    return 0;
  }
  const SequenceLengths mean{.source = static_cast<double>(sources.total()) / count,
                             .target = static_cast<double>(batch.inputs.decoder_sequences.total()) / count};
  // Classes are predicted by the objective's head, not by the vocabulary's.
  const Tensor& ids = predicts_ids(objective.form()) ? batch.labels : batch.next_labels;
  const double labeled = ids.defined() ? static_cast<double>(ids.numel()) / count : 0;
  return count * model.train_flops(mean, labeled);
}

StepOutcome train_step(const StepParts& parts,
                       const std::vector<Batch>& micro_batches,
                       int64_t step,
                       double lr) {
  StepOutcome outcome{.step = step, .lr = lr};
  StepWork& work = outcome.work;
  Tensor sum = at::zeros({}, at::TensorOptions(parts.device).dtype(at::kDouble));
  for (size_t i = 0; i < micro_batches.size(); ++i) {
    const Batch batch = micro_batches[i].to(parts.device);
    at::manual_seed(hash(StreamKey{parts.seed, static_cast<uint64_t>(step), i, Purpose::dropout}));
    LossSums loss;
    {
      const PrecisionScope scope(parts.precision, parts.device.type());
      loss = parts.objective.loss(parts.model, batch);
    }
    // The gradient stays a sum; the optimizer divides it in the pass that it makes anyway.
    if (loss.count > 0) {
      loss.sum.backward();
      sum += loss.sum.detach();
    }
    work.labels += loss.count;
    work.tokens += batch.tokens;
    work.flops += train_flops(parts.model, parts.objective, batch);
    work.samples.insert(work.samples.end(), batch.samples.begin(), batch.samples.end());
  }
  const Optimizer::Update update = parts.optimizer.step(lr, work.labels, sum);
  outcome.values = at::stack({sum, update.grad_norm.to(at::kDouble), update.skipped.to(at::kDouble)});
  return outcome;
}

}  // namespace lmzoo
