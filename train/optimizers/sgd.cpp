// The update of word vectors: each touched row moves by its gradient times the learning rate, at once and
// without locks (train/words/), so there is nothing to make here but the name under which a YAML knows it.
#include "core/registry.h"

namespace lmzoo {
namespace {

struct SgdOptions {
  static constexpr void fields(auto&, auto&) {}
};

}  // namespace

void register_sgd(Registry& registry) {
  registry.add(OptimizerRule{.name = "sgd",
                             .summary = "plain gradient descent; for word vectors only",
                             .defaults = AnyOptions(SgdOptions{}),
                             .make = [](const AnyOptions&, OptimizerContext) -> std::unique_ptr<Optimizer> {
                               throw InputError("sgd is for model word2vec");
                             }});
}

}  // namespace lmzoo
