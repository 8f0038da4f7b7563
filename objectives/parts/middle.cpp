#include "objectives/parts/middle.h"

namespace lmzoo {

std::vector<int64_t> before_middle(std::span<const int64_t> prefix,
                                   std::span<const int64_t> suffix,
                                   const MiddleTokens& tokens) {
  std::vector<int64_t> ids{tokens.prefix};
  const auto append = [&](std::span<const int64_t> more) { ids.insert(ids.end(), more.begin(), more.end()); };
  if (!tokens.suffix_first) {
    append(prefix);
  }
  ids.push_back(tokens.suffix);
  append(suffix);
  ids.push_back(tokens.middle);
  if (tokens.suffix_first) {
    append(prefix);
  }
  return ids;
}

}  // namespace lmzoo
