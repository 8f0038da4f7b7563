// The device that a process computes on, and the only way to LibTorch's CUDA part.
//
// The program links LibTorch's CPU part alone, so that it starts in a fifth of a second and one build serves machines
// with and without a GPU; choose_device loads the CUDA part when a GPU may be used. LibTorch looks for that part when it
// is first asked about accelerators (at::manual_seed asks, and so does every backward pass) and remembers the answer.
// So the order is: choose the device, then compute. A part that was loaded too late is noticed here and is an error,
// never a run on the CPU; tests/cuda/order.sh proves the order of every command.
#pragma once

#include <cstdint>
#include <string>

#include <c10/core/Device.h>

#include "core/tensor.h"

namespace lmzoo {

// "auto", "cpu", "cuda" or "cuda:N"; InputError otherwise.
void check_device_name(const std::string& name);

struct DeviceRequest {
  std::string name = "auto";
  // The same bits in every run on the same GPU: LibTorch's and cuBLAS's deterministic algorithms, which are slower. The
  // CPU has no others.
  bool deterministic = false;
};

struct DeviceChoice {
  c10::Device device = c10::kCPU;
  std::string note;  // why `auto` is the CPU; else empty
};

// `auto` is the CPU when the machine has no NVIDIA driver or shows no GPU; a driver without a CUDA part of LibTorch is
// an InputError, for a run that is silently fifty times slower helps nobody. So is `cuda` wherever it cannot be had.
DeviceChoice choose_device(const DeviceRequest& request);

// Seeds what LibTorch draws from there: its CPU generator, and the GPU's own if it is one. Unlike at::manual_seed it
// asks nothing about other devices, so weights may be drawn and a run planned on the CPU before a GPU is chosen.
void seed_generators(uint64_t seed, c10::Device device);

// A copy on `device`. From the CPU to a GPU through pinned memory: whoever asks does not wait, and what is computed on
// the GPU afterwards, on the same stream, comes after the copy. Undefined tensors stay so.
Tensor sent(const Tensor& tensor, c10::Device device);

}  // namespace lmzoo
