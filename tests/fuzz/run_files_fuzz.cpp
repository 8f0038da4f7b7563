// Small JSON files of a run, and what is asked of one. The first byte tells which: 'c' classes.json, 'm' metrics.jsonl,
// 'f' a line for `lmzoo forward`.
#include "fuzz/folder.h"
#include "fuzz/target.h"
#include "infer/ask/forward_line.h"
#include "train/saved/metrics_rows.h"
#include "train/saved/run_files.h"

namespace lmzoo::fuzz {
namespace {

void touch_ids(const std::vector<int64_t>& ids) { touch(ids.data(), ids.size() * sizeof(int64_t)); }

}  // namespace

void read_input(const Input& input) {
  if (input.bytes.empty()) {
    return;
  }
  static const Folder folder;
  const std::string_view bytes = input.bytes.substr(1);
  switch (input.bytes[0]) {
    case 'c': {
      folder.hold("classes.json", bytes);
      for (const std::string& name : read_classes(folder.path())) {
        touch(name.data(), name.size());
      }
      break;
    }
    case 'm': {
      folder.hold("metrics.jsonl", bytes);
      for_each_metrics_row(folder / "metrics.jsonl",
                           [](const MetricsRow& row) { touch(row.kind.data(), row.kind.size()); });
      break;
    }
    default: {
      const ForwardLine line = parse_forward_line(parse_json_line(bytes, {"line", 1}), 1000, {"line", 1});
      touch_ids(line.ids);
      touch_ids(line.token_types);
      touch_ids(line.decoder_ids.value_or(std::vector<int64_t>{}));
    }
  }
}

}  // namespace lmzoo::fuzz
