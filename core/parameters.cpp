#include "core/parameters.h"

#include <functional>
#include <unordered_set>

#include <fnmatch.h>

#include "base/check.h"

namespace lmzoo {
namespace {

using Visit = std::function<void(const std::string& name, const Tensor& tensor, bool is_parameter)>;

void visit_one(const Module& module, const std::string& prefix, const Visit& visit) {
  for (const auto& item : module.named_parameters()) {
    visit(prefix + item.name, item.value, true);
  }
  for (const auto& item : module.named_buffers()) {
    visit(prefix + item.name, item.value, false);
  }
}

void visit_all(const Module& model, const Module& objective, const Visit& visit) {
  visit_one(model, "model.", visit);
  visit_one(objective, "objective.", visit);
}

}  // namespace

NamedTensors weights(const Module& model, const Module& objective) {
  NamedTensors all;
  std::unordered_set<const void*> seen;
  visit_all(model, objective, [&](const std::string& name, const Tensor& tensor, bool) {
    if (tensor.defined() && seen.insert(tensor.unsafeGetTensorImpl()).second) {
      all.push_back({name, tensor});
    }
  });
  return all;
}

NamedTensors trainable(const Module& model, const Module& objective) {
  NamedTensors chosen;
  for (NamedTensor& entry : weights(model, objective)) {
    if (entry.tensor.requires_grad()) {
      chosen.push_back(std::move(entry));
    }
  }
  return chosen;
}

int64_t count_elements(const NamedTensors& tensors) {
  int64_t total = 0;
  for (const NamedTensor& entry : tensors) {
    total += entry.tensor.numel();
  }
  return total;
}

const ModelPart* model_part(const std::vector<ModelPart>& parts, std::string_view name) {
  constexpr std::string_view kModel = "model.";
  return name.starts_with(kModel) ? &part_of(parts, name.substr(kModel.size())) : nullptr;
}

int64_t count_bytes(const NamedTensors& tensors) {
  int64_t total = 0;
  for (const NamedTensor& entry : tensors) {
    total += static_cast<int64_t>(entry.tensor.nbytes());
  }
  return total;
}

bool glob_matches(const std::string& pattern, const std::string& name) {
  // A pattern with a zero byte would end there.
  return pattern.find('\0') == std::string::npos && fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
}

bool any_glob_matches(const std::vector<std::string>& patterns, const std::string& name) {
  for (const std::string& pattern : patterns) {
    if (glob_matches(pattern, name)) {
      return true;
    }
  }
  return false;
}

std::vector<std::string> freeze(Module& model, Module& objective, const std::vector<std::string>& patterns) {
  std::vector<std::string> frozen;
  for (const std::string& pattern : patterns) {
    bool matched = false;
    visit_all(model, objective, [&](const std::string& name, const Tensor& tensor, bool is_parameter) {
      if (!is_parameter || !glob_matches(pattern, name)) {
        return;
      }
      matched = true;
      if (tensor.requires_grad()) {
        tensor.set_requires_grad(false);
        frozen.push_back(name);
      }
    });
    check(matched, "freeze: '{}' matches no parameter; names begin with model. or objective.", pattern);
  }
  return frozen;
}

}  // namespace lmzoo
