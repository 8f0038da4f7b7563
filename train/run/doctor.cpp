#include "train/run/doctor.h"

#include <filesystem>
#include <functional>
#include <optional>

#include "base/check.h"
#include "base/utf8.h"
#include "data/store/build_token_store.h"
#include "io/files.h"
#include "io/manifest.h"
#include "train/config/run_config.h"
#include "train/saved/checkpoint.h"
#include "train/saved/metrics_rows.h"
#include "train/saved/run_files.h"

namespace lmzoo {
namespace {

namespace fs = std::filesystem;

class Examination {
 public:
  explicit Examination(const Registry& registry) : registry_(registry) {}

  void store(const std::string& path) {
    look(path, [&] { TokenStore(path).verify(); });
  }

  void checkpoint(const std::string& folder) {
    look(folder, [&] { verify_checkpoint(folder); });
  }

  void run(const std::string& folder) {
    std::optional<RunConfig> config;
    look(config_file(folder),
         [&] { config = read_run_config(config_file(folder), {}, registry_, ReadFor::asking).config; });
    if (const std::string manifest = folder + "/" + kManifestName; fs::exists(manifest)) {
      look(manifest, [&] { verify_run_manifest(folder); });
    }
    if (fs::exists(classes_file(folder))) {
      look(classes_file(folder), [&] { read_classes(folder); });
    }
    const auto tokenizer = read_tokenizer(tokenizer_folder(folder));
    metrics(folder + "/metrics.jsonl");
    checkpoints(folder);
    if (config && tokenizer != nullptr) {
      stores(*config, tokenizer);
    }
  }

  std::vector<Examined> all;

 private:
  // What `work` dislikes is damage of this file.
  void look(const std::string& path, const std::function<void()>& work, const std::string& note = "") {
    Examined& file = all.emplace_back(Examined{.path = path, .damage = {}, .note = note});
    try {
      work();
    } catch (const InputError& error) {
      file.damage = error.what();
    }
  }

  std::shared_ptr<const Tokenizer> read_tokenizer(const std::string& folder) {
    std::shared_ptr<const Tokenizer> tokenizer;
    const bool listed = fs::exists(folder + "/" + kManifestName);
    look(
        folder,
        [&] {
          if (listed) {
            verify_manifest(folder);
          }
          tokenizer = load_tokenizer(folder);
        },
        listed ? "" : "has no manifest: it can be read, but its bytes are not compared");
    return tokenizer;
  }

  // A row that was being written when the process was killed is dropped when the run goes on.
  void metrics(const std::string& path) {
    if (!fs::exists(path)) {
      return;
    }
    const MappedFile file(path);
    const std::string_view text = file.text();
    const bool cut = !text.empty() && text.back() != '\n';
    look(
        path,
        [&] { for_each_metrics_row(path, [](MetricsRow&) {}); },
        cut ? "its last row is cut, and is dropped when the run goes on" : "");
  }

  void checkpoints(const std::string& folder) {
    for (const std::string& each : list_checkpoints(folder)) {
      checkpoint(each);
    }
    if (const auto best = best_mark(folder)) {
      const std::string marked = checkpoint_folder(folder, best->step);
      if (!fs::is_directory(marked)) {
        all.push_back({.path = marked, .damage = "is the best checkpoint, and is not there"});
      }
    }
  }

  void stores(const RunConfig& config, const std::shared_ptr<const Tokenizer>& tokenizer) {
    std::optional<std::vector<std::string>> classes;
    const auto look_for = [&](const std::string& name, const TextOptions& text) {
      const bool is_train = name == "train";
      // Other texts take the classes of the training data, with or without labels of their own.
      for (const auto& known : is_train ? std::vector<decltype(classes)>{std::nullopt}
                                        : std::vector<decltype(classes)>{std::nullopt, classes}) {
        const std::string path = store_path(
            name,
            {.text = text, .tokenizer = tokenizer, .cache_dir = config.data.cache_dir, .classes = known});
        if (path.empty() || !fs::exists(path)) {
          continue;
        }
        store(path);
        if (is_train && all.back().damage.empty()) {
          classes = TokenStore(path).classes();
        }
      }
    };
    if (config.data.train.files.empty()) {
      return;  // a published checkpoint
    }
    look_for("train", config.data.train);
    if (config.data.valid) {
      look_for("valid", *config.data.valid);
    }
    if (config.data.test) {
      look_for("test", *config.data.test);
    }
  }

  // Empty when the text is not here any more: its content is what names the store.
  std::string store_path(const std::string& name, const TokenStoreRequest& request) {
    try {
      return token_store_path(request);
    } catch (const InputError& error) {
      all.push_back({.path = "data." + name,
                     .damage = {},
                     .note = fmt::format("its token store is not looked at: {}", error.what())});
      return "";
    }
  }

  const Registry& registry_;
};

}  // namespace

std::vector<Examined> examine(const std::string& path, const Registry& registry) {
  Examination examination(registry);
  if (fs::is_regular_file(path)) {
    examination.store(path);
  } else if (is_run(path)) {
    examination.run(path);
  } else {
    check(fs::exists(path + "/" + kManifestName),
          "{}: is no run folder, no checkpoint folder and no token store",
          printable(path));
    examination.checkpoint(path);
  }
  return std::move(examination.all);
}

Json to_json(const std::vector<Examined>& examined) {
  Json files = Json::array();
  for (const Examined& file : examined) {
    files.push_back({{"path", file.path},
                     {"whole", file.damage.empty()},
                     {"damage", file.damage.empty() ? Json() : Json(file.damage)},
                     {"note", file.note.empty() ? Json() : Json(file.note)}});
  }
  return files;
}

std::string to_text(const std::vector<Examined>& examined) {
  std::string text;
  for (const Examined& file : examined) {
    const std::string& more = file.damage.empty() ? file.note : file.damage;
    text += fmt::format("{:<8} {}{}\n",
                        file.damage.empty() ? "whole" : "damaged",
                        file.path,
                        more.empty() ? "" : ": " + more);
  }
  return text;
}

}  // namespace lmzoo
