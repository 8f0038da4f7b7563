// Numbers of the reference implementations (tests/golden/metrics.py) and how near to them ours must be.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "io/json.h"
#include "metrics/classification.h"
#include "support/files.h"

namespace lmzoo::test {

inline Json golden_metrics(const std::string& name) { return read_json(golden("metrics/" + name + ".json")); }

// Equal to 12 digits; null stands for what is no number.
inline bool near(double ours, const Json& theirs) {
  if (theirs.is_null()) {
    return std::isnan(ours);
  }
  const double number = theirs.get<double>();
  return std::abs(ours - number) <= 1e-12 * std::max(1.0, std::abs(number));
}

inline bool near(const ClassScores& ours, const Json& precision_recall_f1) {
  return near(ours.precision, precision_recall_f1[0]) && near(ours.recall, precision_recall_f1[1]) &&
         near(ours.f1, precision_recall_f1[2]);
}

using Texts = std::vector<std::string>;

}  // namespace lmzoo::test
