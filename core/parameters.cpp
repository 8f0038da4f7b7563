#include "core/parameters.h"

#include <functional>
#include <unordered_set>

#include "base/check.h"

namespace lmzoo {
namespace {

using Visit = std::function<void(const std::string& name, const Tensor& tensor, bool is_parameter)>;

void visit_all(const Module& module, const std::string& prefix, const Visit& visit) {
  for (const auto& item : module.named_parameters()) {
    visit(prefix + item.name, item.value, true);
  }
  for (const auto& item : module.named_buffers()) {
    visit(prefix + item.name, item.value, false);
  }
}

void visit_all(const Model& model, const Objective& objective, const Visit& visit) {
  visit_all(model, "model.", visit);
  visit_all(objective, "objective.", visit);
}

}  // namespace

NamedTensors weights(const Model& model, const Objective& objective) {
  NamedTensors all;
  std::unordered_set<const void*> seen;
  visit_all(model, objective, [&](const std::string& name, const Tensor& tensor, bool) {
    if (tensor.defined() && seen.insert(tensor.unsafeGetTensorImpl()).second) {
      all.push_back({name, tensor});
    }
  });
  return all;
}

NamedTensors trainable(const Model& model, const Objective& objective) {
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

// Iterative, with one point to fall back to: linear in practice, never exponential.
bool glob_matches(std::string_view pattern, std::string_view name) {
  size_t p = 0, n = 0;
  size_t star = std::string_view::npos, after_star = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      after_star = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++after_star;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') {
    ++p;
  }
  return p == pattern.size();
}

bool any_glob_matches(const std::vector<std::string>& patterns, std::string_view name) {
  for (const std::string& pattern : patterns) {
    if (glob_matches(pattern, name)) {
      return true;
    }
  }
  return false;
}

std::vector<std::string> freeze(Model& model,
                                Objective& objective,
                                const std::vector<std::string>& patterns) {
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
