#include "train/config/run_config_checks.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/strings.h"
#include "base/utf8.h"
#include "core/cpu_setup.h"
#include "core/device.h"
#include "metrics/task.h"
#include "train/config/word_settings.h"

namespace lmzoo {
namespace {

void check_name(const RunConfig& config, const KeyPlaces& places) {
  const auto legal = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.'; };
  const std::string& name = config.name;
  if (name.empty() || name.size() > 100 || name.front() == '.' ||
      !std::all_of(name.begin(), name.end(), legal)) {
    places.fail("name",
                "'" + printable(name) +
                    "' cannot be a folder; legal are up to 100 letters, digits, '-', '_' and '.', not first");
  }
}

void check_text(const TextOptions& text, const std::string& key, const KeyPlaces& places) {
  if (text.files.empty()) {
    places.fail(key + ".files", "is missing; a list of paths or globs, as in [corpora/wordnet/train.txt]");
  }
  for (size_t i = 0; i < text.files.size(); ++i) {
    if (text.files[i].empty()) {
      places.fail(fmt::format("{}.files.{}", key, i), "is empty; a path or a glob is needed");
    }
  }
  const size_t texts = std::max<size_t>(text.text.size(), 1);
  if (text.prefix.size() > texts) {
    places.fail(key + ".prefix",
                fmt::format("has {} prefixes, but a record has {} {}",
                            text.prefix.size(),
                            texts,
                            texts == 1 ? "text" : "texts"));
  }
}

void check_mixture(const CorpusMixOptions& mixture, const KeyPlaces& places) {
  if (mixture.corpora.empty()) {
    places.fail("data.mixture", "has no corpora: a list of {name, train, weight} beside data.train");
  }
  if (mixture.temperature != 1 && mixture.shares == CorpusShares::weight) {
    places.fail("data.mixture.temperature", "has no effect unless data.mixture.shares is size");
  }
  std::vector<std::string> names{"train", "valid", "test"};
  for (size_t i = 0; i < mixture.corpora.size(); ++i) {
    const CorpusOptions& corpus = mixture.corpora[i];
    const std::string key = fmt::format("data.mixture.corpora.{}", i);
    const bool legal = !corpus.name.empty() && std::ranges::all_of(corpus.name, [](unsigned char c) {
      return std::isalnum(c) != 0 || c == '-' || c == '_';
    });
    if (!legal || std::ranges::find(names, corpus.name) != names.end()) {
      places.fail(
          key + ".name",
          fmt::format("'{}' is no name for another text: letters, digits, - and _, no name twice, and "
                      "not train, valid or test",
                      printable(corpus.name)));
    }
    names.push_back(corpus.name);
    for (const auto& [text, part] :
         {std::pair{&corpus.train, ".train"}, std::pair{corpus.valid ? &*corpus.valid : nullptr, ".valid"}}) {
      if (text == nullptr) {
        continue;
      }
      check_text(*text, key + part, places);
      if (has_classes(*text)) {
        places.fail(key + part, "has labels, but classes are those of data.train alone");
      }
      if (!(shape_of(*text) == shape_of(corpus.train))) {
        places.fail(key + part, "has other columns than the training text of this corpus");
      }
    }
  }
}

void check_data(const DataOptions& data, const KeyPlaces& places, ReadFor purpose) {
  if (purpose == ReadFor::training || !data.train.files.empty()) {
    check_text(data.train, "data.train", places);
  }
  const bool labeled = !data.train.label.empty();
  const auto check_other = [&](const std::optional<TextOptions>& text, const std::string& key) {
    if (!text) {
      return;
    }
    check_text(*text, key, places);
    if (labeled && text->label.empty()) {
      places.fail(key + ".label", "is missing: data.train has labels (" + printable(data.train.label) + ")");
    }
    if (text->sentences != data.train.sentences) {
      places.fail(key + ".sentences",
                  fmt::format("is {}, but that of data.train is {}",
                              name_of(text->sentences),
                              name_of(data.train.sentences)));
    }
  };
  check_other(data.valid, "data.valid");
  check_other(data.test, "data.test");
  if (data.mixture) {
    check_mixture(*data.mixture, places);
  }
  if (labeled && data.windows != WindowKind::documents) {
    places.fail("data.windows",
                "is " + std::string(name_of(data.windows)) +
                    ", but data.train has labels, and those belong to documents; legal: documents");
  }
  if (data.cache_dir.empty()) {
    places.fail("data.cache_dir", "is empty; a folder is needed, as in .cache");
  }
}

// Whether a task has it shows when it first predicts; that there is none of this name shows now.
void check_metric_names(const EvalOptions& eval, const KeyPlaces& places) {
  std::vector<std::string> known = all_metric_names();
  const auto check_name = [&](const std::string& key, const std::string& name) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      places.fail(key, fmt::format("'{}' is no metric{}", printable(name), suggestion(name, known)));
    }
  };
  for (const std::string& name : eval.metrics) {
    check_name("eval.metrics", name);
  }
  known.insert(known.end(), {"loss", "perplexity", "bits_per_byte"});
  check_name("eval.best_by", eval.best_by);
}

void check_batch(const TrainOptions& train, const KeyPlaces& places) {
  if (train.batch_size % train.micro_batches != 0) {
    places.fail(
        "train.micro_batches",
        fmt::format("is {}, but must divide train.batch_size = {}", train.micro_batches, train.batch_size));
  }
  if (train.threads > kMostThreads) {
    places.fail("train.threads", fmt::format("is {}, but must be in [0, {}]", train.threads, kMostThreads));
  }
}

void check_evaluation(const RunConfig& config, const KeyPlaces& places) {
  if (!config.data.valid && config.eval.every > 0) {
    places.fail("eval.every",
                fmt::format("is {}, but there is no data.valid to evaluate on", config.eval.every));
  }
  if (!config.data.valid && config.eval.patience > 0) {
    places.fail("eval.patience",
                fmt::format("is {}, but there is no data.valid to evaluate on", config.eval.patience));
  }
}

}  // namespace

void check_meaning(LoadedConfig& loaded, ReadFor purpose, ErrorList& errors) {
  const RunConfig& config = loaded.config;
  const KeyPlaces& places = loaded.places;
  collect_check(errors, {"name"}, [&] { check_name(config, places); });
  collect_check(errors, {"data"}, [&] { check_data(config.data, places, purpose); });
  collect_check(errors,
                {"model",
                 "objective",
                 "optimizer",
                 "schedule",
                 "train",
                 "eval",
                 "tokenizer",
                 "data",
                 "warm_start",
                 "fine_tune"},
                [&] { settle_word_vectors(loaded); });
  collect_check(
      errors, {"fine_tune"}, [&] { places.locate("fine_tune", [&] { validate(config.fine_tune); }); });
  collect_check(errors, {"schedule", "train", "optimizer", "model"}, [&] {
    places.locate("schedule", [&] {
      constexpr int64_t kUnknown =
          int64_t{1} << 40;  // those of epochs are known with the data, those of phases together
      const TrainOptions& train = config.train;
      const bool later = train.epochs || config.phase || !config.phases.empty();
      const int64_t steps = later && !trains_word_vectors(config) ? kUnknown : train.steps;
      validate(config.schedule, {.lr = config.optimizer.lr, .steps = steps, .width = 1});
    });
  });
  collect_check(errors, {"eval", "data", "model"}, [&] { check_evaluation(config, places); });
  collect_check(errors, {"eval"}, [&] { check_metric_names(config.eval, places); });
  collect_check(errors, {"train"}, [&] { check_batch(config.train, places); });
  collect_check(errors, {"train"}, [&] {
    places.locate("train.device", [&] { check_device_name(config.train.device); });
  });
}

}  // namespace lmzoo
