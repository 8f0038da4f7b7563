// A run as a Hugging Face folder that transformers loads with no missing and no unexpected key:
// config.json, model.safetensors (in shards above 5 GB) and the tokenizer's files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/parameters.h"
#include "train/exchange/huggingface/import.h"
#include "train/exchange/portable_run.h"

namespace lmzoo {

struct ExportOptions {
  std::string family{};        // bert, roberta, ...; empty: the one that the options of the model mean
  std::string architecture{};  // BertModel, ...; empty: the one with the run's head
  uint64_t max_shard_bytes = uint64_t{5} << 30;
};

// `folder` must not exist; it appears whole or not at all. Low-rank additions are merged into the run's
// weights.
KeyAccount export_folder(const PortableRun& run,
                         const std::string& folder,
                         const ExportOptions& options = {});

// The same without files: what goes into them. Tensors are views of the run's where they can be.
struct ExportedModel {
  ModelFromFolder model;  // family, complete options, ids, head; no folder
  std::string architecture;
  NamedTensors tensors;  // under Hugging Face's names
  KeyAccount account;
};
ExportedModel exported(const PortableRun& run, const ExportOptions& options = {});

}  // namespace lmzoo
