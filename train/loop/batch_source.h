// Where batches come from: what the loop needs of data/loader (train/run/assemble.h adapts it).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/batch.h"
#include "io/json.h"

namespace lmzoo {

// The endless stream of training micro-batches.
class BatchSource {
 public:
  virtual ~BatchSource() = default;
  virtual Batch next() = 0;
  virtual Json state() const = 0;               // where the stream stands after the last next()
  virtual void restore(const Json& state) = 0;  // goes on from there
};

// One pass over evaluation data: empty at the end.
using BatchPass = std::function<std::optional<Batch>()>;

// A data set to evaluate on; every call of `open` begins the same pass again.
struct EvalSet {
  std::string name = "valid";
  std::function<BatchPass()> open;
  int64_t bytes = 0;  // of the text that all labels of a pass stand for; 0: bits per byte have no meaning
  std::vector<std::string> classes{};  // names of its labels, for metrics that need them
};

}  // namespace lmzoo
