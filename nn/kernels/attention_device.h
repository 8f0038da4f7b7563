// Attention on an accelerator by LibTorch's own kernels.
//
// Legend: as attention.h.
#pragma once

#include <optional>
#include <vector>

#include "nn/kernels/attention.h"
#include "nn/kernels/attention_stored.h"

namespace lmzoo {

// The kernel of LibTorch that a call takes on CUDA (requirements: sdp_utils.cpp of PyTorch 2.13).
enum class DeviceKernel {
  flash,         // sequences of one length as they are: half precision, no mask but the causal one
  flash_packed,  // the same without padding, and with windows
  efficient,     // padded, with an additive mask where one is needed; key heads are repeated
  plain,         // scores in memory: float64
};
struct DeviceCall {
  at::ScalarType type = at::kFloat;
  int64_t head_width = 0;
  MaskKind mask = MaskKind::full;
  bool has_window = false;
  bool has_bias = false;
  bool is_uniform = true;  // all sequences have as many queries, and as many keys
  bool is_aligned = true;  // every sequence has as many queries as keys
};
DeviceKernel device_kernel(const DeviceCall& call);

// Head widths that no kernel takes as they are get zeros up to one that all take.
inline constexpr int64_t kDeviceHeadMultiple = 8;

Tensor attention_on_device(const AttentionInputs& inputs);

// Additive masks [1 or n, 1 or H, Lq, Lk], made when the first layer of a forward pass needs one and kept for
// the others, which look at the same sequences.
class AttentionMasks {
 public:
  Tensor mask_of(const AttentionInputs& inputs);

 private:
  struct Entry {
    MaskKind mask;
    std::optional<int64_t> window;
    Tensor bias;
    at::ScalarType type;
    Tensor value;
  };
  std::vector<Entry> entries_;
};

// attention_over_stored there: the stored keys are read as they lie, masked behind each sequence's last.
Tensor attention_over_stored_on_device(const Tensor& q,
                                       const Sequences& queries,
                                       const StoredKeys& stored,
                                       const AttentionRule& rule);

}  // namespace lmzoo
