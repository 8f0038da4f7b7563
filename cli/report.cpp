// `lmzoo report`: one self-contained page about runs, and their table on the terminal.
#include "infer/report/report.h"

#include "cli/query_flags.h"
#include "infer/vectors/contextual.h"
#include "io/files.h"

namespace lmzoo {
namespace {

Json report_json(const html::Table& table) {
  Json rows = Json::array();
  for (const std::vector<std::string>& row : table.rows) {
    Json object;
    for (size_t i = 0; i < row.size(); ++i) {
      object[table.head[i]] = row[i];
    }
    rows.push_back(object);
  }
  return rows;
}

// One word in the sentences of --text or --file, by the first run.
html::Fragment in_context(const Flags& flags) {
  set_up_cpu(0);
  const LoadedRun run = load_run(flags.all("RUN").front(), make_registry());
  return to_section(
      contextual_points(run, flags.text("contextual"), without_blanks(prompts_of(flags)), std::nullopt));
}

}  // namespace

int run_report(const Command& self, const Strings& arguments) {
  Flags flags(self);
  flags.positional("RUN...", "run folders");
  flags.value("out", "FILE", "the page; default: report.html in the first run");
  flags.value("results", "FILE", "JSON with tables and samples to show first");
  flags.value(
      "contextual", "WORD", "show the first run's vectors of WORD in the sentences of --text or --file");
  add_prompt_flags(flags);
  flags.toggle("json", "print the table as JSON");
  if (!flags.parse(arguments)) {
    return 0;
  }
  std::vector<RunRecord> runs;
  for (const std::string& folder : flags.all("RUN")) {
    runs.push_back(read_run(folder));
  }
  name_distinctly(runs);
  const Results results = flags.has("results") ? read_results(flags.text("results")) : Results{};
  const std::vector<html::Fragment> more =
      flags.has("contextual") ? std::vector{in_context(flags)} : std::vector<html::Fragment>{};
  const std::string out = flags.text("out", runs.front().folder + "/report.html");
  write_atomically(out, report_page(runs, results, more));
  const html::Table table = summary(runs);
  flags.has("json") ? print(report_json(table)) : print(plain_table(table) + "\n" + out + "\n");
  return 0;
}

}  // namespace lmzoo
