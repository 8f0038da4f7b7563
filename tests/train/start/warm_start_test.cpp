#include "train/start/warm_start.h"

#include <algorithm>

#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include "core/tensor_file.h"
#include "support/catch.h"
#include "support/files.h"
#include "train/fakes.h"

using namespace lmzoo;
using namespace lmzoo::test;
using Catch::Matchers::Contains;

namespace {

// Weights of another seed as a file, after a change.
template <class Change>
std::string saved(const TempDir& folder, const Change& change) {
  TinyRun source("", 0, 42);
  NamedTensors tensors = weights(*source.model, *source.objective);
  change(tensors);
  write_tensors(folder / "model.safetensors", tensors);
  return folder / "model.safetensors";
}
std::string saved(const TempDir& folder) {
  return saved(folder, [](NamedTensors&) {});
}

Tensor& named(NamedTensors& tensors, const std::string& name) {
  return std::find_if(tensors.begin(), tensors.end(), [&](const NamedTensor& t) { return t.name == name; })
      ->tensor;
}

struct StartTarget : TinyRun {
  StartTarget() : TinyRun("", 0, 1) {}
  WarmStartReport start(const WarmStartOptions& from) { return warm_start(*model, *objective, from); }
  NamedTensors now() { return copy_of(weights(*model, *objective)); }
};

}  // namespace

TEST_CASE("a warm start loads the body and leaves the head of the objective, or takes it") {
  const TempDir folder;
  const std::string file = saved(folder);
  TinyRun source("", 0, 42);
  NamedTensors right = weights(*source.model, *source.objective);
  for (const bool head : {false, true}) {
    StartTarget target;
    const Tensor fresh = target.objective->head.detach().clone();
    const WarmStartReport report = target.start({.from = file, .objective = head});
    NamedTensors loaded = target.now();
    CHECK(named(loaded, "model.embedding").equal(named(right, "model.embedding")));
    CHECK(named(loaded, "model.inner").equal(named(right, "model.inner")));
    CHECK(named(loaded, "objective.head").equal(head ? named(right, "objective.head") : fresh));
    CHECK(report.loaded.size() == (head ? 5 : 4));
    CHECK(report.missing.empty());
    CHECK(report.extra.empty());
  }
}

TEST_CASE("a missing, extra or misshaped key is refused by name and nothing is loaded, unless it is listed") {
  const auto rename = [](NamedTensors& tensors) {
    tensors.push_back({"model.other", at::ones({2})});
    named(tensors, "model.inner") = at::ones({kWidth + 2, kWidth - 1});
    std::erase_if(tensors, [](const NamedTensor& t) { return t.name == "model.bias"; });
  };
  const TempDir folder;
  const std::string file = saved(folder, rename);
  StartTarget target;
  const NamedTensors before = target.now();
  CHECK_THROWS_WITH(target.start({.from = file}),
                    Contains("missing: model.bias (to accept: warm_start.allow_missing)") &&
                        Contains("left over: model.other (to accept: warm_start.allow_extra)") &&
                        Contains("of another shape: model.inner [8, 5] (here [6, 6]) (to accept: "
                                 "warm_start.allow_reshaped)"));
  CHECK(same(before, target.now()));
  CHECK_THROWS_WITH(target.start({.from = file, .allow_extra = {"*"}, .allow_reshaped = {"*"}}),
                    Contains("missing: model.bias") && !Contains("left over"));
  const WarmStartReport report = target.start({.from = file,
                                               .allow_missing = {"*.bias"},
                                               .allow_extra = {"model.o*"},
                                               .allow_reshaped = {"model.inner"}});
  CHECK(report.missing == std::vector<std::string>{"model.bias"});
  CHECK(report.extra == std::vector<std::string>{"model.other"});
  CHECK(report.reshaped.size() == 1);
  // The part that both have is loaded; the rest keeps its initial values.
  NamedTensors old = before;
  const Tensor inner = target.model->inner.detach();
  CHECK(inner.slice(1, 0, 5).equal(at::ones({6, 5})));
  CHECK(inner.slice(1, 5).equal(named(old, "model.inner").slice(1, 5)));
  CHECK(target.model->bias.equal(named(old, "model.bias")));
}

TEST_CASE("every single tensor that is renamed, dropped or reshaped is refused by its name") {
  TinyRun source("", 0, 42);
  for (const NamedTensor& entry : weights(*source.model, *source.objective)) {
    for (const std::string how : {"renamed", "dropped", "reshaped", "flattened", "integers"}) {
      CAPTURE(entry.name, how);
      const TempDir folder;
      const std::string file = saved(folder, [&](NamedTensors& tensors) {
        Tensor& tensor = named(tensors, entry.name);
        if (how == "reshaped") {
          tensor = at::ones({3, 2, 2});
        } else if (how == "flattened") {
          tensor = tensor.reshape({-1, 1, 1});
        } else if (how == "integers") {
          tensor = tensor.is_floating_point() ? tensor.to(at::kInt) : tensor.to(at::kFloat);
        }
        std::erase_if(tensors,
                      [&](const NamedTensor& t) { return how == "dropped" && t.name == entry.name; });
        for (NamedTensor& t : tensors) {
          t.name += how == "renamed" && t.name == entry.name ? "_" : "";
        }
      });
      StartTarget target;
      const NamedTensors before = target.now();
      CHECK_THROWS_WITH(target.start({.from = file, .objective = true}), Contains(entry.name));
      CHECK(same(before, target.now()));
    }
  }
}

TEST_CASE("types of numbers are converted, other types are not") {
  const TempDir folder;
  const std::string half = saved(folder, [](NamedTensors& tensors) {
    named(tensors, "model.inner") = at::ones({kWidth, kWidth}, at::kBFloat16) * 1.5;
  });
  StartTarget target;
  target.start({.from = half});
  CHECK(target.model->inner.equal(at::ones({kWidth, kWidth}) * 1.5));
  const TempDir other;
  const std::string integers = saved(other, [](NamedTensors& tensors) {
    named(tensors, "model.inner") = at::ones({kWidth, kWidth}, at::kInt);
  });
  CHECK_THROWS_WITH(target.start({.from = integers}), Contains("model.inner") && Contains("of type I32"));
}

TEST_CASE("a warm start takes a run's best checkpoint, and freezes") {
  const TempDir folder;
  TinyRun source(folder.path(), 0, 42);
  source.valid = tiny_eval_set();
  source.train();
  StartTarget target;
  const WarmStartReport report = target.start({.from = folder.path(), .freeze = {"model.emb*"}});
  CHECK(report.file == folder / "checkpoints/step-0000040/model.safetensors");
  CHECK(report.frozen == std::vector<std::string>{"model.embedding"});
  CHECK(target.model->embedding.equal(source.model->embedding));
  const TempDir other;
  target.folder = other.path();
  target.train();
  CHECK(target.model->embedding.equal(source.model->embedding));
  CHECK_FALSE(target.model->inner.equal(source.model->inner));
}

TEST_CASE("a warm start from nowhere is refused with its path") {
  const TempDir folder;
  StartTarget target;
  CHECK_THROWS_WITH(target.start({.from = folder / "missing"}),
                    Contains("warm_start.from: " + (folder / "missing")));
  CHECK_THROWS_WITH(target.start({.from = folder.path()}), Contains("neither a checkpoint nor a run folder"));
  write_file(folder / "bad.safetensors", "not one");
  CHECK_THROWS_AS(target.start({.from = folder / "bad.safetensors"}), InputError);
}
