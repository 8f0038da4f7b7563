#include "train/words/groups.h"

#include <algorithm>

namespace lmzoo {
namespace {

// Adds a row, or counts it once more.
void add(std::vector<int32_t>& rows, std::vector<float>& times, size_t from, int32_t row) {
  for (size_t i = from; i < rows.size(); ++i) {
    if (rows[i] == row) {
      times[i] += 1;
      return;
    }
  }
  rows.push_back(row);
  times.push_back(1);
}

}  // namespace

WordTask::WordTask(const WordOptions& word_options, bool cbow, std::span<const int64_t> counts)
    : options(word_options),
      is_cbow(cbow),
      keep(keep_bounds(counts, word_options.sample, word_options.sample_formula)) {
  if (options.output == WordOutput::negative_sampling) {
    noise.emplace(noise_distribution(counts));
  } else {
    tree.emplace(counts);
  }
}

void GroupMaker::begin(std::span<const int64_t> sentence, uint64_t seed) {
  random_ = FastRandom(seed);
  kept_.clear();
  for (const int64_t id : sentence) {
    if (id < task_.words() && (random_.bits() >> 32) <= task_.keep[static_cast<size_t>(id)]) {
      kept_.push_back(static_cast<int32_t>(id));
    }
  }
  center_ = -1;
  at_ = end_ = 0;
}

void GroupMaker::enter_center() {
  ++center_;
  const int64_t reach = 1 + random_.below(static_cast<uint32_t>(task_.options.window));
  at_ = std::max<int64_t>(center_ - reach, 0);
  end_ = std::min(center_ + reach + 1, kept());
  const bool fresh =
      task_.options.share_negatives != ShareNegatives::window || center_ % task_.options.window == 0;
  if (task_.noise && fresh) {
    draw_negatives();
  }
}

void GroupMaker::draw_negatives() {
  negatives_.clear();
  for (int64_t i = 0; i < task_.options.negatives; ++i) {
    negatives_.push_back(task_.noise->draw(random_.bits()));
  }
}

void GroupMaker::add_inputs(IdGroup& group) {
  const bool one = !task_.is_cbow && task_.noise && task_.options.share_negatives == ShareNegatives::none;
  group.pairs = 0;
  for (; at_ < end_; ++at_) {
    if (at_ == center_) {
      continue;
    }
    add(group.inputs, group.input_times, 0, kept_[static_cast<size_t>(at_)]);
    group.pairs += 1;
    if (one) {
      ++at_;
      return;
    }
  }
}

// A negative that is the word itself is left out, not drawn again.
void GroupMaker::add_outputs(IdGroup& group) {
  const int32_t word = kept_[static_cast<size_t>(center_)];
  if (task_.tree) {
    const auto nodes = task_.tree->nodes(word);
    const auto branches = task_.tree->branches(word);
    group.outputs.assign(nodes.begin(), nodes.end());
    group.output_times.assign(nodes.size(), 1);
    for (const uint8_t branch : branches) {
      group.labels.push_back(branch == 0 ? 1 : 0);
    }
    return;
  }
  group.outputs.push_back(word);
  group.output_times.push_back(1);
  for (const int32_t negative : negatives_) {
    if (negative != word) {
      add(group.outputs, group.output_times, 1, negative);
    }
  }
  group.labels.assign(group.outputs.size(), 0);
  group.labels.front() = 1;
}

bool GroupMaker::next(IdGroup& group) {
  const bool more_of_center = at_ < end_ && !(at_ == center_ && at_ + 1 == end_);
  if (!more_of_center) {
    do {
      if (center_ + 1 >= kept()) {
        return false;
      }
      enter_center();
    } while (end_ - at_ < 2);
  } else if (task_.noise && task_.options.share_negatives == ShareNegatives::none) {
    draw_negatives();
  }
  group.inputs.clear();
  group.input_times.clear();
  group.outputs.clear();
  group.output_times.clear();
  group.labels.clear();
  add_inputs(group);
  add_outputs(group);
  if (task_.is_cbow) {
    group.pairs = 1;
  }
  const int64_t ahead = center_ + task_.options.window + 1;
  group.ahead = ahead < kept() ? kept_[static_cast<size_t>(ahead)] : -1;
  return true;
}

}  // namespace lmzoo
