// Where batches come from: what the loop needs of data/loader (train/run/assemble.h adapts it).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
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
  // Begins the phase of this number behind a source that stood at `before`: where `same_text` holds and the text is cut
  // into as many parts, with the rest of its order; else with an order that no phase before had.
  virtual void begin_phase(int64_t /*phase*/, const Json& /*before*/, bool /*same_text*/) {
    throw std::logic_error("this source of batches is for runs of one phase");
  }
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
