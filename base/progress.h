// How long work tells how far it is.
#pragma once

#include <functional>
#include <string_view>

namespace lmzoo {

// Called now and then with what is being done and the share of it that is done, in [0, 1]; below 0 when
// unknown. May be empty. A callback may throw to cancel (a signal): the work then leaves nothing half-made
// behind.
using Progress = std::function<void(std::string_view stage, double share)>;

}  // namespace lmzoo
