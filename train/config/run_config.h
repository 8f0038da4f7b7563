// The YAML of a run: one section a part, each the part's own options.
//
//   name seed tokenizer data model objective optimizer schedule train eval warm_start fine_tune ask phases
//
// Modules never see this: assemble.h hands each its own options.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
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

// How much of an epoch a text has.
enum class CorpusShares { weight, size };
template <>
struct EnumNames<CorpusShares> {
  static constexpr std::pair<CorpusShares, std::string_view> values[] = {{CorpusShares::weight, "weight"},
                                                                         {CorpusShares::size, "size"}};
};

struct CorpusOptions {
  std::string name{};
  TextOptions train{};
  std::optional<TextOptions> valid{};
  double weight = 1;

  static constexpr void fields(auto& self, auto& visit) {
    visit("name", self.name, "of the text, in the log and for objective.components.corpora");
    visit("train", self.train, "text to train on");
    visit("valid", self.valid, "text to evaluate on while training, told as valid.NAME");
    visit("weight", self.weight, "as data.mixture.weight", more_than(0));
  }
  bool operator==(const CorpusOptions&) const = default;
};

// Further texts beside data.train (data/batches/mixture.h).
struct CorpusMixOptions {
  CorpusShares shares = CorpusShares::weight;
  double temperature = 1;
  double weight = 1;
  std::vector<CorpusOptions> corpora{};

  static constexpr void fields(auto& self, auto& visit) {
    visit("shares",
          self.shares,
          "a text's share of the windows is proportional to its weight, or to its weight times its size (in "
          "windows) to the power of 1/temperature");
    visit("temperature",
          self.temperature,
          "of shares by size: 1 in proportion, the larger the more even (mT5: 3.3)",
          more_than(0));
    visit("weight", self.weight, "of data.train", more_than(0));
    visit("corpora", self.corpora, "the texts beside data.train");
  }
  bool operator==(const CorpusMixOptions&) const = default;
};

struct DataOptions {
  TextOptions train{};
  std::optional<TextOptions> valid{};
  std::optional<TextOptions> test{};
  std::optional<CorpusMixOptions> mixture{};
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
    visit("mixture", self.mixture, "further texts to train on, each with its share");
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

// A stage of a run (train/config/phases.h).
struct PhaseOptions {
  std::string name{};
  std::optional<int64_t> steps{};
  std::optional<double> share{};
  std::optional<double> tokens{};

  static constexpr void fields(auto& self, auto& visit) {
    visit("name", self.name, "of the phase, in the log and the report");
    visit("steps", self.steps, "its length in steps", at_least(1));
    visit("share", self.share, "or as a part of train.steps", inside(0, 1));
    visit("tokens", self.tokens, "or in tokens of its text", at_least(1));
  }
};
struct Phase {
  PhaseOptions options{};
  YamlNode sections{};  // what it lays over the sections of the document, as written
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
  std::vector<Phase> phases;

  // Of the configuration of one phase: what it shares with the others.
  int64_t longest_sequence = 0;  // the longest data.sequence_length of all; 0: its own
  std::optional<PhaseOptions> phase;
  std::optional<TextOptions> tokenizer_text;  // what the tokenizer is learned from; none: data.train

  int64_t model_length() const { return std::max(longest_sequence, data.sequence_length); }
  const TextOptions& text_for_tokenizer() const { return tokenizer_text ? *tokenizer_text : data.train; }
  uint64_t stream_seed() const { return static_cast<uint64_t>(seed); }
  // Weights from elsewhere, trained on nobody knows what.
  bool is_published() const { return data.train.files.empty(); }
  // Of data.mixture; none without one.
  std::span<const CorpusOptions> further_corpora() const {
    return data.mixture ? std::span<const CorpusOptions>(data.mixture->corpora)
                        : std::span<const CorpusOptions>();
  }
  int64_t micro_batch() const { return train.batch_size / train.micro_batches; }
};

// The optimizer that a run has when its configuration names none.
void settle_optimizer(RunConfig& config, const Registry& registry);

// A configuration and where each key stands, for errors that only show when parts meet.
struct LoadedPhase;
struct LoadedConfig {
  RunConfig config;
  KeyPlaces places;
  std::vector<LoadedPhase> phases{};  // none: a run of one stage
  std::vector<std::string> arms{};    // names of the document's variants (train/config/arms.h)
};

// A phase with everything that holds in it; its configuration has no phases.
struct LoadedPhase {
  PhaseOptions options;
  std::shared_ptr<LoadedConfig> loaded;
  bool own_schedule = false;
};

// The configuration of one phase; of a run of one stage its own.
const LoadedConfig& phase_of(const LoadedConfig& loaded, size_t phase);
// By which a run is asked when it is through.
const LoadedConfig& last_phase(const LoadedConfig& loaded);
// The type of the objective as which it is asked: its own, or that of a mixture's component.
std::string asked_objective(const LoadedConfig& loaded);
// The text that it learned as that: queries are read as it was.
const TextOptions& asked_text(const RunConfig& config);

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
