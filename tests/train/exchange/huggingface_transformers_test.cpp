// Exports are loaded by Hugging Face transformers with no missing and no unexpected key and the same logits.
#include <cstdlib>
#include <filesystem>

#include "base/check.h"
#include "support/catch.h"
#include "train/exchange/huggingface/export.h"
#include "train/exchange/huggingface_support.h"

using namespace lmzoo;
using namespace lmzoo::test;

TEST_CASE("transformers loads every export strictly, with the same logits") {
  const std::string source(LMZOO_SOURCE_DIR);
  const std::string python = source + "/.venv-peer/bin/python";
  if (!std::filesystem::exists(python)) {
    LMZOO_SKIP("there is no .venv-peer with transformers");
  }
  const Registry registry = make_registry();
  const TempDir folder;
  std::string command = python + " " + source + "/tests/golden/huggingface_export.py";
  for (const std::string& name : all_cases()) {
    export_folder(portable(load_with_head(published(name), registry).run), folder / name);
    command += fmt::format(" {} {}", published(name), folder / name);
  }
  for (const std::string name : {"bert_answers", "bert_choices"}) {  // as trained here, and in several files
    LoadedRun run = load_with_head(published(name), registry).run;
    run.parts.classes.clear();
    export_folder(portable(run), folder / (name + "_here"), {.max_shard_bytes = 4096});
    command += fmt::format(" {} {}", published(name), folder / (name + "_here"));
  }
  const std::string log = folder / "log";
  const int status = std::system((command + " >" + log + " 2>&1").c_str());
  INFO(read_file(log));
  CHECK(status == 0);
}
