// `lmzoo report`: one self-contained page about runs, and their table on the terminal.
#include "infer/report/report.h"

#include "cli/flags.h"
#include "io/files.h"

namespace lmzoo {
namespace {

Json to_json(const html::Table& table) {
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

}  // namespace

int run_report(const Command& self, const Strings& arguments) {
  Flags flags(self);
  flags.positional("RUN...", "run folders");
  flags.value("out", "FILE", "the page; default: report.html in the first run");
  flags.value("results", "FILE", "JSON with tables and samples to show first");
  flags.toggle("json", "print the table as JSON");
  if (!flags.parse(arguments)) {
    return 0;
  }
  std::vector<RunRecord> runs;
  for (const std::string& folder : flags.all("RUN")) {
    runs.push_back(read_run(folder));
  }
  const Results results = flags.has("results") ? read_results(flags.text("results")) : Results{};
  const std::string out = flags.text("out", runs.front().folder + "/report.html");
  write_atomically(out, report_page(runs, results));
  const html::Table table = summary(runs);
  flags.has("json") ? print(to_json(table)) : print(plain_table(table) + "\n" + out + "\n");
  return 0;
}

}  // namespace lmzoo
