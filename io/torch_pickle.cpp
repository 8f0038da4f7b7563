#include "io/torch_pickle.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include "base/utf8.h"
#include "io/pickle.h"

namespace lmzoo {
namespace {

using ObjectKind = PickleValue::Kind;

constexpr size_t kMaxPickledTensors = 1 << 16;
constexpr size_t kMaxPickledDimensions = 16;
constexpr size_t kMaxPickledNameBytes = 1024;
constexpr size_t kMaxKeyBytes = 64;

std::string shown_object(std::string_view name) { return "\"" + printable(name) + "\""; }

enum class Role { dict, tensor_v2, tensor_v3, parameter, untyped, storage, dtype };

// Every name that a state_dict can have.
struct Name {
  std::string_view module;
  std::string_view name;
  Role role;
  Dtype dtype = Dtype::u8;
};
constexpr std::array<Name, 33> kKnownNames = {{
    {"collections", "OrderedDict", Role::dict},
    {"torch._utils", "_rebuild_tensor_v2", Role::tensor_v2},
    {"torch._utils", "_rebuild_tensor_v3", Role::tensor_v3},
    {"torch._utils", "_rebuild_parameter", Role::parameter},
    {"torch.storage", "UntypedStorage", Role::untyped},
    {"torch", "DoubleStorage", Role::storage, Dtype::f64},
    {"torch", "FloatStorage", Role::storage, Dtype::f32},
    {"torch", "HalfStorage", Role::storage, Dtype::f16},
    {"torch", "BFloat16Storage", Role::storage, Dtype::bf16},
    {"torch", "LongStorage", Role::storage, Dtype::i64},
    {"torch", "IntStorage", Role::storage, Dtype::i32},
    {"torch", "ShortStorage", Role::storage, Dtype::i16},
    {"torch", "CharStorage", Role::storage, Dtype::i8},
    {"torch", "ByteStorage", Role::storage, Dtype::u8},
    {"torch", "BoolStorage", Role::storage, Dtype::boolean},
    {"torch", "ComplexFloatStorage", Role::storage, Dtype::c64},
    {"torch", "float64", Role::dtype, Dtype::f64},
    {"torch", "float32", Role::dtype, Dtype::f32},
    {"torch", "float16", Role::dtype, Dtype::f16},
    {"torch", "bfloat16", Role::dtype, Dtype::bf16},
    {"torch", "int64", Role::dtype, Dtype::i64},
    {"torch", "int32", Role::dtype, Dtype::i32},
    {"torch", "int16", Role::dtype, Dtype::i16},
    {"torch", "uint64", Role::dtype, Dtype::u64},
    {"torch", "uint32", Role::dtype, Dtype::u32},
    {"torch", "uint16", Role::dtype, Dtype::u16},
    {"torch", "uint8", Role::dtype, Dtype::u8},
    {"torch", "int8", Role::dtype, Dtype::i8},
    {"torch", "float8_e4m3fn", Role::dtype, Dtype::f8_e4m3},
    {"torch", "float8_e4m3fnuz", Role::dtype, Dtype::f8_e4m3fnuz},
    {"torch", "float8_e5m2", Role::dtype, Dtype::f8_e5m2},
    {"torch", "float8_e5m2fnuz", Role::dtype, Dtype::f8_e5m2fnuz},
    {"torch", "float8_e8m0fnu", Role::dtype, Dtype::f8_e8m0},
}};

struct Storage {
  std::string_view key;
  std::optional<Dtype> dtype;  // absent: a v3 tensor says it
  uint64_t bytes = 0;
};

class TorchHost final : public PickleHost {
 public:
  // A value of kind object is a tensor when its number is natural, and the storage -1 - number otherwise.
  std::vector<TorchTensor> tensors;

  int64_t global(std::string_view module, std::string_view name) override {
    const auto known = std::find_if(kKnownNames.begin(), kKnownNames.end(), [&](const Name& candidate) {
      return candidate.module == module && candidate.name == name;
    });
    if (known == kKnownNames.end()) {
      throw InputError("the name " + printable(module) + "." + printable(name) +
                       " does not belong into a file of tensors; nothing of it was run");
    }
    return known - kKnownNames.begin();
  }

  PickleValue persistent(const PickleValue& id, const Pickle& pickle) override {
    if (id.kind != ObjectKind::tuple) {
      throw InputError("a persistent id that is no tuple");
    }
    const auto parts = pickle.items(id);
    const bool is_storage = parts.size() == 5 && parts[0].kind == ObjectKind::text &&
                            parts[0].text == "storage" && parts[1].kind == ObjectKind::global &&
                            parts[2].kind == ObjectKind::text && parts[3].kind == ObjectKind::text &&
                            parts[4].kind == ObjectKind::integer;
    if (!is_storage) {
      throw InputError("a persistent id that is not (\"storage\", type, key, device, length)");
    }
    const Name& type = name(parts[1]);
    const int64_t length = parts[4].number;
    if (type.role != Role::storage && type.role != Role::untyped) {
      throw InputError(std::string(type.name) + " is not a type of storage");
    }
    const std::optional<uint64_t> bytes = byte_count(std::span(&length, 1), type.dtype);
    if (!bytes || parts[2].text.size() > kMaxKeyBytes) {
      throw InputError("a storage of " + std::to_string(length) + " values by the key " +
                       shown_object(parts[2].text));
    }
    if (parts[3].text == "meta") {
      throw InputError("storage " + shown_object(parts[2].text) +
                       " is on the device \"meta\": it has no data");
    }
    if (storages_.size() >= kMaxPickledTensors) {
      throw InputError("over " + std::to_string(kMaxPickledTensors) + " storages");
    }
    storages_.push_back({.key = parts[2].text,
                         .dtype = type.role == Role::storage ? std::optional(type.dtype) : std::nullopt,
                         .bytes = *bytes});
    return {.kind = ObjectKind::object, .number = -static_cast<int64_t>(storages_.size())};
  }

  PickleValue call(int64_t function, std::span<const PickleValue> arguments, Pickle& pickle) override {
    const Name& called = kKnownNames.at(static_cast<size_t>(function));
    switch (called.role) {
      case Role::dict:
        if (!arguments.empty()) {
          throw InputError("OrderedDict is called with arguments; torch.save writes none");
        }
        return add_dict(pickle);
      case Role::tensor_v2:
      case Role::tensor_v3:
        return rebuild_tensor(called, arguments, pickle);
      case Role::parameter:
        return rebuild_parameter(arguments, pickle);
      default:
        throw InputError(std::string(called.name) + " is called, but is no function");
    }
  }

 private:
  static const Name& name(const PickleValue& value) {
    return kKnownNames.at(static_cast<size_t>(value.number));
  }
  static bool is_tensor(const PickleValue& value) {
    return value.kind == ObjectKind::object && value.number >= 0;
  }

  static void check_hooks(const PickleValue& hooks, const Pickle& pickle) {
    if (hooks.kind != ObjectKind::none && (hooks.kind != ObjectKind::dict || !pickle.items(hooks).empty())) {
      throw InputError("a tensor with backward hooks");
    }
  }

  static PickleValue rebuild_parameter(std::span<const PickleValue> arguments, const Pickle& pickle) {
    if (arguments.size() != 3 || !is_tensor(arguments[0]) || arguments[1].kind != ObjectKind::boolean) {
      throw InputError("_rebuild_parameter without (tensor, requires_grad, hooks)");
    }
    check_hooks(arguments[2], pickle);
    return arguments[0];
  }

  // (storage, offset, sizes, strides, requires_grad, hooks [, dtype: only v3] [, metadata])
  PickleValue rebuild_tensor(const Name& called,
                             std::span<const PickleValue> arguments,
                             const Pickle& pickle) {
    const bool is_v3 = called.role == Role::tensor_v3;
    const size_t least = is_v3 ? 7 : 6;
    const bool fits = (arguments.size() == least || arguments.size() == least + 1) &&
                      arguments[0].kind == ObjectKind::object && arguments[0].number < 0 &&
                      arguments[1].kind == ObjectKind::integer && arguments[2].kind == ObjectKind::tuple &&
                      arguments[3].kind == ObjectKind::tuple && arguments[4].kind == ObjectKind::boolean;
    if (!fits) {
      throw InputError(std::string(called.name) + " without (storage, offset, sizes, strides, ...)");
    }
    check_hooks(arguments[5], pickle);
    if (arguments.size() > least) {
      // Bits like "conjugated" and "negative" change what the bytes mean.
      const PickleValue& metadata = arguments[least];
      if (metadata.kind != ObjectKind::none &&
          (metadata.kind != ObjectKind::dict || !pickle.items(metadata).empty())) {
        throw InputError("a tensor with metadata (conjugate or negative bits)");
      }
    }
    const Storage& storage = storages_[static_cast<size_t>(-1 - arguments[0].number)];
    TorchTensor tensor;
    tensor.storage = storage.key;
    tensor.storage_bytes = storage.bytes;
    tensor.offset = arguments[1].number;
    tensor.dtype = dtype_of_tensor(storage, is_v3 ? &arguments[6] : nullptr);
    tensor.sizes = integers(arguments[2], pickle);
    tensor.strides = integers(arguments[3], pickle);
    if (tensor.sizes.size() != tensor.strides.size()) {
      throw InputError("a tensor with " + std::to_string(tensor.sizes.size()) + " sizes and " +
                       std::to_string(tensor.strides.size()) + " strides");
    }
    if (tensors.size() >= kMaxPickledTensors) {
      throw InputError("over " + std::to_string(kMaxPickledTensors) + " tensors");
    }
    tensors.push_back(std::move(tensor));
    return {.kind = ObjectKind::object, .number = static_cast<int64_t>(tensors.size()) - 1};
  }

  // `given`: of a v3 tensor.
  static Dtype dtype_of_tensor(const Storage& storage, const PickleValue* given) {
    if (given == nullptr && storage.dtype) {
      return *storage.dtype;
    }
    if (given == nullptr || storage.dtype || given->kind != ObjectKind::global ||
        name(*given).role != Role::dtype) {
      throw InputError("a tensor without a dtype, or with two");
    }
    return name(*given).dtype;
  }

  static std::vector<int64_t> integers(const PickleValue& tuple, const Pickle& pickle) {
    const auto items = pickle.items(tuple);
    if (items.size() > kMaxPickledDimensions) {
      throw InputError("a tensor with over " + std::to_string(kMaxPickledDimensions) + " dimensions");
    }
    std::vector<int64_t> values;
    for (const PickleValue& item : items) {
      if (item.kind != ObjectKind::integer) {
        throw InputError("a size or stride that is a " + std::string(name_of(item.kind)));
      }
      values.push_back(item.number);
    }
    return values;
  }

  std::vector<Storage> storages_;
};

// The state_dict: the root, or what it has under one of the usual keys.
PickleValue find_state_dict(const Pickle& pickle, const std::string& name) {
  if (pickle.root.kind != ObjectKind::dict) {
    throw InputError(
        Location{name},
        "holds a " + std::string(name_of(pickle.root.kind)) + ", not a state_dict (names and tensors)");
  }
  const auto items = pickle.items(pickle.root);
  for (const std::string_view key : {"state_dict", "model_state_dict", "model"}) {
    for (size_t i = 0; i < items.size(); i += 2) {
      if (items[i].kind == ObjectKind::text && items[i].text == key &&
          items[i + 1].kind == ObjectKind::dict) {
        return items[i + 1];
      }
    }
  }
  return pickle.root;
}

}  // namespace

std::vector<TorchTensor> read_torch_pickle(std::string_view bytes, const std::string& name) {
  TorchHost host;
  const Pickle pickle = read_pickle(bytes, name, host);
  const auto items = pickle.items(find_state_dict(pickle, name));
  std::vector<TorchTensor> tensors;
  std::set<std::string_view> names;
  for (size_t i = 0; i < items.size(); i += 2) {
    if (items[i].kind != ObjectKind::text || items[i].text.size() > kMaxPickledNameBytes) {
      throw InputError(Location{name}, "a tensor whose name is no text of at most 1024 bytes");
    }
    const std::string_view key = items[i].text;
    if (items[i + 1].kind != ObjectKind::object || items[i + 1].number < 0) {
      const bool is_storage = items[i + 1].kind == ObjectKind::object;
      throw InputError(Location{name},
                       "the value of " + shown_object(key) + " is a " +
                           (is_storage ? "storage" : std::string(name_of(items[i + 1].kind))) +
                           ", not a tensor");
    }
    if (!names.insert(key).second) {
      throw InputError(Location{name}, "tensor " + shown_object(key) + " is there twice");
    }
    tensors.push_back(host.tensors[static_cast<size_t>(items[i + 1].number)]);
    tensors.back().name = key;
  }
  return tensors;
}

}  // namespace lmzoo
