#include "objectives/parts/word_objective.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/softplus.h>
#include <ATen/ops/zeros.h>

#include "base/check.h"

namespace lmzoo {
namespace {

// The id of the label that each position belongs to, from the positions of labels (the last word of each).
Tensor owners_of(const Tensor& rows, int64_t positions) {
  Tensor owners = at::zeros({positions}, on_cpu(at::kLong));
  const auto last = rows.accessor<int64_t, 1>();
  auto to = owners.accessor<int64_t, 1>();
  int64_t label = 0;
  for (int64_t i = 0; i < positions; ++i) {
    to[i] = label;
    label += label < last.size(0) && i == last[label] ? 1 : 0;
  }
  return owners;
}

}  // namespace

Tensor logistic_loss(const Tensor& scores, const Tensor& answers, const Tensor& times) {
  return ((at::softplus(scores) - answers * scores) * times).sum();
}

Tensor bag_states(const Tensor& x, const Tensor& owners, int64_t labels, bool mean) {
  const Tensor sums = at::zeros({labels, x.size(1)}, x.options()).index_add(0, owners, x);
  if (!mean) {
    return sums;
  }
  const Tensor sizes =
      at::zeros({labels}, x.options()).index_add(0, owners, at::full({x.size(0)}, 1.0, x.options()));
  return sums + (sums / sizes.unsqueeze(1) - sums).detach();
}

WordTargets tree_targets(const HuffmanTree& tree, std::span<const int64_t> labels) {
  int64_t longest = 1;
  for (const int64_t label : labels) {
    longest = std::max(longest, std::ssize(tree.nodes(label)));
  }
  const auto K = std::ssize(labels);
  WordTargets targets{
      at::zeros({K, longest}, on_cpu(at::kLong)), at::zeros({K, longest}), at::zeros({K, longest})};
  auto rows = targets.rows.accessor<int64_t, 2>();
  auto answers = targets.answers.accessor<float, 2>();
  auto times = targets.times.accessor<float, 2>();
  for (int64_t k = 0; k < K; ++k) {
    const auto nodes = tree.nodes(labels[static_cast<size_t>(k)]);
    const auto branches = tree.branches(labels[static_cast<size_t>(k)]);
    for (int64_t t = 0; t < std::ssize(nodes); ++t) {
      rows[k][t] = nodes[static_cast<size_t>(t)];
      answers[k][t] = branches[static_cast<size_t>(t)] == 0 ? 1 : 0;
      times[k][t] = 1;
    }
  }
  return targets;
}

WordObjective::WordObjective(const WordOptions& options, bool is_cbow, const ObjectiveContext& context)
    : options_(options),
      is_cbow_(is_cbow),
      length_(context.sequence_length),
      counts_(context.vocabulary.counts) {
  const std::string_view name = is_cbow ? kCbow : kSkipgram;
  check(counts_ != nullptr, "{} needs the counts of words: set tokenizer.type to words", name);
  check(is_cbow || !options.cbow_mean, "cbow_mean belongs to cbow; skipgram has nothing to average");
  keep_ = keep_bounds(*counts_, options.sample, options.sample_formula);
  if (options.output == WordOutput::negative_sampling) {
    noise_.emplace(noise_distribution(*counts_));
  } else {
    tree_.emplace(*counts_);
  }
}

ObjectiveLengths WordObjective::lengths() const {
  return {.raw = length_, .source = 2 * options_.window * length_, .target = 0, .added = 0};
}

Example WordObjective::example(const Sample& sample, const TrainingPlace&, Stream& stream) const {
  std::vector<int64_t> kept;
  for (const int64_t id : sample.ids) {
    if (id < std::ssize(keep_) && (stream.bits() >> 32) <= keep_[static_cast<size_t>(id)]) {
      kept.push_back(id);
    }
  }
  std::vector<int64_t> around, at, labels;
  for (int64_t i = 0; i < std::ssize(kept); ++i) {
    const auto reach = 1 + static_cast<int64_t>(stream.below(static_cast<uint64_t>(options_.window)));
    const int64_t end = std::min(i + reach + 1, std::ssize(kept));
    for (int64_t j = std::max<int64_t>(i - reach, 0); j < end; ++j) {
      if (j == i) {
        continue;
      }
      around.push_back(kept[static_cast<size_t>(j)]);
      if (!is_cbow_) {
        at.push_back(std::ssize(around) - 1);
        labels.push_back(kept[static_cast<size_t>(i)]);
      }
    }
    if (is_cbow_ && kept.size() > 1) {
      at.push_back(std::ssize(around) - 1);
      labels.push_back(kept[static_cast<size_t>(i)]);
    }
  }
  if (around.empty()) {
    around.push_back(static_cast<int64_t>(keep_.size()));  // an id without a row: a window must not be empty
  }
  return in_place(std::move(around), std::move(at), std::move(labels));
}

// The label itself and its negatives, from LibTorch's generator; those equal to the label do not count.
WordTargets WordObjective::noise_targets(std::span<const int64_t> labels) const {
  const auto K = std::ssize(labels);
  const int64_t T = 1 + options_.negatives;
  WordTargets targets{
      at::empty({K, T}, on_cpu(at::kLong)).random_(), at::zeros({K, T}), at::full({K, T}, 1.0F)};
  auto rows = targets.rows.accessor<int64_t, 2>();
  auto answers = targets.answers.accessor<float, 2>();
  auto times = targets.times.accessor<float, 2>();
  for (int64_t k = 0; k < K; ++k) {
    const int64_t label = labels[static_cast<size_t>(k)];
    rows[k][0] = label;
    answers[k][0] = 1;
    for (int64_t t = 1; t < T; ++t) {
      rows[k][t] = noise_->draw(static_cast<uint64_t>(rows[k][t]) << 1);  // random_() gives 63 bits
      times[k][t] = rows[k][t] == label ? 0 : 1;
    }
  }
  return targets;
}

WordTargets WordObjective::targets(const Tensor& labels) const {
  const Tensor on_cpu = labels.cpu();
  const std::span<const int64_t> all(on_cpu.const_data_ptr<int64_t>(), static_cast<size_t>(on_cpu.numel()));
  return tree_ ? tree_targets(*tree_, all) : noise_targets(all);
}

Losses WordObjective::loss(Model& model, const Batch& batch, Stream&) {
  const SlotBatch& words = batch.slots.front();
  const Tensor x = model.hidden(batch.inputs);  // [N, D]
  const Tensor h = is_cbow_ ? bag_states(x,
                                         owners_of(words.rows.cpu(), x.size(0)).to(x.device()),
                                         words.labels.size(0),
                                         options_.cbow_mean.value_or(true))
                            : x.index_select(0, words.rows);  // [K, D]
  const Tensor table = model.project(h).weight;
  // In parts, because [K, T, D] of a long text is large.
  constexpr int64_t kLabels = 4096;
  Tensor sum = at::zeros({}, h.options());
  for (int64_t first = 0; first < h.size(0); first += kLabels) {
    const int64_t count = std::min(kLabels, h.size(0) - first);
    const WordTargets wanted = targets(words.labels.narrow(0, first, count));
    const Tensor o =
        table.index_select(0, wanted.rows.flatten().to(h.device())).view({count, wanted.rows.size(1), -1});
    const Tensor scores = (o * h.narrow(0, first, count).unsqueeze(1)).sum(2);  // [part, T]
    sum = sum + logistic_loss(scores, wanted.answers.to(h.device()), wanted.times.to(h.device()));
  }
  return {{.sum = sum}};
}

ObjectiveKind word_objective_kind(std::string name, std::string summary, bool is_cbow) {
  return {.name = std::move(name),
          .summary = std::move(summary),
          .defaults = AnyOptions(WordOptions{}),
          .make = [is_cbow](const AnyOptions& options,
                            const ObjectiveContext& context) -> std::shared_ptr<Objective> {
            return std::make_shared<WordObjective>(options.as<WordOptions>(), is_cbow, context);
          }};
}

}  // namespace lmzoo
