// What the tests of a GPU share. They compare it with the CPU, so each needs both.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "io/json.h"
#include "support/catch.h"
#include "train/run/assemble.h"

namespace lmzoo::test {

// "cuda" when this machine has one that LibTorch can use. LMZOO_TEST_DEVICE names another device in its place: "cpu"
// tries the tests themselves where there is no GPU.
std::optional<std::string> tested_device();

// Leaves the test, saying so, where there is no GPU.
#define LMZOO_NEEDS_GPU()                               \
  if (!lmzoo::test::tested_device()) {                  \
    LMZOO_SKIP("no GPU that LibTorch can use is here"); \
  }                                                     \
  static_assert(true)

const Registry& registry();

// configs/debug/NAME.yaml with `changes` as of --set; a row of metrics.jsonl a step.
LoadedConfig debug_config(const std::string& name, const std::vector<std::string>& changes);

// Trains it into a fresh folder, as `lmzoo train` does.
struct Trained {
  std::vector<Json> rows;                 // those of training
  std::map<std::string, Tensor> moments;  // of the optimizer, by name: float64 on the CPU
  std::string weights;                    // the bytes of model.safetensors
};
Trained trained(const LoadedConfig& loaded);
Trained trained_in(const std::string& folder, const LoadedConfig& loaded, bool resume);

}  // namespace lmzoo::test
