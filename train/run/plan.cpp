#include "train/run/plan.h"

#include <cmath>
#include <filesystem>

#include "base/check.h"
#include "core/machine_memory.h"
#include "core/parameters.h"
#include "data/store/build_token_store.h"
#include "io/files.h"
#include "nn/attention_note.h"
#include "nn/parameter.h"
#include "tokenizer/vocabulary_of.h"
#include "train/config/word_settings.h"
#include "train/loop/step.h"
#include "train/run/full_window.h"
#include "train/start/head_classes.h"
#include "train/words/work.h"

namespace lmzoo {
namespace {

// Bytes of English text for each token, to estimate.
double bytes_per_token(const TokenizerOptions& options) {
  return options.type == TokenizerType::sentencepiece ? 4.0
         : options.type == TokenizerType::words       ? 6.0
                                                      : 1.0;
}

// What the libraries take before there is any model.
constexpr double kProcessBytes = 150e6;

// Sizes that no machine has are still told, as the largest number there is.
int64_t rounded(double value) {
  constexpr double kMost = 9e18;
  return std::llround(std::min(value, kMost));
}

class Planner {
 public:
  Planner(const LoadedConfig& loaded, const Registry& registry, const PlanOptions& options)
      : loaded_(loaded), config_(loaded.config), registry_(registry), options_(options) {}

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
    count_work();
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
    const auto look = [&](const std::string& name, const TextOptions& text) {
      const std::string key = "data." + name + ".files";
      PlannedText planned{.name = name};
      errors_.collect(key, [&] {
        loaded_.places.locate(key, [&] {
          for (const std::string& file : expand_files(text)) {
            planned.bytes += std::filesystem::file_size(file);
          }
          check(planned.bytes > 0, "there is no text in {}", text.files.front());
          note(repetitions(name, text));
          if (name != "train" && errors_.is_sound("data.train")) {
            note(overlaps(config_.data.train, name, text));
          }
        });
      });
      plan_.texts.push_back(planned);
    };
    look("train", config_.data.train);
    if (config_.data.valid) {
      look("valid", *config_.data.valid);
    }
    if (config_.data.test) {
      look("test", *config_.data.test);
    }
    if (!config_.warm_start.from.empty()) {
      errors_.collect("warm_start.from", [&] {
        loaded_.places.locate("warm_start.from", [&] { warm_start_file(config_.warm_start.from); });
      });
    }
  }

  void note(const std::vector<std::string>& lines) {
    plan_.warnings.insert(plan_.warnings.end(), lines.begin(), lines.end());
  }

  const TextOptions& options_of(const PlannedText& text) const {
    return text.name == "train"   ? config_.data.train
           : text.name == "valid" ? *config_.data.valid
                                  : *config_.data.test;
  }

  // What training would refuse when it encodes the text, unless it has been encoded already.
  void check_rows() {
    if (!options_.look_at_files || !errors_.is_sound("data")) {
      return;
    }
    for (PlannedText& planned : plan_.texts) {
      const bool is_train = planned.name == "train";
      if (planned.notes || (is_train && has_classes(config_.data.train))) {
        continue;  // its classes have been read, and so all of it
      }
      const std::string key = "data." + planned.name;
      errors_.collect(key, [&] {
        loaded_.places.locate(key, [&] {
          const TextOptions& text = options_of(planned);
          if (cached_store(text, is_train) == nullptr) {
            const std::optional<std::vector<std::string>> classes(classes_);
            planned.notes =
                text_notes(planned.name, text, check_records(text, is_train ? std::nullopt : classes));
          }
        });
      });
    }
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
  std::shared_ptr<const TokenStore> cached_store(const TextOptions& text, bool is_train) const {
    if (tokenizer_ == nullptr) {
      return nullptr;
    }
    TokenStoreRequest request{
        .text = text, .tokenizer = tokenizer_, .cache_dir = config_.data.cache_dir, .classes = {}};
    if (!is_train) {
      request.classes = classes_;
    }
    const std::string path = token_store_path(request);
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
    loaded_.places.locate("warm_start.freeze", [&] {
      check(plan_.trained > 0, "freezes every parameter, so nothing is left to train");
    });
  }

  void count_work() {
    if (trains_word_vectors(config_)) {
      const WordVectorWork work = word_vector_work(config_, parts_.vocabulary);
      plan_.flops_per_token = work.flops_per_word;
      plan_.labels_per_window = work.labels_per_word * static_cast<double>(plan_.lengths.raw);
      plan_.tokens_per_step = work.words_per_step;
      plan_.memory_bytes = rounded(kProcessBytes + 4.0 * static_cast<double>(plan_.parameters));
      plan_.state_bytes = plan_.least_bytes = plan_.memory_bytes;
      return;
    }
    constexpr int64_t kWindows = 8;  // objectives may draw how much they label
    const Batch batch = full_windows(*parts_.objective,
                                     parts_.model->architecture(),
                                     parts_.vocabulary,
                                     parts_.shape(),
                                     kWindows,
                                     config_.stream_seed());
    const double tokens = static_cast<double>(batch.tokens) / kWindows;  // of a window
    note_attention(batch.inputs);
    plan_.labels_per_window = static_cast<double>(batch.slots.front().count()) / kWindows;
    plan_.flops_per_token =
        train_flops(*parts_.model, *parts_.objective, batch) / static_cast<double>(batch.tokens);
    plan_.tokens_per_step = rounded(tokens * static_cast<double>(config_.train.batch_size));
    const NamedTensors trained = trainable(*parts_.model, *parts_.objective);
    // Weights, and gradients of those that learn, both float32; what the optimizer holds beside them.
    const double state =
        4.0 * static_cast<double>(plan_.parameters + plan_.trained) +
        static_cast<double>(make_optimizer(loaded_, registry_, {.parameters = trained})->memory_bytes());
    // The states of a body that no gradient reaches are not kept.
    const double positions =
        config_.fine_tune.probe ? 0 : tokens * static_cast<double>(config_.micro_batch());
    const double number = config_.train.precision == Precision::bf16 ? 2 : 4;
    const double position_bytes = saved_numbers() * number;
    plan_.memory_bytes = rounded(kProcessBytes + state + positions * position_bytes);
    plan_.state_bytes = rounded(kProcessBytes + state);
    // A sequence has at least one position, and some bytes of it wait on the CPU wherever it is computed.
    const double sequences = static_cast<double>(config_.micro_batch());
    const double least = config_.fine_tune.probe ? sizeof(int64_t) : position_bytes + sizeof(int64_t);
    plan_.least_bytes = rounded(kProcessBytes + state + sequences * least);
    note_memory();
  }

  // Planned here, it may run elsewhere: a note, and no error.
  void note_memory() {
    const uint64_t memory = usable_memory();
    if (!options_.device.is_cuda() && static_cast<uint64_t>(plan_.memory_bytes) > memory) {
      plan_.warnings.push_back(fmt::format(
          "full batches need more than the {} of memory that this machine gives", human_bytes(memory)));
    }
  }

  void note_attention(const Inputs& inputs) {
    if (!options_.device.is_cuda() && !config_.train.device.starts_with("cuda")) {
      return;
    }
    const MaskKind mask = inputs.prefix.empty() ? MaskKind::causal : MaskKind::prefix;
    const auto type = config_.train.precision == Precision::bf16 ? at::kBFloat16 : at::kFloat;
    const std::string note = attention_note(*parts_.model, mask, type);
    if (!note.empty()) {
      plan_.warnings.push_back(note);
    }
  }

  // Numbers that a position leaves for the backward pass: each matrix keeps what it reads, and what it gives
  // is kept by whatever comes next. Embeddings, which have a row for each id or position, keep nothing.
  double saved_numbers() const {
    const std::vector<ModelPart> model_parts = parts_.model->parts();
    double numbers = 0;
    for (const NamedTensor& weight : weights(*parts_.model, *parts_.objective)) {
      const Tensor& tensor = weight.tensor;
      const ModelPart* part = model_part(model_parts, weight.name);
      const bool is_table =
          part != nullptr && (part->kind == PartKind::embeddings || part->kind == PartKind::projection);
      numbers += is_table || tensor.dim() != 2 ? 0 : static_cast<double>(tensor.size(0) + tensor.size(1));
    }
    return numbers;
  }

  void count_texts() {
    for (PlannedText& text : plan_.texts) {
      const auto store = cached_store(options_of(text), text.name == "train");
      if (store == nullptr) {
        text.tokens = std::llround(static_cast<double>(text.bytes) / bytes_per_token(config_.tokenizer));
        look_at_first_records(text);
        continue;
      }
      const Windows windows = make_windows(loaded_, *parts_.objective, parts_.vocabulary, store);
      text.tokens = store->tokens();
      text.documents = store->documents();
      text.windows = windows.size();
      text.notes = text_notes(text.name, options_of(text), windows);
      if (!trains_word_vectors(config_)) {
        loaded_.places.locate("data." + text.name,
                              [&] { look_at_samples(*text.notes, *parts_.objective, windows); });
      }
    }
    for (const PlannedText& text : plan_.texts) {
      note(text.notes ? to_lines(*text.notes) : std::vector<std::string>{});
    }
    const PlannedText& train = plan_.texts.front();
    if (trains_word_vectors(config_)) {
      plan_.epochs = static_cast<double>(*config_.train.epochs);
      plan_.flops = plan_.flops_per_token * static_cast<double>(train.tokens) * *plan_.epochs;
      return;
    }
    count_steps(train);
    if (!train.windows) {
      plan_.warnings.push_back("the text is not encoded yet: tokens are estimated from bytes");
    }
  }

  void look_at_first_records(PlannedText& text) {
    constexpr int64_t kRecords = 200;
    if (tokenizer_ == nullptr || !text.notes || trains_word_vectors(config_)) {
      return;
    }
    loaded_.places.locate("data." + text.name, [&] {
      const std::vector<Sample> first = first_samples(
          {.text = options_of(text), .tokenizer = tokenizer_, .cache_dir = "", .classes = known_classes()},
          kRecords);
      look_at_samples(*text.notes, *parts_.objective, first, std::ssize(first) < kRecords);
    });
  }

  std::optional<std::vector<std::string>> known_classes() const {
    return classes_.empty() ? std::nullopt : std::optional(classes_);
  }

  // Those of epochs are known with the windows.
  void count_steps(const PlannedText& train) {
    const double batch = static_cast<double>(config_.train.batch_size);
    if (config_.train.epochs && !train.windows) {
      plan_.epochs = static_cast<double>(*config_.train.epochs);
      plan_.flops = plan_.flops_per_token * static_cast<double>(train.tokens) * *plan_.epochs;
      return;
    }
    plan_.steps = steps_of(loaded_, train.windows.value_or(0));
    const double steps = static_cast<double>(*plan_.steps);
    plan_.flops = plan_.flops_per_token * static_cast<double>(plan_.tokens_per_step) * steps;
    if (train.windows && *train.windows > 0) {
      plan_.epochs = steps * batch / static_cast<double>(*train.windows);
    }
  }

  const LoadedConfig& loaded_;
  const RunConfig& config_;
  const Registry& registry_;
  const PlanOptions& options_;
  std::shared_ptr<const Tokenizer> tokenizer_;  // null: not made yet
  std::vector<std::string> classes_;
  ErrorList errors_;
  Parts parts_;
  Plan plan_;
};

}  // namespace

Plan make_plan(const LoadedConfig& loaded, const Registry& registry, const PlanOptions& options) {
  return Planner(loaded, registry, options).make();
}

void check_memory(const LoadedConfig& loaded, const Plan& plan, const MemoryLimits& limits) {
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
