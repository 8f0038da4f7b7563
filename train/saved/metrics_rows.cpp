#include "train/saved/metrics_rows.h"

#include "io/files.h"

namespace lmzoo {

MetricsRow parse_metrics_row(std::string_view line, const Location& where) {
  MetricsRow row;
  row.values = parse_json_line(line, where);
  const bool is_object = row.values.is_object();
  const auto kind = is_object ? row.values.find("kind") : row.values.end();
  const auto step = is_object ? row.values.find("step") : row.values.end();
  const bool holds = is_object && kind != row.values.end() && kind->is_string() && step != row.values.end() &&
                     step->is_number_unsigned() && step->get<uint64_t>() <= INT64_MAX;
  if (!holds) {
    throw InputError(where, R"(is no row of metrics: {"kind": "text", "train" or "eval", "step": N, ...})");
  }
  row.kind = kind->get<std::string>();
  row.step = step->get<int64_t>();
  return row;
}

bool is_main_evaluation(const MetricsRow& row) {
  const auto split = row.values.find("split");
  const bool further = split != row.values.end() && split->is_string() &&
                       split->get<std::string>().find('.') != std::string::npos;
  return row.kind == "eval" && !further;
}

void for_each_metrics_row(const std::string& path, const std::function<void(MetricsRow&)>& use) {
  const MappedFile file(path);
  std::string_view rest = file.text();
  Location where{path};
  for (size_t end = 0; (end = rest.find('\n')) != std::string_view::npos; rest.remove_prefix(end + 1)) {
    ++where.line;
    MetricsRow row = parse_metrics_row(rest.substr(0, end), where);
    use(row);
  }
}

}  // namespace lmzoo
