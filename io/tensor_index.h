// The index of a checkpoint in several files: {"metadata": {...}, "weight_map": {TENSOR: FILE}}.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace lmzoo {

struct TensorIndex {
  std::vector<std::string> files;       // each once, by name
  std::map<std::string, size_t> owner;  // tensor -> position in files
};

// Files of an index lie beside it: a name with a separator, "..", a control character or one that starts with
// a dot is refused, as is a link out of the folder (except into the blobs of Hugging Face's cache, where
// every file is one). Other keys than weight_map may hold anything. The files themselves are not looked at.
TensorIndex read_tensor_index(const std::string& path);

// The path of a file that an index names. Refused when it is missing or a link out of the folder.
std::string resolve_shard(const std::string& index_path, const std::string& file);

}  // namespace lmzoo
