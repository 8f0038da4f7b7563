#include "train/yaml/other_names.h"

#include <algorithm>
#include <iterator>

namespace lmzoo {
namespace {

struct OtherName {
  std::string_view name, key;
};
constexpr OtherName kOtherNames[] = {{"learning_rate", "optimizer.lr"},
                                     {"num_epochs", "train.epochs"},
                                     {"n_epochs", "train.epochs"},
                                     {"max_epochs", "train.epochs"},
                                     {"num_train_epochs", "train.epochs"},
                                     {"max_steps", "train.steps"},
                                     {"num_steps", "train.steps"},
                                     {"max_iters", "train.steps"},
                                     {"per_device_train_batch_size", "train.batch_size"},
                                     {"train_batch_size", "train.batch_size"},
                                     {"micro_batch_size", "train.micro_batches"},
                                     {"gradient_accumulation_steps", "train.micro_batches"},
                                     {"bf16", "train.precision"},
                                     {"fp16", "train.precision"},
                                     {"dtype", "train.precision"},
                                     {"save_steps", "train.save_every"},
                                     {"logging_steps", "train.log_every"},
                                     {"eval_steps", "eval.every"},
                                     {"metric_for_best_model", "eval.best_by"},
                                     {"early_stopping_patience", "eval.patience"},
                                     {"max_grad_norm", "optimizer.clip_norm"},
                                     {"grad_clip", "optimizer.clip_norm"},
                                     {"lr_scheduler", "schedule.type"},
                                     {"lr_scheduler_type", "schedule.type"},
                                     {"num_warmup_steps", "schedule.warmup_steps"},
                                     {"warmup", "schedule.warmup_steps"},
                                     {"max_seq_length", "data.sequence_length"},
                                     {"max_seq_len", "data.sequence_length"},
                                     {"seq_len", "data.sequence_length"},
                                     {"block_size", "data.sequence_length"},
                                     {"num_workers", "data.workers"},
                                     {"hidden_size", "model.width"},
                                     {"d_model", "model.width"},
                                     {"n_embd", "model.width"},
                                     {"num_layers", "model.layers"},
                                     {"num_hidden_layers", "model.layers"},
                                     {"n_layer", "model.layers"},
                                     {"num_heads", "model.heads"},
                                     {"num_attention_heads", "model.heads"},
                                     {"n_head", "model.heads"}};

}  // namespace

std::string our_name(std::string_view other) {
  const auto* found = std::find_if(std::begin(kOtherNames), std::end(kOtherNames), [&](const OtherName& one) {
    return one.name == other;
  });
  return found == std::end(kOtherNames) ? "" : std::string(found->key);
}

}  // namespace lmzoo
