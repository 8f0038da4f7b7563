#include "train/rules.h"

#include "train/run/assemble.h"
#include "train/yaml/bind.h"

namespace lmzoo::test {

std::unique_ptr<Optimizer> make_rule(const std::string& name,
                                     OptimizerContext context,
                                     const std::string& options) {
  static const Registry registry = make_registry();
  const OptimizerRule& rule = registry.optimizer(name);
  AnyOptions read = rule.defaults;
  KeyPlaces places;
  read_fields(static_cast<GroupRef&>(read), parse_yaml(options, name), places);
  return rule.make(read, std::move(context));
}

}  // namespace lmzoo::test
