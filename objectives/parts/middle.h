// The two orders in which a stream tells the parts of a text so that the middle comes last (Bavarian et al., "Efficient
// training of language models to fill in the middle", 2022, sections 3 and 4.3). With tokens 90 91 92 for <PRE> <SUF>
// <MID>, a text 11 12 | 13 14 | 15 and eos = 1:
//
//   PSM   90 11 12 91 15 92 13 14 1      <PRE> prefix <SUF> suffix <MID> middle <EOT>
//   SPM   90 91 15 92 11 12 13 14 1      <PRE> <SUF> suffix <MID> prefix middle <EOT>
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/objective.h"

namespace lmzoo {

// Everything before the middle, which then follows.
std::vector<int64_t> before_middle(std::span<const int64_t> prefix,
                                   std::span<const int64_t> suffix,
                                   const MiddleTokens& tokens);

}  // namespace lmzoo
