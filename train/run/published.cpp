#include "train/run/published.h"

#include <algorithm>
#include <filesystem>

#include "base/check.h"
#include "base/utf8.h"
#include "core/device.h"
#include "io/files.h"
#include "nn/parameter.h"
#include "tokenizer/ids_only.h"
#include "tokenizer/published/published.h"
#include "tokenizer/vocabulary_of.h"
#include "train/exchange/huggingface/config_keys.h"
#include "train/exchange/huggingface/heads.h"
#include "train/exchange/huggingface/peft.h"
#include "train/run/run_folder.h"
#include "train/saved/checkpoint.h"

namespace lmzoo {
namespace {

// Texts are cut to so many positions when a task cuts them at all and the model sets no limit below.
constexpr int64_t kUsualLength = 512;

// `length` of the sequences that the objective will read.
void set_head(const ModelFromFolder& from, int64_t length, ObjectiveChoice& choice) {
  if (from.task.architecture.empty()) {
    return;
  }
  YamlNode wanted = head_settings(from.family, from.task.architecture);
  put(wanted, "dropout", from.type == "gpt" ? 0 : from.task.dropout);
  const YamlNode known = dump_fields(static_cast<GroupRef&>(choice.options));
  // The defaults are meant for 512 positions: with fewer, a question and an overlap get at most a third each.
  for (const char* part : {"max_question_length", "stride"}) {
    put(wanted, part, std::min(OptionValues(known).integer(part), std::max<int64_t>(1, length / 3)));
  }
  std::erase_if(wanted.entries, [&](const YamlEntry& entry) { return known.find(entry.key) == nullptr; });
  KeyPlaces places;
  read_fields(static_cast<GroupRef&>(choice.options), wanted, places);
}

LoadedConfig config_of(const ModelFromFolder& from, const Registry& registry) {
  LoadedConfig loaded;
  RunConfig& config = loaded.config;
  config.name = "published";
  config.model.type = from.type;
  config.model.options = registry.model(from.type).defaults;
  read_fields(static_cast<GroupRef&>(config.model.options), from.options, loaded.places);
  config.objective.type = objective_of(from);
  config.objective.options = registry.objective(config.objective.type).defaults;
  set_columns(config.objective.type, config.data.train);
  const int64_t longest = OptionValues(from.options).integer("max_length", kUsualLength);
  config.data.sequence_length = std::min(longest, kUsualLength);
  set_head(from, config.data.sequence_length, config.objective);
  settle_optimizer(config, registry);
  config.data.train.files.clear();
  config.ask = from.asked.ask;
  if (!from.asked.prompt.empty()) {
    config.data.train.prefix = {from.asked.prompt};
  }
  return loaded;
}

std::shared_ptr<const Tokenizer> tokenizer_of(const ModelFromFolder& from) {
  if (has_huggingface_tokenizer(from.folder)) {
    return load_huggingface_tokenizer(from.folder);
  }
  const ConfigIds& ids = from.ids;
  Vocabulary vocabulary;
  vocabulary.size = ids.vocab_size;
  vocabulary.pad = ids.pad;
  vocabulary.unk = ids.unk;
  vocabulary.bos = ids.bos;
  vocabulary.eos = ids.eos;
  vocabulary.cls = ids.cls;
  vocabulary.sep = ids.sep;
  vocabulary.mask = ids.mask;
  return make_ids_only_tokenizer(vocabulary);
}

// Runs `work`; its InputError without a place gets the file that says what it is about.
template <class Work>
auto at_file(const std::string& file, const Work& work) {
  try {
    return work();
  } catch (const InputError& error) {
    if (!error.where().file.empty()) {
      throw;
    }
    throw InputError(Location{file}, error.what());
  }
}

}  // namespace

PublishedRun load_huggingface(const std::string& folder,
                              const Registry& registry,
                              const std::string& device) {
  const ModelFromFolder from = read_huggingface_config(folder);
  const TensorFiles files = TensorFiles::open(folder);
  PublishedRun published;
  LoadedRun& run = published.run;
  run.folder = folder;
  run.checkpoint = folder;
  run.config = at_file(folder + "/config.json", [&] { return config_of(from, registry); });
  run.device = choose_device({.name = device.empty() ? run.config.config.train.device : device}).device;
  run.tokenizer = tokenizer_of(from);
  const std::vector<std::string> classes =
      from.task.architecture.empty() ? std::vector<std::string>{} : from.task.labels;
  run.parts = at_file(folder + "/config.json", [&] {
    return build_parts_to_ask(run.config, registry, vocabulary_of(*run.tokenizer), classes);
  });
  if (!has_shapes_only()) {
    published.account = import_weights(*run.parts.model,
                                       &*run.parts.objective,
                                       files,
                                       from,
                                       {.objective = run.config.config.objective.type});
  }
  return published;
}

KeyAccount import_folder(const std::string& folder,
                         const std::string& run,
                         const Registry& registry,
                         const std::string& adapter) {
  check(!std::filesystem::exists(run), "{}: is there already; choose another folder", printable(run));
  PublishedRun published = load_huggingface(folder, registry);
  const Parts& parts = published.run.parts;
  if (!adapter.empty()) {
    add_adapter(portable(published.run), adapter);
    merge_adapters(*parts.model, *parts.objective);
  }
  StagedFolder staged(run);
  TrainState start;
  start.batches = Json::object();
  save_checkpoint(staged.path(),
                  {.weights = weights(*parts.model, *parts.objective), .optimizer = {}},
                  start,
                  {.last = 1});
  RunConfig config = published.run.config.config;
  config.name = std::filesystem::path(run).filename().string();
  write_run_folder(staged.path(), config, *published.run.tokenizer, parts.classes);
  staged.commit();
  return std::move(published.account);
}

}  // namespace lmzoo
