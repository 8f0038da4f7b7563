// RUN/metrics.jsonl as it is read again; train/loop/metrics.h writes it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "io/json.h"

namespace lmzoo {

struct MetricsRow {
  std::string kind;  // "text", "train" or "eval"
  int64_t step = 0;
  Json values;  // the whole row
};

// InputError at `where` for what is no object with a `kind` and a `step`.
MetricsRow parse_metrics_row(std::string_view line, const Location& where);

// Every row of the file. A last one without its newline, which was being written when the run was killed, is left out.
void for_each_metrics_row(const std::string& path, const std::function<void(MetricsRow&)>& use);

// An evaluation on the main set, not on a further text of a mixture ("valid.NAME").
bool is_main_evaluation(const MetricsRow& row);

}  // namespace lmzoo
