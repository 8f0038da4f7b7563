// The order of classes that are found in data: it gives each its row of a head.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lmzoo {

// The number that a label is, white space around it aside; absent for any other text.
std::optional<double> number_of(std::string_view label);

// Sorted: by value when all are numbers, so that 2 stands before 10, else as text. InputError for two that are one
// number ("1" and "1.0"), or one text but for white space around it: one class, written in two ways.
std::vector<std::string> ordered_classes(std::vector<std::string> names);

}  // namespace lmzoo
