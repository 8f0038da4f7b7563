// What sentence-transformers writes beside a model, and generation_config.json.
#include "train/exchange/huggingface/sentence_encoder.h"

#include <algorithm>
#include <filesystem>

#include "io/json.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/files.h"
#include "train/debug_configs.h"
#include "train/exchange/huggingface/config.h"
#include "train/exchange/huggingface/export.h"
#include "train/exchange/huggingface_support.h"
#include "train/run/published.h"

using namespace lmzoo;
using test::TempDir;
using test::write_file;

namespace {

constexpr const char* kModules =
    R"([{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}])";

// A folder with a pooling of these keys.
std::string encoder_folder(const TempDir& dir, const std::string& pooling) {
  write_file(dir / "modules.json", kModules);
  std::filesystem::create_directories(dir / "1_Pooling");
  write_file(dir / "1_Pooling/config.json", pooling);
  return dir.path().string();
}

}  // namespace

TEST_CASE("a sentence encoder's files say how a text becomes a vector") {
  const TempDir dir;
  CHECK_FALSE(read_sentence_encoder(dir.path().string()));
  const std::string folder =
      encoder_folder(dir, R"({"word_embedding_dimension": 32, "pooling_mode_cls_token": true,
                             "pooling_mode_mean_tokens": false})");
  write_file(dir / "sentence_bert_config.json", R"({"max_seq_length": 12, "do_lower_case": false})");
  write_file(dir / "config_sentence_transformers.json",
             R"({"prompts": {"query": "find: ", "passage": "text: "}, "default_prompt_name": "query"})");
  const TextsAsked asked = read_sentence_encoder(folder).value();
  CHECK(asked.ask.pooling == TextPooling::first);
  CHECK_FALSE(asked.ask.normalize);
  CHECK(asked.ask.max_length == 12);
  CHECK(asked.prompt == "find: ");

  const TempDir written;
  TextsAsked other = asked;
  other.ask.pooling = TextPooling::weighted;
  other.ask.normalize = true;
  write_sentence_encoder(written.path().string(), 32, other);
  const TextsAsked again = read_sentence_encoder(written.path().string()).value();
  CHECK(again.ask == other.ask);
  CHECK(again.prompt == "find: ");
}

TEST_CASE("modules and poolings that are not known are refused by name") {
  const auto refused = [](const std::string& pooling) {
    const TempDir dir;
    return test::error_of([&] { read_sentence_encoder(encoder_folder(dir, pooling)); });
  };
  CHECK_THAT(refused(R"({"pooling_mode_cls_token": true, "pooling_mode_max_tokens": true})"),
             Catch::Contains("names 2 poolings, but one is supported"));
  CHECK_THAT(refused(R"({"pooling_mode": "attention"})"), Catch::Contains("pooling_mode: is 'attention'"));
  CHECK_THAT(refused("{}"), Catch::Contains("names no poolings"));
  CHECK_THAT(refused(R"({"pooling_mode_mean_tokens": true, "include_prompt": false})"),
             Catch::Contains("include_prompt"));
  const TempDir dir;
  write_file(dir / "modules.json", R"([{"path": "2_Dense", "type": "sentence_transformers.models.Dense"}])");
  CHECK_THROWS_WITH(read_sentence_encoder(dir.path().string()),
                    Catch::Contains("the module Dense is not supported"));
  write_file(dir / "modules.json", R"([{"path": "../x", "type": "sentence_transformers.models.Pooling"}])");
  CHECK_THROWS_WITH(read_sentence_encoder(dir.path().string()),
                    Catch::Contains("must be a folder beside it"));
}

TEST_CASE("pooling and ends of a published folder stay with it through import and export") {
  const TempDir dir;
  const std::string folder = dir / "hf";
  std::filesystem::copy(test::published("gpt2_lm"), folder, std::filesystem::copy_options::recursive);
  write_file(folder + "/generation_config.json", R"({"eos_token_id": [5, 7, 100000, -1]})");
  encoder_folder(dir, R"({"pooling_mode": "lasttoken"})");
  for (const std::string part : {"modules.json", "1_Pooling"}) {
    std::filesystem::rename(dir / part, folder + "/" + part);
  }
  const Registry& registry = test::registry();
  const auto expect = [](const LoadedRun& run) {
    CHECK(run.parts.reading.ask.ends == std::vector<int64_t>{5, 7});
    CHECK(run.parts.reading.ask.pooling == TextPooling::last);
  };
  expect(load_run(folder, registry));
  import_folder(folder, dir / "run", registry);
  const LoadedRun run = load_run(dir / "run", registry);
  expect(run);
  const ModelFromFolder given = read_huggingface_config(folder);
  const ExportedModel out = exported(portable(run));
  Json ends = write_huggingface_config(out.model, out.architecture)["eos_token_id"];
  CHECK(ends.is_array());
  CHECK(std::ranges::count(ends, Json(7)) == 1);
  CHECK(given.asked.ask.pooling == TextPooling::last);
}
