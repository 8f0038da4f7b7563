// A checkpoint's tensors by name, whatever files they lie in: one safetensors or PyTorch file, or a folder
// with such a file or with an index over several.
//
//   model.safetensors.index.json, pytorch_model.bin.index.json:
//   {"metadata": {"total_size": BYTES}, "weight_map": {TENSOR: FILE beside the index}}
//
// Nothing is copied: the files are mapped, and opening one costs its header. An index is not believed: a file
// that is no plain name in its folder or that is missing, a tensor that is not in its file and one that is in
// two are InputErrors that name the tensor and the files. As in transformers, `total_size` is not compared
// (published indices have it wrong), and tensors of the files that the index does not list are there, too.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/safetensors.h"

namespace lmzoo {

class TensorFiles {
 public:
  // `path`: a .safetensors, .bin, .pt or .pth file (told apart by content, not by name), an index, or a
  // folder with, in this order of preference, model.safetensors, model.safetensors.index.json,
  // pytorch_model.bin or pytorch_model.bin.index.json.
  static TensorFiles open(const std::string& path);
  // Whether a folder has one of these files.
  static bool is_in(const std::string& folder);

  TensorFiles(TensorFiles&&) noexcept;
  TensorFiles& operator=(TensorFiles&&) noexcept;
  ~TensorFiles();

  // File by file, in the order of the data. The bytes live as long as this object (moving it keeps them);
  // those of a tensor that is a part of a wider one in a PyTorch file are a contiguous copy.
  std::span<const TensorView> tensors() const;
  const TensorView* find(std::string_view name) const;
  // The file that a tensor of tensors() lies in.
  const std::string& source(std::string_view name) const;

  const std::string& path() const;                             // as given to open()
  const std::vector<std::string>& files() const;               // that hold the tensors
  const std::map<std::string, std::string>& metadata() const;  // of a single safetensors file; else empty

 private:
  struct State;
  explicit TensorFiles(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace lmzoo
