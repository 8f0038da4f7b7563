#include "train/loop/metrics.h"

#include <filesystem>

#include <c10/core/CachingDeviceAllocator.h>
#include <sys/resource.h>

#include "io/json.h"
#include "train/saved/metrics_rows.h"

namespace lmzoo {
namespace {

constexpr size_t kMaxBytes = size_t{1} << 30;

bool is_row_until(std::string_view line, const LoggedUntil& until) {
  try {
    const MetricsRow row = parse_metrics_row(line, {});
    // A phase is told again when it begins again.
    return row.kind == "phase" ? row.step < until.step
                               : row.step <= (row.kind == "eval" ? until.evaluated_step : until.step);
  } catch (const InputError&) {
    return false;  // damaged
  }
}

// A last row without its newline was being written when the run died.
std::string rows_until(const std::string& path, const LoggedUntil& until) {
  const std::string text = read_text_file(path, kMaxBytes);
  std::string kept;
  for (size_t begin = 0, end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string_view row(text.data() + begin, end - begin);
    if (is_row_until(row, until)) {
      kept.append(row).push_back('\n');
    }
  }
  return kept;
}

}  // namespace

MetricsLog::MetricsLog(const std::string& run, const LoggedUntil& until) {
  const std::string path = run + "/metrics.jsonl";
  make_folders(run);
  if (std::filesystem::exists(path)) {
    write_atomically(path, until.step > 0 ? rows_until(path, until) : "");
  }
  rows_ = std::make_unique<AppendFile>(path);
  // From the next step on what earlier event files say is void.
  events_ = std::make_unique<EventFile>(run + "/tensorboard", until.step + 1);
}

void MetricsLog::phase(int64_t step, const std::string& name) {
  rows_->write(Json{{"kind", "phase"}, {"step", step}, {"name", name}}.dump() + "\n");
}

void MetricsLog::texts(const std::vector<TextRow>& rows) {
  for (const TextRow& row : rows) {
    Json json{{"kind", "text"}, {"step", 0}, {"split", row.split}};
    for (const auto& [name, count] : row.counts) {
      json[name] = count;
    }
    rows_->write(json.dump() + "\n");
  }
}

void MetricsLog::train(const TrainRow& row) {
  Json json{{"kind", "train"},
            {"step", row.step},
            {"loss", row.loss},
            {"lr", row.lr},
            {"grad_norm", row.grad_norm},
            {"tokens", row.tokens},
            {"labels", row.labels},
            {"tokens_per_s", row.tokens_per_s},
            {"target_tokens_per_s", row.target_tokens_per_s},
            {"flops_per_s", row.flops_per_s},
            {"memory_bytes", row.memory_bytes},
            {"skipped", row.skipped},
            {"seconds", row.seconds}};
  const auto put = [&](const char* key, const NamedCounts& counts) {
    for (const auto& [name, count] : counts) {
      json[key][name] = count;
    }
  };
  put("windows", row.windows);
  put("slot_labels", row.slot_labels);
  rows_->write(json.dump() + "\n");
  for (const auto& [name, value] : json.items()) {
    if (value.is_number() && name != "step") {
      events_->scalar("train/" + name, row.step, value.get<double>());
    }
  }
}

void MetricsLog::eval(int64_t step,
                      const std::string& split,
                      const std::vector<std::pair<std::string, double>>& values) {
  Json json{{"kind", "eval"}, {"step", step}, {"split", split}};
  for (const auto& [name, value] : values) {
    json[name] = value;
    events_->scalar(split + "/" + name, step, value);
  }
  rows_->write(json.dump() + "\n");
}

void MetricsLog::flush() {
  rows_->flush();
  events_->flush();
}

void MetricsLog::sync() {
  rows_->sync();
  events_->flush();
}

int64_t peak_memory_bytes(at::Device device) {
  if (device.is_cpu()) {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return int64_t{usage.ru_maxrss} * 1024;
  }
  const auto stats = at::getDeviceAllocator(device.type())
                         ->getDeviceStats(device.has_index() ? device.index() : c10::DeviceIndex{0});
  return stats.allocated_bytes[0].peak;
}

}  // namespace lmzoo
