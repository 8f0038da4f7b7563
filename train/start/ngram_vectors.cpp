#include "train/start/ngram_vectors.h"

#include <algorithm>

#include "base/check.h"
#include "io/yaml.h"
#include "train/saved/checkpoint.h"
#include "train/saved/run_files.h"
#include "train/yaml/bind.h"

namespace lmzoo {

std::shared_ptr<const NgramVectors> NgramVectors::open(const std::string& path) {
  const YamlNode config = read_yaml(config_file(run_of(path)));
  const YamlNode* model = config.find("model");
  const YamlNode* ngrams = model != nullptr ? model->find("ngrams") : nullptr;
  if (ngrams == nullptr || ngrams->kind != YamlNode::Kind::mapping) {
    return nullptr;
  }
  NgramOptions options;
  KeyPlaces places;
  read_fields(options, *ngrams, places);
  const YamlNode* tokenizer = config.find("tokenizer");
  const YamlNode* lower = tokenizer != nullptr ? tokenizer->find("lower") : nullptr;
  return std::shared_ptr<const NgramVectors>(new NgramVectors(
      resolve_checkpoint(path) + "/model.safetensors", options, lower != nullptr && lower->scalar == "true"));
}

NgramVectors::NgramVectors(const std::string& checkpoint, const NgramOptions& options, bool lower)
    : file_(checkpoint), options_(options), lower_(lower) {
  tokens_ = table("model.tokens.weight");
  ngrams_ = table("model.ngrams.weight");
  const auto rows = std::ssize(ngrams_) / width_;
  check(rows == options.buckets,
        "{}: model.ngrams.weight has {} rows, but model.ngrams.buckets of the run is {}",
        file_.path(),
        rows,
        options.buckets);
}

std::span<const float> NgramVectors::table(std::string_view name) {
  const TensorView* view = file_.find(name);
  check(view != nullptr && view->dtype == Dtype::f32 && view->shape.size() == 2 && view->shape[1] > 0 &&
            (width_ == 0 || view->shape[1] == width_),
        "{}: has no float32 table {} of the run's width",
        file_.path(),
        name);
  width_ = view->shape[1];
  return {reinterpret_cast<const float*>(view->bytes.data()), view->bytes.size() / sizeof(float)};
}

bool NgramVectors::compose(std::string_view word, std::optional<int64_t> row, std::span<float> to) const {
  std::vector<int32_t> buckets;
  append_ngrams(word, options_, buckets);
  std::fill(to.begin(), to.end(), 0.0F);
  const auto width = static_cast<size_t>(width_);
  const auto add = [&](std::span<const float> rows, int64_t number) {
    const auto from = rows.subspan(static_cast<size_t>(number) * width, width);
    for (size_t i = 0; i < width; ++i) {
      to[i] += from[i];
    }
  };
  if (row) {
    add(tokens_, *row);
  }
  for (const int32_t bucket : buckets) {
    add(ngrams_, bucket);
  }
  const size_t count = buckets.size() + (row ? 1 : 0);
  for (float& value : to) {
    value /= static_cast<float>(std::max<size_t>(count, 1));
  }
  return count > 0;
}

}  // namespace lmzoo
