// What almost every unit of ours includes from LibTorch; one precompiled header serves all layers. Not torch/torch.h:
// that doubles the time to load it, and lmzoo uses neither its modules nor its optimizers.
#pragma once

#include <torch/csrc/autograd/custom_function.h>
#include <torch/nn/module.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>
