// What other programs call keys of a configuration.
#pragma once

#include <string>
#include <string_view>

namespace lmzoo {

// The dotted key that is meant by `learning_rate`, `num_epochs`, `block_size`, ...; empty when nobody knows.
std::string our_name(std::string_view other);

}  // namespace lmzoo
