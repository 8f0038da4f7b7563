// The YAML of a run: one section a part, each the part's own options.
//
//   name seed tokenizer data model objective optimizer schedule train eval warm_start fine_tune ask
//
// Modules never see this: assemble.h hands each its own options.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/fields.h"
#include "core/registry.h"
#include "data/batches/windows.h"
#include "io/json.h"
#include "io/yaml.h"
#include "text/source.h"
#include "tokenizer/options.h"
#include "train/exchange/ask_options.h"
#include "train/loop/lr_schedule.h"
#include "train/loop/train_options.h"
#include "train/start/warm_start.h"
#include "train/tune/fine_tune.h"
#include "train/yaml/bind.h"

namespace lmzoo {

struct DataOptions {
  TextOptions train{};
  std::optional<TextOptions> valid{};
  std::optional<TextOptions> test{};
  int64_t sequence_length =
      128;  // positions of the longest sequence; what the text is cut to follows from the objective
  WindowKind windows = WindowKind::documents;
  std::optional<LongDocuments> long_documents{};  // absent: truncate labeled data, split other
  std::string cache_dir = ".cache";
  int64_t workers = 1;
  int64_t prefetch = 4;

  static constexpr void fields(auto& self, auto& visit) {
    visit("train", self.train, "text to train on");
    visit("valid", self.valid, "text to evaluate on while training; absent: no evaluation");
    visit("test", self.test, "text that only `lmzoo eval` uses");
    visit(
        "sequence_length", self.sequence_length, "positions of the longest sequence", between(1, 1'000'000));
    visit("windows",
          self.windows,
          "what is read together: documents one by one, packed documents, or a stream of all text");
    visit("long_documents",
          self.long_documents,
          "longer documents are split or truncated; absent: truncate when they have labels, else split");
    visit("cache_dir", self.cache_dir, "folder for trained tokenizers and encoded text");
    visit("workers",
          self.workers,
          "threads that prepare batches; 0: the training thread itself",
          between(0, 256));
    visit("prefetch", self.prefetch, "micro-batches prepared ahead", between(1, 1024));
  }
  bool operator==(const DataOptions&) const = default;
};

// The sections `model` and `objective`: a type from the registry and its own options beside it.
struct ModelChoice {
  std::string type;
  std::string preset;  // empty: none; its options are the defaults of this section
  AnyOptions options;
};
struct ObjectiveChoice {
  std::string type;
  AnyOptions options;
};

// The section `optimizer`: a rule from the registry with its own options, and what every rule has.
struct OptimizerChoice {
  std::string type;      // empty until it is read: the usual one of the model
  double lr = 1e-3;      // peak; the schedule scales it
  double clip_norm = 1;  // global gradient norm above which gradients are scaled down to it; 0: never
  AnyOptions options;
};

struct RunConfig {
  std::string name;
  int64_t seed = 1;
  TokenizerOptions tokenizer;
  DataOptions data;
  ModelChoice model;
  ObjectiveChoice objective;
  OptimizerChoice optimizer;
  ScheduleOptions schedule;
  TrainOptions train;
  EvalOptions eval;
  WarmStartOptions warm_start;
  FineTuneOptions fine_tune;
  AskOptions ask;

  uint64_t stream_seed() const { return static_cast<uint64_t>(seed); }
  // Weights from elsewhere, trained on nobody knows what.
  bool is_published() const { return data.train.files.empty(); }
  int64_t micro_batch() const { return train.batch_size / train.micro_batches; }
};

// The optimizer that a run has when its configuration names none.
void settle_optimizer(RunConfig& config, const Registry& registry);

// A configuration and where each key stands, for errors that only show when parts meet.
struct LoadedConfig {
  RunConfig config;
  KeyPlaces places;
};

// Whether a configuration must name a text to train on: imported checkpoints have none.
enum class ReadFor { training, asking };

// Reads and checks everything that can be checked without touching data. `overrides` as of `--set`.
LoadedConfig read_run_config(const std::string& path,
                             const std::vector<Override>& overrides,
                             const Registry& registry,
                             ReadFor purpose = ReadFor::training);
LoadedConfig parse_run_config(std::string_view text,
                              const std::string& file,
                              const std::vector<Override>& overrides,
                              const Registry& registry,
                              ReadFor purpose = ReadFor::training);

// Resolved and complete; reading it gives the same configuration.
YamlNode dump(const RunConfig& config);

// JSON Schema of the whole document, for editors.
Json run_config_schema(const Registry& registry);

// Dotted keys whose values differ between two dumped configurations, without those that may change between
// the parts of one run: where and how fast it computes and what it logs (data.cache_dir, data.workers,
// data.prefetch, train.device, train.threads, train.log_every, train.save_every, train.save_minutes, train.save_at,
// train.keep_last), and how the finished run is asked (ask).
struct ConfigDifference {
  std::string key, before, now;
};
std::vector<ConfigDifference> identity_differences(const YamlNode& before, const YamlNode& now);

}  // namespace lmzoo
