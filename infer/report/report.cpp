#include "infer/report/report.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>

#include "base/check.h"
#include "io/files.h"
#include "io/html_escape.h"
#include "io/safetensors.h"
#include "io/yaml.h"
#include "train/saved/checkpoint.h"
#include "train/saved/metrics_rows.h"

namespace lmzoo {
namespace {

namespace fs = std::filesystem;

std::optional<double> value(const Json& row, const std::string& key) {
  const auto it = row.find(key);
  return it != row.end() && it->is_number() ? std::optional(it->get<double>()) : std::nullopt;
}

// The last row that has the key.
std::optional<double> last(const std::vector<Json>& rows, const std::string& key) {
  for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
    if (const auto found = value(*row, key)) {
      return found;
    }
  }
  return std::nullopt;
}

html::Series series(const std::string& name, const std::vector<Json>& rows, const std::string& key) {
  html::Series line{.name = name, .x = {}, .y = {}, .dots = rows.size() < 30};
  for (const Json& row : rows) {
    const auto step = value(row, "step");
    const auto y = value(row, key);
    if (step && y) {
      line.x.push_back(*step);
      line.y.push_back(*y);
    }
  }
  return line;
}

std::string cell(const std::optional<double>& number) { return number ? html::number(*number) : "–"; }

// Tokens/s over the whole run: the rows' own rates leave out what stood between them.
std::optional<double> mean_rate(const std::vector<Json>& rows) {
  const auto tokens = last(rows, "tokens");
  const auto seconds = last(rows, "seconds");
  return tokens && seconds && *seconds > 0 ? std::optional(std::round(*tokens / *seconds)) : std::nullopt;
}

void read_metrics(const std::string& path, RunRecord& run) {
  if (!fs::exists(path)) {
    return;
  }
  for_each_metrics_row(path, [&](MetricsRow& row) {
    if (row.kind == "train") {
      run.train.push_back(std::move(row.values));
    } else if (is_main_evaluation(row)) {
      run.eval.push_back(std::move(row.values));
    } else if (row.kind == "phase") {
      run.phases.push_back({static_cast<double>(row.step), row.values.value("name", "")});
    }
  });
}

int64_t count_parameters(const std::string& folder) {
  const auto checkpoint = newest_valid_checkpoint(folder, warn_on_stderr);
  if (!checkpoint) {
    return 0;
  }
  int64_t count = 0;
  const SafetensorsFile file(*checkpoint + "/model.safetensors");
  for (const TensorView& tensor : file.tensors()) {
    int64_t elements = 1;
    for (const int64_t dimension : tensor.shape) {
      elements *= dimension;
    }
    count += elements;
  }
  return count;
}

std::string text_of(const Json& object, const char* key, const std::string& path) {
  if (!object.contains(key)) {
    return "";
  }
  check(object[key].is_string(), "{}: {} must be a text", path, key);
  return object[key].get<std::string>();
}

std::vector<std::string> texts_of(const Json& list, const std::string& path) {
  check(list.is_array(), "{}: a row of a table must be a list of texts", path);
  std::vector<std::string> texts;
  for (const Json& item : list) {
    texts.push_back(item.is_string() ? item.get<std::string>() : item.dump());
  }
  return texts;
}

html::Table escaped(const html::Table& plain) {
  html::Table out = plain;
  const auto escape_all = [](std::vector<std::string>& cells) {
    std::transform(
        cells.begin(), cells.end(), cells.begin(), [](const std::string& text) { return html_escape(text); });
  };
  escape_all(out.head);
  for (std::vector<std::string>& row : out.rows) {
    escape_all(row);
  }
  return out;
}

std::string details(const std::string& title, const std::string& body) {
  return "<details><summary>" + title + "</summary>" + body + "</details>";
}

std::string curves(const RunRecord& run) {
  std::vector<html::Chart> shown{
      {.title = "Loss of " + run.name + " (nats a label)",
       .x_label = "step",
       .series = {series("training", run.train, "loss"), series("validation", run.eval, "loss")},
       .borders = run.phases}};
  const html::Series accuracy = series("validation accuracy", run.eval, "accuracy");
  if (accuracy.x.size() > 1) {
    shown.push_back(
        {.title = "Accuracy of " + run.name, .x_label = "step", .series = {accuracy}, .borders = run.phases});
  }
  const std::string more = html::charts({{.title = "Learning rate",
                                          .x_label = "step",
                                          .series = {series("lr", run.train, "lr")},
                                          .borders = run.phases},
                                         {.title = "Gradient norm before clipping",
                                          .x_label = "step",
                                          .series = {series("norm", run.train, "grad_norm")}},
                                         {.title = "Tokens per second",
                                          .x_label = "step",
                                          .series = {series("tokens/s", run.train, "tokens_per_s")}}});
  return html::charts(shown) + details("Learning rate, gradient norm, speed", more) +
         details("The resolved YAML", "<pre>" + html_escape(run.config) + "</pre>");
}

// One measure of all runs of an objective that have it, in one picture.
std::optional<html::Chart> overlay(const std::vector<RunRecord>& runs,
                                   const std::string& objective,
                                   const std::string& key) {
  html::Chart chart{
      .title = "Validation " + key + " of each run" + (objective.empty() ? "" : ": " + objective),
      .x_label = "step",
      .series = {}};
  for (const RunRecord& run : runs) {
    html::Series line = series(run.name, run.eval, key);
    if (run.objective == objective && !line.x.empty()) {
      chart.series.push_back(std::move(line));
    }
  }
  return chart.series.size() > 1 ? std::optional(std::move(chart)) : std::nullopt;
}

std::string overlays(const std::vector<RunRecord>& runs) {
  std::vector<std::string> objectives;
  for (const RunRecord& run : runs) {
    if (std::find(objectives.begin(), objectives.end(), run.objective) == objectives.end()) {
      objectives.push_back(run.objective);
    }
  }
  std::vector<html::Chart> shown;
  for (const std::string& objective : objectives) {
    for (const char* key : {"loss", "accuracy"}) {
      if (auto chart = overlay(runs, objective, key)) {
        shown.push_back(std::move(*chart));
      }
    }
  }
  return shown.empty() ? "" : html::charts(shown);
}

std::string objective_of(const std::string& config, const std::string& file) {
  const YamlNode root = parse_yaml(config, file);
  const YamlNode* const objective = root.find("objective");
  const YamlNode* const type = objective != nullptr ? objective->find("type") : nullptr;
  return type != nullptr ? type->scalar : "";
}

std::vector<double> numbers_of(const Json& list, const std::string& path) {
  check(list.is_array(), "{}: values of a picture must be a list of numbers", path);
  std::vector<double> numbers;
  for (const Json& item : list) {
    check(item.is_number(), "{}: values of a picture must be a list of numbers", path);
    numbers.push_back(item.get<double>());
  }
  return numbers;
}

html::Strip picture_of(const Json& item, const std::string& path) {
  html::Strip strip{.title = text_of(item, "title", path), .rows = {}};
  check(item.contains("rows") && item["rows"].is_array(), "{}: a picture has no list of rows", path);
  for (const Json& row : item["rows"]) {
    check(row.is_object() && row.contains("values"), "{}: a row of a picture has no values", path);
    const Json color = row.value("color", Json(0U));
    check(color.is_number_unsigned(), "{}: color must be a whole number of at least 0", path);
    strip.rows.push_back({text_of(row, "name", path), numbers_of(row["values"], path), color.get<size_t>()});
  }
  return strip;
}

}  // namespace

RunRecord read_run(const std::string& folder) {
  RunRecord run;
  run.folder = folder;
  const std::string config = folder + "/config.yaml";
  check(fs::exists(config), "{} is no run folder: it has no config.yaml", folder);
  std::ifstream in(config, std::ios::binary);
  run.config.assign(std::istreambuf_iterator<char>(in), {});
  run.name = fs::weakly_canonical(folder).filename().string();
  run.objective = objective_of(run.config, config);
  read_metrics(folder + "/metrics.jsonl", run);
  run.parameters = count_parameters(folder);
  return run;
}

void name_distinctly(std::vector<RunRecord>& runs) {
  const auto named = [](const RunRecord& run, int64_t depth) {
    const fs::path path = fs::weakly_canonical(run.folder);
    fs::path name = path.filename();
    for (fs::path above = path.parent_path(); --depth > 0 && above.has_relative_path();
         above = above.parent_path()) {
      name = above.filename() / name;
    }
    return name.string();
  };
  constexpr int64_t kDeepest = 8;  // folders; the same one twice stays the same
  std::map<std::string, int64_t> of_name;
  for (const RunRecord& run : runs) {
    ++of_name[run.name];
  }
  for (int64_t depth = 2; depth <= kDeepest; ++depth) {
    std::map<std::string, int64_t> now;
    for (RunRecord& run : runs) {
      if (of_name[run.name] > 1) {
        run.name = named(run, depth);
      }
      ++now[run.name];
    }
    of_name = std::move(now);
  }
}

Results read_results(const std::string& path) {
  const MappedFile file(path);
  const auto bytes = file.bytes();
  const Json json = parse_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path);
  check(json.is_object(), "{}: must hold one JSON object", path);
  Results results;
  results.title = text_of(json, "title", path);
  for (const Json& item : json.value("pictures", Json::array())) {
    results.pictures.push_back(picture_of(item, path));
  }
  for (const Json& item : json.value("tables", Json::array())) {
    Results::Section section{text_of(item, "title", path), text_of(item, "note", path), {}};
    section.table.head = texts_of(item.value("head", Json::array()), path);
    for (const Json& row : item.value("rows", Json::array())) {
      section.table.rows.push_back(texts_of(row, path));
    }
    results.tables.push_back(std::move(section));
  }
  for (const Json& item : json.value("samples", Json::array())) {
    results.samples.push_back(
        {text_of(item, "title", path), text_of(item, "prompt", path), text_of(item, "answer", path)});
  }
  return results;
}

html::Table summary(const std::vector<RunRecord>& runs) {
  html::Table table;
  table.head = {"run",
                "parameters",
                "steps",
                "tokens seen",
                "tokens/s",
                "train loss",
                "valid loss",
                "perplexity",
                "accuracy"};
  for (const RunRecord& run : runs) {
    table.rows.push_back({run.name,
                          run.parameters > 0 ? html::number(static_cast<double>(run.parameters)) : "–",
                          cell(last(run.train, "step")),
                          cell(last(run.train, "tokens")),
                          cell(mean_rate(run.train)),
                          cell(last(run.train, "loss")),
                          cell(last(run.eval, "loss")),
                          cell(last(run.eval, "perplexity")),
                          cell(last(run.eval, "accuracy"))});
  }
  return table;
}

std::string report_page(const std::vector<RunRecord>& runs,
                        const Results& results,
                        const std::vector<html::Fragment>& more) {
  const std::string title = !results.title.empty() ? results.title
                            : runs.size() == 1     ? runs[0].name
                                                   : "lmzoo runs";
  std::string body = "<h1>" + html_escape(title) + "</h1>";
  for (const html::Strip& picture : results.pictures) {
    body += html::strip(picture);
  }
  if (results.pictures.empty()) {
    body += overlays(runs);
  }
  for (const Results::Section& section : results.tables) {
    body += "<h2>" + html_escape(section.title) + "</h2>" + html::table(escaped(section.table));
    if (!section.note.empty()) {
      body += "<p class=\"note\">" + html_escape(section.note) + "</p>";
    }
  }
  if (!results.samples.empty()) {
    body += "<h2>Samples</h2>";
  }
  for (const Results::Sample& sample : results.samples) {
    body += "<h3>" + html_escape(sample.title) + "</h3><p>" + html_escape(sample.prompt) + " → <mark>" +
            html_escape(sample.answer) + "</mark></p>";
  }
  for (const html::Fragment& part : more) {
    body += "<h2>" + html_escape(part.title) + "</h2>" + part.body;
  }
  body += "<h2>Runs</h2>" + html::table(escaped(summary(runs)));
  body += results.pictures.empty() ? "" : overlays(runs);
  for (const RunRecord& run : runs) {
    body += "<h2>" + html_escape(run.name) + "</h2><p class=\"note\">" + html_escape(run.folder) + "</p>" +
            curves(run);
  }
  return html::page(title, body);
}

std::string plain_table(const html::Table& table) {
  const auto width_of = [](const std::string& text) {
    // Code points, not bytes: "–" is one column.
    return std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
  };
  std::vector<int64_t> widths;
  std::vector<std::vector<std::string>> lines{table.head};
  lines.insert(lines.end(), table.rows.begin(), table.rows.end());
  for (const auto& line : lines) {
    widths.resize(std::max(widths.size(), line.size()));
    for (size_t i = 0; i < line.size(); ++i) {
      widths[i] = std::max<int64_t>(widths[i], width_of(line[i]));
    }
  }
  std::string out;
  for (const auto& line : lines) {
    for (size_t i = 0; i < line.size(); ++i) {
      const std::string pad(static_cast<size_t>(widths[i] - width_of(line[i])), ' ');
      out += (i == 0 ? line[i] + pad : "  " + pad + line[i]);
    }
    out += '\n';
  }
  return out;
}

}  // namespace lmzoo
