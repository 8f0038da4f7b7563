#include "core/module.h"

namespace lmzoo {
namespace {

std::string joined_name(const std::string& prefix, const std::string& name) {
  return prefix.empty() ? name : prefix + "." + name;
}

// Of a module, named by `prefix`, all modules below it.
template <class M>
void collect_modules(M& module, const auto& children_of, const std::string& prefix, NamedList<M*>& all) {
  for (const auto& child : children_of(module)) {
    const std::string name = joined_name(prefix, child.name);
    all.push_back({name, child.value.get()});
    collect_modules<M>(*child.value, children_of, name, all);
  }
}

}  // namespace

void Module::check_name(const std::string& name) const {
  if (name.empty() || name.find('.') != std::string::npos) {
    throw std::logic_error("no name for a part of a module: '" + name + "'");
  }
  if (parameters_.find(name) || buffers_.find(name) || children_.find(name)) {
    throw std::logic_error("two parts of a module are named " + name);
  }
}

Tensor Module::register_parameter(std::string name, Tensor tensor, bool requires_grad) {
  check_name(name);
  tensor.set_requires_grad(requires_grad);
  parameters_.push_back({std::move(name), tensor});
  return tensor;
}

Tensor Module::register_buffer(std::string name, Tensor tensor) {
  check_name(name);
  buffers_.push_back({std::move(name), tensor});
  return tensor;
}

void Module::add_child(std::string name, std::shared_ptr<Module> module) {
  check_name(name);
  children_.push_back({std::move(name), std::move(module)});
}

void Module::collect(const std::string& prefix,
                     NamedList<Tensor> Module::*list,
                     NamedList<Tensor>& all) const {
  for (const Named<Tensor>& item : this->*list) {
    all.push_back({joined_name(prefix, item.name), item.value});
  }
  for (const auto& child : children_) {
    child.value->collect(joined_name(prefix, child.name), list, all);
  }
}

NamedList<Tensor> Module::named_parameters() const {
  NamedList<Tensor> all;
  collect("", &Module::parameters_, all);
  return all;
}

NamedList<Tensor> Module::named_buffers() const {
  NamedList<Tensor> all;
  collect("", &Module::buffers_, all);
  return all;
}

std::vector<Tensor> Module::parameters() const {
  std::vector<Tensor> all;
  for (Named<Tensor>& item : named_parameters()) {
    all.push_back(std::move(item.value));
  }
  return all;
}

NamedList<Module*> Module::named_modules(const std::string& prefix) {
  NamedList<Module*> all;
  const auto children = [](const Module& module) -> const auto& { return module.children_; };
  collect_modules<Module>(*this, children, prefix, all);
  return all;
}

NamedList<const Module*> Module::named_modules(const std::string& prefix) const {
  NamedList<const Module*> all;
  const auto children = [](const Module& module) -> const auto& { return module.children_; };
  collect_modules<const Module>(*this, children, prefix, all);
  return all;
}

void Module::train(bool on) {
  is_training_ = on;
  for (const auto& child : children_) {
    child.value->train(on);
  }
}

void Module::to(at::Device device) {
  const at::NoGradGuard no_grad;
  for (const NamedList<Tensor>& tensors : {named_parameters(), named_buffers()}) {
    for (const Named<Tensor>& item : tensors) {
      Tensor tensor = item.value;
      tensor.set_data(tensor.detach().to(device));
    }
  }
}

void Module::to(at::ScalarType type) {
  const at::NoGradGuard no_grad;
  for (const NamedList<Tensor>& tensors : {named_parameters(), named_buffers()}) {
    for (const Named<Tensor>& item : tensors) {
      Tensor tensor = item.value;
      if (tensor.is_floating_point()) {
        tensor.set_data(tensor.detach().to(type));
      }
    }
  }
}

}  // namespace lmzoo
