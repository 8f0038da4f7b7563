// An option that is a number or, where a number does not say enough, a group of fields: `rate: 0.15`, or
// `rate: {from: 0.3, to: 0.15}`. It is listed once in the visitor like every field; its range is that of the number.
#pragma once

#include "base/fields.h"

namespace lmzoo {

class NumberOrGroup : public GroupRef {
 public:
  // Null while it is a group. visit() makes it one, with the group's defaults, unless it is one already.
  virtual double* number() = 0;
  virtual double& become_number() = 0;
};

}  // namespace lmzoo
