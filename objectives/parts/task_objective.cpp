#include "objectives/parts/task_objective.h"

#include <limits>

#include <ATen/ops/full.h>

namespace lmzoo {

Losses TaskObjective::loss(Model& model, const Batch& batch, Stream&) {
  return {loss_of(outputs(model, batch), batch)};
}

Predictions TaskObjective::predict(Model& model, const Batch& batch) {
  return predictions_of(outputs(model, batch), batch);
}

Losses TaskObjective::loss_and_predictions(Model& model,
                                           const Batch& batch,
                                           Stream&,
                                           Predictions& predictions) {
  const Tensor out = outputs(model, batch);
  predictions.append(predictions_of(out.detach(), batch));
  return {loss_of(out, batch)};
}

std::vector<std::vector<double>> rows_of(const Tensor& table) {
  const Tensor exact = table.detach().to(at::kCPU, at::kDouble).contiguous();
  const auto* numbers = exact.const_data_ptr<double>();
  std::vector<std::vector<double>> rows;
  for (int64_t i = 0; i < exact.size(0); ++i) {
    rows.emplace_back(numbers + i * exact.size(1), numbers + (i + 1) * exact.size(1));
  }
  return rows;
}

std::vector<int64_t> list_of(const Tensor& integers) {
  const Tensor here = integers.to(at::kCPU, at::kLong).contiguous();
  const auto* first = here.const_data_ptr<int64_t>();
  return {first, first + here.numel()};
}

Predictions class_predictions(const Tensor& logits, const Tensor& labels) {
  Predictions predictions;
  predictions.scores = rows_of(logits.to(at::kDouble).softmax(1));
  predictions.classes.given = list_of(logits.argmax(1));
  predictions.classes.expected = list_of(labels);
  return predictions;
}

Tensor padded_logits(const Tensor& packed, const Sequences& sequences) {
  const Tensor exact = packed.scalar_type() == at::kDouble ? packed : packed.to(at::kFloat);
  if (sequences.is_uniform()) {
    return exact.view({sequences.count(), sequences.longest()});
  }
  const Tensor empty = at::full({sequences.count(), sequences.longest()},
                                -std::numeric_limits<double>::infinity(),
                                exact.options().requires_grad(false));
  return empty.index_put({sequences.owners(), sequences.positions()}, exact);
}

}  // namespace lmzoo
