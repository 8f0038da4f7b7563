#include "infer/report/sweep.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace lmzoo {
namespace {

std::string rounded(double value, const char* format) {
  if (!std::isfinite(value)) {
    return "–";
  }
  char text[32];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string with_deviation(const SeedSpread& spread) {
  const std::string mean = rounded(spread.mean, "%.4g");
  return spread.count > 1 ? mean + " ± " + rounded(spread.deviation, "%.2g") : mean;
}

std::string shown(const std::string& cell) { return cell.empty() ? "all" : cell; }

std::vector<MeasuredRun> measured_of(const SweepOutcome& outcome, size_t cell) {
  std::vector<MeasuredRun> measured;
  for (size_t i = 0; i < outcome.runs.size(); ++i) {
    if (outcome.runs[i].cell == cell && outcome.measured[i]) {
      measured.push_back(*outcome.measured[i]);
    }
  }
  return measured;
}

// Names of all metrics, in the order of their first appearance.
std::vector<std::string> metric_columns(const SweepOutcome& outcome) {
  std::vector<std::string> names;
  for (const auto& measured : outcome.measured) {
    for (const auto& [name, value] : measured ? measured->metrics : NamedNumbers{}) {
      if (std::find(names.begin(), names.end(), name) == names.end()) {
        names.push_back(name);
      }
    }
  }
  return names;
}

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json to_json(const PlannedRun& run, const std::optional<MeasuredRun>& measured) {
  Json object{{"seed", run.seed}, {"run", run.folder}, {"failed", !measured}};
  if (measured) {
    object["step"] = measured->step;
    for (const auto& [name, value] : measured->metrics) {
      object[name] = number(value);
    }
  }
  return object;
}

}  // namespace

html::Strip sweep_picture(const SweepOutcome& outcome, const std::string& metric) {
  html::Strip strip{.title = metric + " on the validation data: a row a cell, a point a seed", .rows = {}};
  for (size_t cell = 0; cell < outcome.cells.size(); ++cell) {
    html::StripRow row{.name = shown(outcome.cells[cell].name), .values = {}, .color = cell};
    for (const MeasuredRun& measured : measured_of(outcome, cell)) {
      for (const auto& [name, value] : measured.metrics) {
        if (name == metric) {
          row.values.push_back(value);
        }
      }
    }
    strip.rows.push_back(std::move(row));
  }
  return strip;
}

html::Table cell_table(const SweepOutcome& outcome) {
  const std::vector<std::string> names = metric_columns(outcome);
  html::Table table{.head = {"cell", "runs"}, .rows = {}};
  table.head.insert(table.head.end(), names.begin(), names.end());
  for (size_t cell = 0; cell < outcome.cells.size(); ++cell) {
    const std::vector<MeasuredRun> measured = measured_of(outcome, cell);
    const std::vector<SeedSpread> all = spreads(measured);
    std::vector<std::string> row{shown(outcome.cells[cell].name), std::to_string(measured.size())};
    for (const std::string& name : names) {
      const auto found = std::find_if(
          all.begin(), all.end(), [&](const SeedSpread& spread) { return spread.metric == name; });
      row.push_back(found == all.end() ? "–" : with_deviation(*found));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

html::Table run_table(const SweepOutcome& outcome) {
  const std::vector<std::string> names = metric_columns(outcome);
  html::Table table{.head = {"cell", "seed", "step"}, .rows = {}};
  table.head.insert(table.head.end(), names.begin(), names.end());
  for (size_t i = 0; i < outcome.runs.size(); ++i) {
    const auto& measured = outcome.measured[i];
    std::vector<std::string> row{shown(outcome.cells[outcome.runs[i].cell].name),
                                 std::to_string(outcome.runs[i].seed),
                                 measured ? std::to_string(measured->step) : "failed"};
    for (const std::string& name : names) {
      const NamedNumbers numbers = measured ? measured->metrics : NamedNumbers{};
      const auto found =
          std::find_if(numbers.begin(), numbers.end(), [&](const auto& one) { return one.first == name; });
      row.push_back(found == numbers.end() ? "–" : rounded(found->second, "%.4g"));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

Json to_json(const SweepOutcome& outcome) {
  Json cells = Json::array();
  for (size_t cell = 0; cell < outcome.cells.size(); ++cell) {
    Json set = Json::object(), runs = Json::array(), metrics = Json::object();
    for (const Override& override : outcome.cells[cell].overrides) {
      set[override.key] = override.value;
    }
    for (size_t i = 0; i < outcome.runs.size(); ++i) {
      if (outcome.runs[i].cell == cell) {
        runs.push_back(to_json(outcome.runs[i], outcome.measured[i]));
      }
    }
    for (const SeedSpread& spread : spreads(measured_of(outcome, cell))) {
      metrics[spread.metric] = {{"mean", number(spread.mean)},
                                {"deviation", number(spread.deviation)},
                                {"low", number(spread.low)},
                                {"high", number(spread.high)},
                                {"count", spread.count}};
    }
    cells.push_back({{"name", outcome.cells[cell].name}, {"set", set}, {"runs", runs}, {"metrics", metrics}});
  }
  return {{"cells", cells}};
}

std::string sweep_page(const std::string& title, const SweepOutcome& outcome) {
  std::vector<RunRecord> records;
  for (size_t i = 0; i < outcome.runs.size(); ++i) {
    if (outcome.measured[i]) {
      records.push_back(read_run(outcome.runs[i].folder));
      const std::string& cell = outcome.cells[outcome.runs[i].cell].name;
      records.back().name = (cell.empty() ? "" : cell + ", ") + records.back().name;
    }
  }
  const std::vector<std::string> names = metric_columns(outcome);
  const auto is = [&](const char* name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  std::vector<html::Strip> pictures;
  if (!names.empty()) {
    pictures.push_back(sweep_picture(outcome, is("accuracy") ? "accuracy" : names.front()));
  }
  const Results results{.title = title,
                        .pictures = pictures,
                        .tables = {{.title = "Mean and deviation over seeds",
                                    .note = "of each run's best checkpoint, on the validation data",
                                    .table = cell_table(outcome)},
                                   {.title = "Each run", .note = "", .table = run_table(outcome)}},
                        .samples = {}};
  return report_page(records, results);
}

}  // namespace lmzoo
