// What models, heads and their parts are made of: parameters, buffers and submodules by name, in the order in which
// they were registered. The few calls of torch::nn::Module that lmzoo uses, under the same names; that class brings
// all of LibTorch's operators, modules and archives into every unit (docs/decisions/006-own-module.md).
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/tensor.h"

namespace lmzoo {

template <class T>
struct Named {
  std::string name;
  T value;
};

template <class T>
class NamedList : public std::vector<Named<T>> {
 public:
  const T* find(std::string_view name) const {  // null when there is none
    for (const Named<T>& item : *this) {
      if (item.name == name) {
        return &item.value;
      }
    }
    return nullptr;
  }
  const T& operator[](std::string_view name) const {  // std::out_of_range when there is none
    if (const T* found = find(name)) {
      return *found;
    }
    throw std::out_of_range("there is no " + std::string(name));
  }
  const Named<T>& operator[](size_t i) const { return std::vector<Named<T>>::operator[](i); }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const Named<T>& item : *this) {
      all.push_back(item.name);
    }
    return all;
  }
};

class Module {
 public:
  Module() = default;
  virtual ~Module() = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  // Names of a module's own tensors and of those below: "block0.attention.qkv.weight". A module's own come first, then
  // its children's in order. A tensor that two modules share is listed by both.
  NamedList<Tensor> named_parameters() const;
  NamedList<Tensor> named_buffers() const;
  std::vector<Tensor> parameters() const;
  // Modules below this one, depth first; `prefix` stands before their names ("model" gives "model.head").
  NamedList<Module*> named_modules(const std::string& prefix = "");
  NamedList<const Module*> named_modules(const std::string& prefix = "") const;

  void train(bool on = true);
  void eval() { train(false); }
  bool is_training() const { return is_training_; }

  // Moves or converts parameters and buffers in place: whoever holds one of them sees the change.
  void to(at::Device device);
  void to(at::ScalarType type);  // those of floating point

  // A name holds no dot and is given once; else std::logic_error. Each returns what it was given.
  Tensor register_parameter(std::string name, Tensor tensor, bool requires_grad = true);
  Tensor register_buffer(std::string name, Tensor tensor);
  template <class M>
  std::shared_ptr<M> register_module(std::string name, std::shared_ptr<M> module) {
    add_child(std::move(name), module);
    return module;
  }
  void unregister_modules() { children_.clear(); }
  // The module that was registered here under this name; null when there is none, or one of another kind.
  template <class M>
  std::shared_ptr<M> child(std::string_view name) const {
    const std::shared_ptr<Module>* found = children_.find(name);
    return found != nullptr ? std::dynamic_pointer_cast<M>(*found) : nullptr;
  }

 private:
  void add_child(std::string name, std::shared_ptr<Module> module);
  void check_name(const std::string& name) const;
  void collect(const std::string& prefix, NamedList<Tensor> Module::*list, NamedList<Tensor>& all) const;

  NamedList<Tensor> parameters_, buffers_;
  NamedList<std::shared_ptr<Module>> children_;
  bool is_training_ = true;
};

}  // namespace lmzoo
