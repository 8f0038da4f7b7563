#include "train/loop/step.h"

#include <algorithm>
#include <iterator>
#include <numeric>

#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include "base/rng.h"
#include "core/device.h"
#include "train/loop/interval.h"
#include "train/loop/precision.h"

namespace lmzoo {

int64_t projected_rows(const Objective& objective, const Batch& batch) {
  const std::vector<Slot> slots = objective.slots();
  int64_t rows = 0;
  for (size_t s = 0; s < batch.slots.size(); ++s) {
    rows += slots[s].predicts == Predicts::ids ? batch.slots[s].count() : 0;
  }
  return rows;
}

double train_flops(const Model& model, const Objective& objective, const Batch& batch) {
  const Sequences& sources = batch.inputs.sequences;
  const double count = static_cast<double>(sources.count());
  if (count == 0) {
    return 0;
  }
  const SequenceLengths mean{.source = static_cast<double>(sources.total()) / count,
                             .target = static_cast<double>(batch.inputs.decoder_sequences.total()) / count};
  const double labeled = static_cast<double>(projected_rows(objective, batch)) / count;
  return count * model.train_flops(mean, labeled);
}

namespace {

// What each slot's loss is divided by, over all micro-batches: known before any of them is computed.
std::vector<double> totals_of(const std::vector<Batch>& micro_batches) {
  std::vector<double> totals;
  for (const Batch& batch : micro_batches) {
    totals.resize(std::max(totals.size(), batch.slots.size()));
    for (size_t s = 0; s < batch.slots.size(); ++s) {
      totals[s] += batch.slots[s].total;
    }
  }
  return totals;
}

// The sum of a micro-batch's terms, such that dividing it by the total of all slots divides each term by its own.
Tensor joined_terms(const Losses& losses, const Batch& batch, const std::vector<double>& totals) {
  const double all = std::accumulate(totals.begin(), totals.end(), 0.0);
  Tensor sum;
  for (const LossTerm& term : losses) {
    const auto slot = static_cast<size_t>(term.slot);
    const double own = totals.at(slot);
    if (own == 0 || batch.slots[slot].count() == 0) {
      continue;
    }
    const double factor = term.weight * (all / own);
    const Tensor part = factor == 1 ? term.sum : term.sum * factor;
    sum = sum.defined() ? sum + part : part;
  }
  return sum;
}

std::vector<int64_t> labels_of(const Batch& batch) {
  std::vector<int64_t> counts;
  std::ranges::transform(batch.slots, std::back_inserter(counts), &SlotBatch::count);
  return counts;
}

}  // namespace

StepOutcome train_step(const StepParts& parts,
                       const std::vector<Batch>& micro_batches,
                       int64_t step,
                       double lr) {
  StepOutcome outcome{.step = step, .lr = lr};
  StepWork& work = outcome.work;
  const std::vector<double> totals = totals_of(micro_batches);
  work.total = std::accumulate(totals.begin(), totals.end(), 0.0);
  Tensor sum = at::zeros({}, at::TensorOptions(parts.device).dtype(at::kDouble));
  for (size_t i = 0; i < micro_batches.size(); ++i) {
    const Batch batch = micro_batches[i].to(parts.device);
    seed_generators(seed_of(StreamKey{parts.seed, static_cast<uint64_t>(step), i, Purpose::dropout}),
                    parts.device);
    Stream stream({parts.seed, static_cast<uint64_t>(step), i, Purpose::loss});
    Tensor loss;
    {
      const PrecisionScope scope(parts.precision, parts.device.type());
      loss = joined_terms(parts.objective.loss(parts.model, batch, stream), batch, totals);
    }
    // The gradient stays a sum; the optimizer divides it in the pass that it makes anyway.
    if (loss.defined()) {
      loss.backward();
      sum += loss.detach();
    }
    work.labels += batch.slots.empty() ? 0 : batch.slots.front().count();
    work.tokens += batch.tokens;
    work.flops += train_flops(parts.model, parts.objective, batch);
    Interval::add(batch.corpora, work.corpora);
    Interval::add(labels_of(batch), work.slot_labels);
    work.samples.insert(work.samples.end(), batch.samples.begin(), batch.samples.end());
  }
  const Optimizer::Update update = parts.optimizer.step(lr, work.total, sum);
  outcome.values = at::stack({sum, update.grad_norm.to(at::kDouble), update.skipped.to(at::kDouble)});
  return outcome;
}

}  // namespace lmzoo
