// The same weights in the other forms that checkpoints are published in: PyTorch's .bin with old names,
// several files with an index, half types. And an export in several files.
#include <algorithm>
#include <filesystem>

#include "support/catch.h"
#include "train/debug_configs.h"
#include "train/exchange/huggingface/export.h"
#include "train/exchange/huggingface_support.h"
#include "train/run/published.h"

using namespace lmzoo;
using namespace lmzoo::test;
namespace fs = std::filesystem;

namespace {

PublishedRun load_published(const std::string& folder) { return load_with_head(folder, registry()); }

// What a folder computes of the inputs of `name`, without dropout.
Tensor answer_of(const std::string& folder, const std::string& name) {
  const at::NoGradGuard no_grad;
  return logits_of(load_published(folder).run, Expected(name).inputs());
}

// A folder with the configuration of `name` and no weights yet.
std::string folder_like(const TempDir& dir, const std::string& name, const std::string& form) {
  const std::string folder = dir / form;
  fs::create_directories(folder);
  fs::copy_file(published(name) + "/config.json", folder + "/config.json");
  return folder;
}

size_t files_ending(const std::string& folder, const std::string& ending) {
  return static_cast<size_t>(std::ranges::count_if(fs::directory_iterator(folder), [&](const auto& entry) {
    return entry.path().string().ends_with(ending);
  }));
}

// The weights of `name` as `type`, and what float32 holds of them.
void write_rounded(const std::string& name,
                   at::ScalarType type,
                   const std::string& narrow,
                   const std::string& wide) {
  const SafetensorsFile file(published(name) + "/model.safetensors");
  NamedTensors rounded, exact;
  for (const TensorView& view : file.tensors()) {
    const Tensor tensor = to_tensor(view, file.path()).to(type);
    rounded.push_back({view.name, tensor});
    exact.push_back({view.name, tensor.to(at::kFloat)});
  }
  write_tensors(narrow + "/model.safetensors", rounded);
  write_tensors(wide + "/model.safetensors", exact);
}

}  // namespace

TEST_CASE("pytorch_model.bin with gamma, beta and a buffer of positions gives the same bits") {
  const std::string old = published("bert_lm_old");
  CHECK(answer_of(old, "bert_lm").equal(answer_of(published("bert_lm"), "bert_lm")));
  const KeyAccount account = load_published(old).account;
  const KeyAccount plain = load_published(published("bert_lm")).account;
  CHECK(account.count(KeyFate::missing) == 0);
  CHECK(account.count(KeyFate::loaded) == plain.count(KeyFate::loaded));
  CHECK(account.count(KeyFate::split) == plain.count(KeyFate::split));
  CHECK(account.count(KeyFate::tied) == 1);
  CHECK(account.count(KeyFate::ignored) == 1);
  CHECK(std::ranges::count(account.rows, "bert.embeddings.LayerNorm.gamma", &KeyRow::theirs) == 1);
}

TEST_CASE("weights in several files give the same bits as in one") {
  for (const std::string name : {"bert_lm", "gpt2_lm", "t5_v1_1", "bert_answers"}) {
    INFO(name);
    const TempDir dir;
    const std::string folder = folder_like(dir, name, "sharded");
    write_sharded(folder, SafetensorsFile(published(name) + "/model.safetensors").tensors(), 4096);
    CHECK(files_ending(folder, ".safetensors") > 3);
    CHECK(fs::exists(folder + "/model.safetensors.index.json"));
    CHECK(load_published(folder).account.count(KeyFate::missing) == 0);
    CHECK(answer_of(folder, name).equal(answer_of(published(name), name)));
  }
}

// Eleven bits of a weight in float16 and eight in bfloat16, and all large weights are rounded at once.
TEST_CASE("weights in half types are those that float32 holds of them, and give nearly the same logits") {
  for (const std::string name : {"bert_lm", "gpt2_lm", "t5_v1_1", "bert_answers"}) {
    for (const auto& [type, tolerance] : {std::pair{at::kHalf, 5e-3}, {at::kBFloat16, 4e-2}}) {
      INFO(name << " " << type);
      const TempDir dir;
      const std::string narrow = folder_like(dir, name, "narrow"), wide = folder_like(dir, name, "wide");
      write_rounded(name, type, narrow, wide);
      const Tensor logits = answer_of(narrow, name);
      CHECK(logits.scalar_type() == at::kFloat);
      CHECK(logits.equal(answer_of(wide, name)));
      const double distance = difference(logits, Expected(name)["logits"]);
      CHECK(distance < tolerance);
      CHECK(distance > 0);
    }
  }
}

TEST_CASE("an export in several files has the same tensors and is imported again") {
  for (const std::string name : {"bert_lm", "gpt2_lm", "t5_v1_1", "bert_answers"}) {
    INFO(name);
    const TempDir dir;
    const std::string folder = dir / "exported";
    export_folder(portable(load_published(published(name)).run), folder, {.max_shard_bytes = 4096});
    CHECK(files_ending(folder, ".safetensors") > 3);
    CHECK_FALSE(fs::exists(folder + "/model.safetensors"));
    const TensorFiles before = TensorFiles::open(published(name)), after = TensorFiles::open(folder);
    CHECK(after.tensors().size() == before.tensors().size());
    for (const TensorView& view : after.tensors()) {
      INFO(view.name);
      const TensorView* original = before.find(view.name);
      REQUIRE(original != nullptr);
      CHECK(original->shape == view.shape);
      CHECK(std::ranges::equal(original->bytes, view.bytes));
    }
    CHECK(answer_of(folder, name).equal(answer_of(published(name), name)));
  }
}
