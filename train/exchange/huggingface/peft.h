// Low-rank additions as files of the PEFT library, in and out: what other programs call a LoRA adapter.
//
//   adapter_config.json         rank, alpha, which modules; lmzoo reads what changes the arithmetic, refuses
//                               by name what it does not compute (DoRA, biases, patterns of alpha), ignores
//                               the rest
//   adapter_model.safetensors   "base_model.model.MODULE.lora_A.weight" [r, I], "...lora_B.weight" [O', r],
//                               and the whole weights of a task's head: "base_model.model.classifier.weight"
//
// MODULE is Hugging Face's name of a linear map in the family's class with a head, or in the body alone: the
// tables of import and export (names.h) tell which map, or which part of a merged one, it is here.
#pragma once

#include <string>
#include <vector>

#include "train/exchange/portable_run.h"

namespace lmzoo {

// What went in or out.
struct AdapterAccount {
  std::vector<std::string> maps;  // "model.stack.block0.attention.qkv.q"
  std::vector<std::string> head;  // "objective.output.weight"
};

// Writes the folder, which must not exist, for a run with additions. `family`: of Hugging Face's; empty: the
// one that the model's options mean.
AdapterAccount export_adapter(const PortableRun& run,
                              const std::string& folder,
                              const std::string& family = "");

// Puts an adapter's additions, and its head if it has one, into a model without additions.
AdapterAccount add_adapter(const PortableRun& run, const std::string& folder);

// Fills the additions that `fine_tune.lora` has made from an adapter that must be of the same maps, rank,
// alpha and scaling; the InputError says what the YAML would have to say.
AdapterAccount fill_adapters(const PortableRun& run, const std::string& folder);

}  // namespace lmzoo
