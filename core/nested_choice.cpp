#include "core/nested_choice.h"

#include <algorithm>

namespace lmzoo {
namespace {

class TypeRef final : public ChoiceRef {
 public:
  TypeRef(NestedChoice& choice, std::vector<std::string> names) : choice_(choice), names_(std::move(names)) {}

  std::vector<std::string_view> names() const override { return {names_.begin(), names_.end()}; }
  std::string_view get() const override { return choice_.type(); }
  bool set(std::string_view name) override {
    if (std::ranges::find(names_, name) == names_.end()) {
      return false;
    }
    choice_.choose(std::string(name));
    return true;
  }

 private:
  NestedChoice& choice_;
  std::vector<std::string> names_;
};

}  // namespace

void NestedChoice::visit(FieldVisitor& visitor) {
  if (!kinds_) {
    return;
  }
  TypeRef type(*this, kinds());
  visitor.choice({"type", "which kind"}, type);
  if (!options_) {
    options_ = kinds_->defaults(type_);
  }
  options_.visit(visitor);
}

}  // namespace lmzoo
