// Small JSON files of a run, and what is asked of one. The first byte tells which: 'c' classes.json, 'm' metrics.jsonl,
// 's' state.json, all else a line for `lmzoo forward`.
#include <cstdlib>

#include "fuzz/folder.h"
#include "fuzz/target.h"
#include "infer/ask/forward_line.h"
#include "train/saved/metrics_rows.h"
#include "train/saved/run_files.h"
#include "train/saved/train_state.h"

namespace lmzoo::fuzz {
namespace {

void touch_text(std::string_view text) { touch(text.data(), text.size()); }
void touch_ids(const std::vector<int64_t>& ids) { touch(ids.data(), ids.size() * sizeof(int64_t)); }

// What is written of a state that was read is that state.
void read_state(std::string_view bytes) {
  const Json written = to_json(train_state_from(parse_json(bytes, "state.json"), "state.json"));
  if (to_json(train_state_from(parse_json(written.dump(), "again"), "again")) != written) {
    std::abort();
  }
}

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
        touch_text(name);
      }
      break;
    }
    case 'm': {
      folder.hold("metrics.jsonl", bytes);
      for_each_metrics_row(folder / "metrics.jsonl", [](const MetricsRow& row) { touch_text(row.kind); });
      break;
    }
    case 's':
      return read_state(bytes);
    default: {
      const ForwardLine line = parse_forward_line(parse_json_line(bytes, {"line", 1}), 1000, {"line", 1});
      touch_ids(line.ids);
      touch_ids(line.token_types);
      touch_ids(line.decoder_ids.value_or(std::vector<int64_t>{}));
    }
  }
}

}  // namespace lmzoo::fuzz
