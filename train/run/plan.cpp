#include "train/run/plan.h"

#include <cmath>
#include <filesystem>

#include "base/check.h"
#include "core/parameters.h"
#include "data/store/build_token_store.h"
#include "io/files.h"
#include "nn/parameter.h"
#include "tokenizer/vocabulary_of.h"
#include "train/config/word_settings.h"
#include "train/run/plan_work.h"
#include "train/start/head_classes.h"

namespace lmzoo {
namespace {

// Bytes of English text for each token, to estimate.
double bytes_per_token(const TokenizerOptions& options) {
  return options.type == TokenizerType::sentencepiece ? 4.0
         : options.type == TokenizerType::words       ? 6.0
                                                      : 1.0;
}

class Planner {
 public:
  Planner(const LoadedConfig& loaded, const Registry& registry, const PlanOptions& options)
      : loaded_(loaded),
        config_(loaded.config),
        registry_(registry),
        options_(options),
        texts_(run_texts(config_)) {}

  Plan make() {
    plan_.title = config_.name + ": " + config_.model.type + " on " + config_.objective.type;
    check_files();
    Vocabulary vocabulary;
    if (errors_.is_sound("data")) {
      errors_.collect("tokenizer", [&] { vocabulary = find_vocabulary(); });
      errors_.collect("data", [&] { find_classes(); });
      check_rows();
    }
    if (errors_.is_sound("tokenizer") && errors_.is_sound("data")) {
      errors_.collect("model", [&] { build(vocabulary); });
    }
    errors_.throw_if_any();
    count_work({loaded_, registry_, parts_, options_}, plan_);
    if (options_.look_at_files) {
      count_texts();
    }
    return plan_;
  }

 private:
  void check_files() {
    if (!options_.look_at_files) {
      return;
    }
    for (const RunText& text : texts_) {
      look_at(text);
    }
    if (!config_.warm_start.from.empty()) {
      errors_.collect("warm_start.from", [&] {
        loaded_.places.locate("warm_start.from", [&] { warm_start_file(config_.warm_start.from); });
      });
    }
  }

  void look_at(const RunText& text) {
    const std::string key = text.key + ".files";
    PlannedText planned{.name = text.name};
    errors_.collect(key, [&] {
      loaded_.places.locate(key, [&] {
        for (const std::string& file : expand_files(text.options)) {
          planned.bytes += std::filesystem::file_size(file);
        }
        check(planned.bytes > 0, "there is no text in {}", text.options.files.front());
        note(repetitions(text.name, text.options));
        for (const RunText& other : texts_) {
          if (other.use == TextUse::train && other.name != text.name && errors_.is_sound(other.key)) {
            note(overlaps(other.options, text.name, text.options));
          }
        }
      });
    });
    plan_.texts.push_back(planned);
  }

  void note(const std::vector<std::string>& lines) {
    plan_.warnings.insert(plan_.warnings.end(), lines.begin(), lines.end());
  }

  // What training would refuse when it encodes the text, unless it has been encoded already.
  void check_rows() {
    if (!options_.look_at_files || !errors_.is_sound("data")) {
      return;
    }
    for (size_t i = 0; i < texts_.size(); ++i) {
      const RunText& text = texts_[i];
      PlannedText& planned = plan_.texts[i];
      if (planned.notes || (text.name == "train" && has_classes(text.options))) {
        continue;  // its classes have been read, and so all of it
      }
      errors_.collect(text.key, [&] {
        loaded_.places.locate(text.key, [&] {
          if (cached_store(text) == nullptr) {
            planned.notes =
                text_notes(planned.name, text.options, check_records(text.options, given_classes(text)));
          }
        });
      });
    }
  }

  // The classes that a text is read with: those of data.train.
  std::optional<std::vector<std::string>> given_classes(const RunText& text) const {
    return text.is_main() && text.use != TextUse::train ? std::optional(classes_) : std::nullopt;
  }

  Vocabulary find_vocabulary() {
    ForeseenVocabulary foreseen = foresee_vocabulary(loaded_, options_.look_at_files);
    tokenizer_ = std::move(foreseen.tokenizer);
    if (!foreseen.note.empty()) {
      plan_.warnings.push_back(foreseen.note);
    }
    return foreseen.vocabulary;
  }

  // The store of a text, when it is in the cache already.
  std::shared_ptr<const TokenStore> cached_store(const RunText& text) const {
    if (tokenizer_ == nullptr) {
      return nullptr;
    }
    const std::string path = token_store_path({.text = text.options,
                                               .tokenizer = tokenizer_,
                                               .cache_dir = config_.data.cache_dir,
                                               .classes = given_classes(text)});
    try {
      return std::filesystem::exists(path) ? std::make_shared<const TokenStore>(path) : nullptr;
    } catch (const InputError&) {
      return nullptr;  // damaged: training makes it again
    }
  }

  void find_classes() {
    const TextOptions& text = config_.data.train;
    if (!has_classes(text)) {
      return;
    }
    if (!options_.look_at_files) {
      classes_ = {"0", "1"};
      plan_.warnings.push_back("the classes are unknown without data and taken as two");
      return;
    }
    TextCounts counts;
    loaded_.places.locate("data.train", [&] { classes_ = class_names(text, &counts); });
    plan_.texts.front().notes = text_notes("train", text, counts);
    loaded_.places.locate("warm_start", [&] { classes_ = run_classes(config_.warm_start, classes_); });
  }

  void build(const Vocabulary& vocabulary) {
    const MetaScope meta;
    parts_ = build_parts(loaded_, registry_, vocabulary, classes_);
    loaded_.places.locate("warm_start.freeze",
                          [&] { freeze(*parts_.model, *parts_.objective, config_.warm_start.freeze); });
    plan_.adapted = loaded_.places.locate("fine_tune", [&] { return prepare_fine_tuning(parts_, config_); });
    plan_.parameters = count_elements(weights(*parts_.model, *parts_.objective));
    const NamedTensors trained = trainable(*parts_.model, *parts_.objective);
    plan_.trained = count_elements(trained);
    plan_.trained_parts = summary_of(*parts_.model, trained);
    plan_.vocabulary = vocabulary.size;
    plan_.classes = std::ssize(classes_);
    plan_.lengths = parts_.objective->lengths();
    plan_.components = parts_.objective->shares();
    loaded_.places.locate("warm_start.freeze", [&] {
      check(plan_.trained > 0, "freezes every parameter, so nothing is left to train");
    });
  }

  void count_texts() {
    std::vector<Windows> trained;
    for (size_t i = 0; i < texts_.size(); ++i) {
      count_text(texts_[i], plan_.texts[i], trained);
    }
    count_shares(trained);
    for (const PlannedText& text : plan_.texts) {
      note(text.notes ? to_lines(*text.notes) : std::vector<std::string>{});
    }
    if (trains_word_vectors(config_)) {
      count_epochs();
      return;
    }
    if (!plan_.epochs) {
      foresee_steps();
    }
    if (!is_encoded()) {
      plan_.warnings.push_back("the text is not encoded yet: tokens are estimated from bytes");
    }
  }

  void count_text(const RunText& text, PlannedText& planned, std::vector<Windows>& trained) {
    const auto store = cached_store(text);
    if (store == nullptr) {
      planned.tokens = std::llround(static_cast<double>(planned.bytes) / bytes_per_token(config_.tokenizer));
      look_at_first_records(text, planned);
      return;
    }
    const Windows windows = make_windows(loaded_, *parts_.objective, parts_.vocabulary, store);
    planned.tokens = store->tokens();
    planned.documents = store->documents();
    planned.windows = windows.size();
    planned.notes = text_notes(text.name, text.options, windows);
    if (!trains_word_vectors(config_)) {
      loaded_.places.locate(text.key, [&] {
        look_at_samples(*planned.notes, *parts_.objective, {windows, text.corpus});
      });
    }
    if (text.use == TextUse::train) {
      trained.push_back(windows);
    }
  }

  // Of an epoch: exact where all texts are encoded, else what the weights say.
  void count_shares(const std::vector<Windows>& trained) {
    std::vector<double> shares = known_shares(config_);
    if (config_.data.mixture && trained.size() == parts_.corpora.size()) {
      const MixedWindows mixed = mixed_windows(loaded_, trained);
      shares.clear();
      for (int64_t i = 0; i < std::ssize(trained); ++i) {
        shares.push_back(static_cast<double>(mixed.places(i)) / static_cast<double>(mixed.size()));
      }
      count_steps(mixed);
    }
    for (size_t i = 0; i < texts_.size(); ++i) {
      if (texts_[i].use == TextUse::train && !shares.empty()) {
        plan_.texts[i].share = shares[static_cast<size_t>(texts_[i].corpus)];
      }
    }
    if (!config_.data.mixture && trained.size() == 1 && !trains_word_vectors(config_)) {
      count_steps(trained.front());
    }
  }

  void look_at_first_records(const RunText& text, PlannedText& planned) {
    constexpr int64_t kRecords = 200;
    if (tokenizer_ == nullptr || !planned.notes || trains_word_vectors(config_)) {
      return;
    }
    loaded_.places.locate(text.key, [&] {
      const auto classes = text.is_main() ? known_classes() : std::nullopt;
      std::vector<Sample> first = first_samples(
          {.text = text.options, .tokenizer = tokenizer_, .cache_dir = "", .classes = classes}, kRecords);
      for (Sample& sample : first) {
        sample.corpus = text.corpus;
      }
      look_at_samples(*planned.notes, *parts_.objective, first, std::ssize(first) < kRecords);
    });
  }

  std::optional<std::vector<std::string>> known_classes() const {
    return classes_.empty() ? std::nullopt : std::optional(classes_);
  }

  bool is_encoded() const {
    for (size_t i = 0; i < texts_.size(); ++i) {
      if (texts_[i].use == TextUse::train && !plan_.texts[i].windows) {
        return false;
      }
    }
    return true;
  }

  void count_epochs() {
    double tokens = 0;
    for (size_t i = 0; i < texts_.size(); ++i) {
      tokens += texts_[i].use == TextUse::train ? static_cast<double>(plan_.texts[i].tokens) : 0;
    }
    plan_.epochs = static_cast<double>(*config_.train.epochs);
    plan_.flops = plan_.flops_per_token * tokens * *plan_.epochs;
  }

  void count_steps(const MixedWindows& windows) {
    plan_.steps = steps_of(loaded_, windows);
    count_flops();
    plan_.epochs = static_cast<double>(*plan_.steps) * static_cast<double>(config_.train.batch_size) /
                   static_cast<double>(windows.size());
  }

  // Before the windows are known: steps that follow from them are not.
  void foresee_steps() {
    if (config_.train.epochs) {
      count_epochs();
    } else if (config_.phase && config_.phase->tokens) {
      plan_.flops = plan_.flops_per_token * *config_.phase->tokens;
    } else {
      plan_.steps = config_.train.steps;
      count_flops();
    }
  }

  void count_flops() {
    plan_.flops = plan_.flops_per_token * static_cast<double>(plan_.tokens_per_step) *
                  static_cast<double>(*plan_.steps);
  }

  const LoadedConfig& loaded_;
  const RunConfig& config_;
  const Registry& registry_;
  const PlanOptions& options_;
  std::shared_ptr<const Tokenizer> tokenizer_;  // null: not made yet
  std::vector<RunText> texts_;
  std::vector<std::string> classes_;
  ErrorList errors_;
  Parts parts_;
  Plan plan_;
};

}  // namespace

Plan make_plan(const LoadedConfig& loaded, const Registry& registry, const PlanOptions& options) {
  Plan plan = Planner(phase_of(loaded, 0), registry, options).make();
  for (const LoadedPhase& phase : loaded.phases) {
    plan.phases.push_back({phase.options.name, Planner(*phase.loaded, registry, options).make()});
  }
  return plan;
}

std::vector<std::string> all_warnings(const Plan& plan) {
  std::vector<std::string> all = plan.warnings;
  for (const PlannedPhase& phase : plan.phases) {
    all.insert(all.end(), phase.plan.warnings.begin(), phase.plan.warnings.end());
  }
  return all;
}

void check_memory(const LoadedConfig& loaded, const Plan& plan, const MemoryLimits& limits) {
  for (size_t i = 0; i < plan.phases.size(); ++i) {
    check_memory(phase_of(loaded, i), plan.phases[i].plan, limits);
  }
  const auto fit = [&](const char* key, int64_t bytes, const char* what, const char* advice) {
    loaded.places.locate(key, [&] {
      check(static_cast<uint64_t>(bytes) <= limits.cpu,
            "needs at least {} of memory for {}, but there are {}{}",
            human_bytes(static_cast<uint64_t>(bytes)),
            what,
            human_bytes(limits.cpu),
            advice);
    });
  };
  if (!limits.trains_on_cpu) {
    fit("model", 4 * plan.parameters, "its weights", "");
    return;
  }
  fit("model", plan.state_bytes, "weights, gradients and moments", "");
  fit("train.batch_size",
      plan.least_bytes,
      "a micro-batch of even the shortest sequences",
      "; train.micro_batches cuts a batch into parts");
}

}  // namespace lmzoo
