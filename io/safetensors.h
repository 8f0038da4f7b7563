// safetensors: named tensors in one file, no code in it.
//
//   u64 LE n | n bytes of JSON: {"__metadata__": {text: text}, NAME: {"dtype", "shape", "data_offsets":
//   [begin, end]}} | data
//
// The reader maps the file and copies nothing. It refuses every departure from the format: header over 100 MB
// or over the file, not starting with "{", unknown, missing or duplicate keys, offsets that overlap, leave
// holes or do not end at the end of the file, a shape whose bytes (multiplied with overflow checks) are not
// those of its offsets.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/files.h"
#include "io/tensor_view.h"

namespace lmzoo {

class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::string& path);

  // In the order of the data. The bytes live as long as this object (moving it keeps them).
  const std::vector<TensorView>& tensors() const { return tensors_; }
  const TensorView* find(std::string_view name) const;
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  const std::string& path() const { return file_.path(); }

 private:
  MappedFile file_;
  std::vector<TensorView> tensors_;
  std::map<std::string, size_t, std::less<>> index_;
  std::map<std::string, std::string> metadata_;
};

// Atomic and synced; tensors by descending alignment of their dtype, then by name, so that all are aligned.
// Metadata gets {"format": "pt"} unless it says otherwise. Bytes that are not those of the shape, or a name
// given twice, are programming errors.
void write_safetensors(const std::string& path,
                       std::span<const TensorView> tensors,
                       const std::map<std::string, std::string>& metadata = {});

// A checkpoint for transformers in `folder` (made if missing): model.safetensors when the tensors fit into
// `max_shard_bytes`, else model-00001-of-0000N.safetensors and model.safetensors.index.json. Which tensor
// goes where depends on names and sizes only. A tensor larger than a shard gets one of its own.
//
// Every file is atomic and synced, the index comes last, and files that an earlier checkpoint left there
// under these names are removed then: whoever opens the folder meanwhile finds the old or the new tensors, or
// is told that one is missing.
void write_sharded(const std::string& folder,
                   std::span<const TensorView> tensors,
                   uint64_t max_shard_bytes = uint64_t{5} << 30,
                   const std::map<std::string, std::string>& metadata = {});

}  // namespace lmzoo
