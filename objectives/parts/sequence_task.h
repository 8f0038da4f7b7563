// Tasks with one answer for one text or a pair: a class, several classes, a number. They share frame, cut and
// head; each adds its label and loss.
//
// Legend: n sequences, C outputs.
#pragma once

#include <string>

#include "core/input_frame.h"
#include "objectives/parts/heads.h"
#include "objectives/parts/task_objective.h"

namespace lmzoo {

class SequenceTask : public TaskObjective {
 public:
  SequenceTask(const HeadOptions& options,
               const ObjectiveContext& context,
               Slot slot,
               int64_t outputs,
               const std::string& name);

  ObjectiveForm form() const override { return {.layout = Layout::in_place}; }
  std::vector<Slot> slots() const override { return {slot_}; }
  ObjectiveLengths lengths() const override {
    return {.raw = length_ - added(), .source = length_, .target = 0, .added = added()};
  }
  // Framed and cut, with an empty target; a pair loses ids of its longer text first.
  Example framed(const Sample& sample) const;
  Tensor scores(Model& model, const Inputs& inputs);  // [n, C] before softmax

 protected:
  Tensor outputs(Model& model, const Batch& batch) override { return scores(model, batch.inputs); }

 private:
  int64_t added() const { return frame_.added(texts_); }

  Slot slot_;      // of whole sequences
  int64_t texts_;  // 1 or 2
  int64_t length_;
  InputFrame frame_;
  Head head_;
};

}  // namespace lmzoo
