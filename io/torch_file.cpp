#include "io/torch_file.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <span>
#include <utility>

#include "base/utf8.h"
#include "io/torch_pickle.h"
#include "io/zip.h"

namespace lmzoo {
namespace {

constexpr size_t kMaxPickleBytes = size_t{64} << 20;

std::string shown_entry(std::string_view name) { return "\"" + printable(name) + "\""; }

std::string_view entry_text(const ZipEntry& entry) {
  return {reinterpret_cast<const char*>(entry.bytes.data()), entry.bytes.size()};
}

void check_kind(std::string_view bytes, const std::string& path) {
  if (TorchFile::is_zip(bytes)) {
    return;
  }
  if (bytes.starts_with('\x80')) {
    throw InputError(
        Location{path},
        "is in PyTorch's format before 1.6, which is a program to run; convert it where you trust it: "
        "torch.save(torch.load(\"FILE\", weights_only=True), \"NEW\")");
  }
  throw InputError(Location{path}, "not a PyTorch file: it is no zip file");
}

// The entries of the archive by their names below its one folder.
class Archive {
 public:
  explicit Archive(const MappedFile& file) : path_(file.path()), entries_(read_zip(file.bytes(), path_)) {
    const std::string& first = entries_.empty() ? path_ : entries_.front().name;
    root_ = first.substr(0, first.find('/') + 1);
    for (const ZipEntry& entry : entries_) {
      if (root_.empty() || !entry.name.starts_with(root_)) {
        throw InputError(Location{path_},
                         "zip: entry " + shown_entry(entry.name) + " is not in one folder with the others");
      }
    }
    if (find("constants.pkl") != nullptr) {
      throw InputError(Location{path_}, "is a TorchScript program, not a file of tensors");
    }
    if (const ZipEntry* order = find("byteorder"); order != nullptr && entry_text(*order) != "little") {
      throw InputError(Location{path_},
                       "has the byte order " + shown_entry(entry_text(*order)) + "; read is \"little\"");
    }
  }

  const ZipEntry* find(const std::string& name) const {
    const std::string full = root_ + name;
    const auto found = std::lower_bound(
        entries_.begin(), entries_.end(), full, [](const ZipEntry& entry, const std::string& wanted) {
          return entry.name < wanted;
        });
    return found != entries_.end() && found->name == full ? &*found : nullptr;
  }

  const ZipEntry& pickle() const {
    const ZipEntry* entry = find("data.pkl");
    if (entry == nullptr) {
      throw InputError(Location{path_}, "not a PyTorch file: the zip file has no " + root_ + "data.pkl");
    }
    if (entry->bytes.size() > kMaxPickleBytes) {
      throw InputError(Location{path_},
                       "data.pkl has " + human_bytes(entry->bytes.size()) + "; the limit is " +
                           human_bytes(kMaxPickleBytes));
    }
    check_crc(*entry, path_);
    return *entry;
  }

 private:
  std::string path_;
  std::vector<ZipEntry> entries_;
  std::string root_;
};

// Whether the elements lie one after the other, row by row. The stride of a dimension of one is never used.
bool is_contiguous(const TorchTensor& tensor) {
  int64_t expected = 1;
  for (size_t i = tensor.sizes.size(); i-- > 0;) {
    if (tensor.sizes[i] != 1 && tensor.strides[i] != expected) {
      return false;
    }
    expected *= std::max<int64_t>(tensor.sizes[i], 1);  // byte_count() has shown_entry that it fits
  }
  return true;
}

// Where the last element lies, counted from the storage's begin; nothing when that is over 2^63 or a number
// is negative. Not for tensors without elements.
std::optional<int64_t> last_element(const TorchTensor& tensor) {
  int64_t last = tensor.offset;
  bool fits = last >= 0;
  for (size_t i = 0; fits && i < tensor.sizes.size(); ++i) {
    int64_t step = 0;
    fits = tensor.strides[i] >= 0 && !__builtin_mul_overflow(tensor.sizes[i] - 1, tensor.strides[i], &step) &&
           !__builtin_add_overflow(last, step, &last);
  }
  return fits ? std::optional(last) : std::nullopt;
}

// Element by element, the last dimension innermost.
void copy_strided(const TorchTensor& tensor, std::span<const std::byte> storage, std::byte* out) {
  const size_t width = static_cast<size_t>(bits_of(tensor.dtype)) / 8;
  const size_t dimensions = tensor.sizes.size();
  std::vector<int64_t> at(dimensions, 0);
  int64_t position = tensor.offset;
  for (;;) {
    std::memcpy(out, storage.data() + static_cast<size_t>(position) * width, width);
    out += width;
    size_t i = dimensions;
    while (i > 0) {
      --i;
      position += tensor.strides[i];
      if (++at[i] < tensor.sizes[i]) {
        break;
      }
      position -= at[i] * tensor.strides[i];
      at[i] = 0;
      if (i == 0) {
        return;
      }
    }
  }
}

// The tensor's elements within its storage, which is checked first. Strided ones are copied, all together not
// more than the file is long: else a few bytes could ask for any amount of memory.
class TensorBytes {
 public:
  TensorBytes(const Archive& archive,
              const MappedFile& file,
              std::vector<std::unique_ptr<std::byte[]>>& copies)
      : archive_(archive), file_(file), copies_(copies) {}

  std::span<const std::byte> find(const TorchTensor& tensor) {
    const std::span<const std::byte> storage = storage_of(tensor);
    const std::optional<uint64_t> size = byte_count(tensor.sizes, tensor.dtype);
    if (!size) {
      refuse(tensor, "has a shape whose bytes are over 2^60, or a negative size");
    }
    if (*size == 0) {
      return {};
    }
    const uint64_t width = static_cast<uint64_t>(bits_of(tensor.dtype)) / 8;
    const std::optional<int64_t> last = last_element(tensor);
    if (!last || static_cast<uint64_t>(*last) >= storage.size() / width) {
      refuse(tensor, "leaves its storage of " + std::to_string(storage.size() / width) + " values");
    }
    return is_contiguous(tensor) ? storage.subspan(static_cast<uint64_t>(tensor.offset) * width, *size)
                                 : copy(tensor, storage, *size);
  }

 private:
  [[noreturn]] void refuse(const TorchTensor& tensor, const std::string& why) const {
    throw InputError(Location{file_.path()}, "tensor " + shown_entry(tensor.name) + " " + why);
  }

  std::span<const std::byte> storage_of(const TorchTensor& tensor) const {
    const std::string name = "data/" + std::string(tensor.storage);
    const ZipEntry* entry = archive_.find(name);
    if (entry == nullptr) {
      refuse(tensor, "has its bytes in " + printable(name) + ", which is missing");
    }
    if (entry->bytes.size() != tensor.storage_bytes) {
      refuse(tensor,
             "has a storage of " + std::to_string(tensor.storage_bytes) + " bytes, but " + printable(name) +
                 " has " + std::to_string(entry->bytes.size()));
    }
    return entry->bytes;
  }

  std::span<const std::byte> copy(const TorchTensor& tensor,
                                  std::span<const std::byte> storage,
                                  uint64_t size) {
    if (size > file_.bytes().size() - copied_) {
      refuse(
          tensor,
          "repeats values by its strides; with the others it would take more memory than the file has bytes");
    }
    copied_ += size;
    std::byte* out = copies_.emplace_back(std::make_unique_for_overwrite<std::byte[]>(size)).get();
    copy_strided(tensor, storage, out);
    return {out, size};
  }

  const Archive& archive_;
  const MappedFile& file_;
  std::vector<std::unique_ptr<std::byte[]>>& copies_;
  uint64_t copied_ = 0;
};

}  // namespace

bool TorchFile::is_zip(std::string_view bytes) { return bytes.starts_with("PK\x03\x04"); }

TorchFile::TorchFile(const std::string& path) : file_(path) {
  check_kind(file_.text(), path);
  const Archive archive(file_);
  TensorBytes finder(archive, file_, copies_);
  for (TorchTensor& tensor : read_torch_pickle(entry_text(archive.pickle()), path + ": data.pkl")) {
    const std::span<const std::byte> bytes = finder.find(tensor);
    index_.emplace(tensor.name, tensors_.size());
    tensors_.push_back({std::string(tensor.name), tensor.dtype, std::move(tensor.sizes), bytes});
  }
}

const TensorView* TorchFile::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &tensors_[found->second];
}

}  // namespace lmzoo
