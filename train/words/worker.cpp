#include "train/words/worker.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace lmzoo {
namespace {

// Every so many groups of a step the loss is computed; it costs more than the update. A prime, so that in
// text of regular sentences it is not always the same place of a sentence that is looked at.
constexpr int64_t kMeasureEvery = 31;

SigmoidKind sigmoid_of(const WordOptions& options) {
  return options.sigmoid == WordSigmoid::exact                ? SigmoidKind::exact
         : options.output == WordOutput::hierarchical_softmax ? SigmoidKind::table_or_skip
                                                              : SigmoidKind::table;
}

}  // namespace

WordWorker::WordWorker(const WordTask& task, const WordCorpus& corpus, const WordTables& tables)
    : task_(task),
      corpus_(corpus),
      kernels_(word_kernels()),
      groups_(task),
      scratch_(task.most_inputs(), task.most_outputs(), tables.stride),
      step_{.stride = tables.stride, .lr = 0, .sigmoid = sigmoid_of(task.options), .scale = 1},
      words_(tables.words) {
  if (task.ngrams) {
    composed_.emplace(task.most_inputs(), tables.stride);
  }
}

void WordWorker::begin(RoundRows& rows) {
  rows.begin();
  spans_.clear();
  places_.clear();
  times_.clear();
  labels_.clear();
  row_counts_.clear();
}

void WordWorker::collect(const Sentence& sentence,
                         const WordStepPlan& plan,
                         RoundRows& rows,
                         WordStepSums& sums) {
  corpus_.read(sentence, ids_);
  sums.words += sentence.count;
  groups_.begin(ids_, sentence_seed(plan.seed, plan.epoch, sentence));
  while (groups_.next(group_)) {
    append(rows);
    sums.pairs += group_.pairs;
  }
}

void WordWorker::append(RoundRows& rows) {
  Span& span = spans_.emplace_back();
  span = {.place = places_.size(),
          .times = times_.size(),
          .label = labels_.size(),
          .input = row_counts_.size(),
          .inputs = static_cast<int32_t>(group_.inputs.size()),
          .outputs = static_cast<int32_t>(group_.outputs.size()),
          .input_rows = 0,
          .rows_before = rows.count(),
          .pairs = group_.pairs};
  for (const int32_t input : group_.inputs) {
    places_.push_back(rows.collect(input));
    if (task_.ngrams) {
      const auto buckets = task_.ngrams->buckets(input);
      for (const int32_t bucket : buckets) {
        places_.push_back(rows.collect(2 * words_ + bucket));
      }
      row_counts_.push_back(static_cast<int32_t>(1 + buckets.size()));
    }
  }
  span.input_rows = static_cast<int32_t>(places_.size() - span.place);
  for (const int32_t output : group_.outputs) {
    places_.push_back(rows.collect(words_ + output));
  }
  times_.insert(times_.end(), group_.input_times.begin(), group_.input_times.end());
  times_.insert(times_.end(), group_.output_times.begin(), group_.output_times.end());
  labels_.insert(labels_.end(), group_.labels.begin(), group_.labels.end());
}

void WordWorker::train(const RoundRows& rows, float lr, WordStepSums& sums) {
  step_.lr = lr;
  float* const* located = rows.located();
  const auto met = [&](size_t group) {
    return group < spans_.size() ? spans_[group].rows_before : rows.count();
  };
  for (size_t i = 0; i < spans_.size(); ++i) {
    compute(spans_[i], located, {located + met(i + 1), located + met(i + 2)});
    if (sums.groups++ % kMeasureEvery == 0) {
      measure(spans_[i], sums);
    }
  }
}

void WordWorker::compute(const Span& span, float* const* located, std::span<float* const> next) {
  pointers_.clear();
  const int32_t* places = places_.data() + span.place;
  for (int32_t i = 0; i < span.input_rows + span.outputs; ++i) {
    pointers_.push_back(located[places[i]]);
  }
  float* const* inputs = pointers_.data();
  if (composed_) {
    inputs = composed_->gather(std::span(pointers_).first(static_cast<size_t>(span.input_rows)),
                               std::span(row_counts_).subspan(span.input, static_cast<size_t>(span.inputs)));
  }
  const float* times = times_.data() + span.times;
  const WordGroup rows{.inputs = inputs,
                       .input_times = times,
                       .outputs = pointers_.data() + span.input_rows,
                       .output_times = times + span.inputs,
                       .labels = labels_.data() + span.label,
                       .input_count = span.inputs,
                       .output_count = span.outputs,
                       .next = next.data(),
                       .next_count = std::ssize(next)};
  if (task_.is_cbow) {
    const float around = std::accumulate(times, times + span.inputs, 0.0F);
    step_.scale = task_.options.cbow_mean.value_or(true) ? 1 / around : 1;
  }
  (task_.is_cbow ? kernels_.bag : kernels_.pairs)(rows, step_, scratch_.get());
  if (composed_) {
    composed_->scatter();
  }
}

// Of the scores that the kernel has just left.
void WordWorker::measure(const Span& span, WordStepSums& sums) {
  const float* times = times_.data() + span.times;
  const float* labels = labels_.data() + span.label;
  const float* scores = scratch_.get().scores;
  const int32_t predictions = task_.is_cbow ? 1 : span.inputs;
  for (int32_t b = 0; b < predictions; ++b) {
    const double weight = task_.is_cbow ? 1 : times[b];
    for (int32_t t = 0; t < span.outputs; ++t) {
      const double score = scores[b * span.outputs + t];
      const double signed_score = labels[t] > 0 ? score : -score;
      const double loss = std::max(-signed_score, 0.0) + std::log1p(std::exp(-std::abs(signed_score)));
      sums.loss += weight * times[span.inputs + t] * loss;
    }
  }
  sums.loss_pairs += span.pairs;
}

}  // namespace lmzoo
