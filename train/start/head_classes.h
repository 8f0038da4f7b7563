// Whose row of a head is whose: a head that a run takes over (warm_start.objective) keeps its rows, and the run's
// classes stand in their order.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "train/start/warm_start.h"

namespace lmzoo {

struct HeadClasses {
  std::string from;                // whose head, for messages
  std::vector<std::string> names;  // by row
};

// Of the head that is taken over; absent when none is, or it has no classes. A file of weights alone says nothing of
// them: no names.
std::optional<HeadClasses> head_classes(const WarmStartOptions& options);

// The classes of a run whose data have the classes `found` (in order, without repetition), by row of the head:
//   the head's, when those of the data are among them;
//   0, 1, ... when the data name rows by number.
// InputError else, naming both.
std::vector<std::string> classes_of_rows(const HeadClasses& head, const std::vector<std::string>& found);

// The same of any run: `found` where no head is taken over.
std::vector<std::string> run_classes(const WarmStartOptions& options, const std::vector<std::string>& found);

}  // namespace lmzoo
