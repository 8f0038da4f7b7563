// An option that is itself a choice of a registered kind with its options, as `generator: {type: gpt, layers: 2}`. It is
// listed once in the visitor, like every field; which kinds there are, and their defaults, the registry knows.
//
//   struct ReplacedTokensOptions {
//     NestedChoice generator;        // registry.nested_model("bert")
//     static constexpr void fields(auto& self, auto& visit) {
//       visit("generator", self.generator, "the model that proposes tokens");
//     }
//   };
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/fields.h"

namespace lmzoo {

class NestedChoice final : public ChosenGroup {
 public:
  // The kinds of a registry.
  struct Kinds {
    std::function<std::vector<std::string>()> names;
    std::function<AnyOptions(const std::string& name)> defaults;  // InputError for an unknown name
  };

  NestedChoice() = default;  // of nothing: only to be assigned to
  NestedChoice(std::shared_ptr<const Kinds> kinds, std::string type)
      : kinds_(std::move(kinds)), type_(std::move(type)) {}

  const std::string& type() const { return type_; }
  AnyOptions options() const { return options_ ? options_ : kinds_->defaults(type_); }

  std::vector<std::string> kinds() const override {
    return kinds_ ? kinds_->names() : std::vector<std::string>{};
  }
  void choose(const std::string& kind) override {
    options_ = kinds_->defaults(kind);
    type_ = kind;
  }
  // `type`, which is read first, and then the fields of that kind.
  void visit(FieldVisitor& visitor) override;

 private:
  std::shared_ptr<const Kinds> kinds_;
  std::string type_;
  AnyOptions options_;  // empty: the defaults of the type
};

}  // namespace lmzoo
