// An objective with a head of its own, whose outputs give both the loss and the predictions: one pass over
// the model for an evaluation.
#pragma once

#include "core/objective.h"

namespace lmzoo {

class TaskObjective : public Objective {
 public:
  bool predicts() const override { return true; }
  Losses loss(Model& model, const Batch& batch, Stream& stream) override;
  Predictions predict(Model& model, const Batch& batch) override;
  Losses loss_and_predictions(Model& model,
                              const Batch& batch,
                              Stream& stream,
                              Predictions& predictions) override;

 protected:
  // What the head says of the batch; the shape is the objective's own.
  virtual Tensor outputs(Model& model, const Batch& batch) = 0;
  virtual LossTerm loss_of(const Tensor& outputs, const Batch& batch) const = 0;
  virtual Predictions predictions_of(const Tensor& outputs, const Batch& batch) const = 0;
};

// Rows of a tensor [K, C] on the CPU in float64.
std::vector<std::vector<double>> rows_of(const Tensor& table);
std::vector<int64_t> list_of(const Tensor& integers);

// Of logits [K, C]: softmax, argmax, and the labels beside it.
Predictions class_predictions(const Tensor& logits, const Tensor& labels);

// Packed numbers [N] to one row a sequence [n, longest], -inf where a sequence has ended: ready for a
// softmax.
Tensor padded_logits(const Tensor& packed, const Sequences& sequences);

}  // namespace lmzoo
