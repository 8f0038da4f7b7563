// The tensors of a PyTorch .bin, .pt or .pth file (the zip format of torch.save since 1.6), without running
// what is in it.
//
//   a zip of stored entries below one folder, whatever its name: data.pkl, byteorder ("little"; since 2.1),
//   data/KEY for every storage, version; .format_version, .storage_alignment, .data/serialization_id
//
// data.pkl is a pickle, which is a program. io/pickle.h interprets the few opcodes and names that a
// state_dict needs, in its own values; anything else is refused by its name and offset. The reader maps the
// file; tensors are views of it. Refused with the tensor's name: sizes, strides and an offset that leave the
// storage, a storage that is not as long as its entry.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/files.h"
#include "io/safetensors.h"

namespace lmzoo {

class TorchFile {
 public:
  explicit TorchFile(const std::string& path);

  // In the order of the state_dict. The root is a mapping of names to tensors, or one that holds such a
  // mapping under "state_dict", "model_state_dict" or "model"; values beside that are passed over. Tensors
  // may share bytes. Those with strides other than row-major are contiguous copies. The bytes live as long as
  // this object.
  const std::vector<TensorView>& tensors() const { return tensors_; }
  const TensorView* find(std::string_view name) const;
  const std::string& path() const { return file_.path(); }

  // Whether the file starts as a zip file does.
  static bool is_zip(std::string_view bytes);

 private:
  MappedFile file_;
  std::vector<TensorView> tensors_;
  std::map<std::string, size_t, std::less<>> index_;
  std::vector<std::unique_ptr<std::byte[]>> copies_;
};

}  // namespace lmzoo
