// `lmzoo report`: one self-contained page about one or more runs: curves, tables, samples, the resolved YAML.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "infer/report/html.h"
#include "io/json.h"

namespace lmzoo {

// What is read of a run folder.
struct RunRecord {
  std::string folder;
  std::string name;                    // of the folder: several runs may share a YAML
  std::string config;                  // config.yaml, as it is
  std::string objective{};             // its type: losses of different ones do not compare
  std::vector<Json> train, eval;       // rows of metrics.jsonl (train/loop/metrics.h)
  std::vector<html::Border> phases{};  // where each begins
  int64_t parameters = 0;              // of the newest checkpoint's model; 0 when there is none
};
// Throws InputError when it is no run folder or a file in it is damaged.
RunRecord read_run(const std::string& folder);

// Folders of one name (seed-1 of several cells) get as much of their paths before it as tells them apart.
void name_distinctly(std::vector<RunRecord>& runs);

// Tables and samples that another program made (the quickstart), shown first:
//   {"title": "...", "pictures": [{"title": "...", "rows": [{"name": "...", "values": [...], "color": 0}]}],
//    "tables": [{"title": "...", "note": "...", "head": [...], "rows": [[...], ...]}],
//    "samples": [{"title": "...", "prompt": "...", "answer": "..."}]}
struct Results {
  struct Section {
    std::string title, note;
    html::Table table;  // cells are plain text, not yet escaped
  };
  struct Sample {
    std::string title, prompt, answer;
  };
  std::string title;
  std::vector<html::Strip> pictures{};  // what came of it, at one glance
  std::vector<Section> tables;
  std::vector<Sample> samples;
};
Results read_results(const std::string& path);

// A row a run: parameters, steps, tokens, training and validation loss, perplexity, accuracy, tokens/s.
html::Table summary(const std::vector<RunRecord>& runs);

// `more` stands before the runs.
std::string report_page(const std::vector<RunRecord>& runs,
                        const Results& results,
                        const std::vector<html::Fragment>& more = {});

// The same table for a terminal, columns padded; cells are plain text.
std::string plain_table(const html::Table& table);

}  // namespace lmzoo
