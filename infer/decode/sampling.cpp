#include "infer/decode/sampling.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace lmzoo {
namespace {

// Ids with finite logits, most probable first; only the first `count` are in order.
std::vector<int64_t> ranked(std::span<const float> logits, size_t count) {
  std::vector<int64_t> ids;
  ids.reserve(logits.size());
  for (size_t id = 0; id < logits.size(); ++id) {
    if (std::isfinite(logits[id])) {
      ids.push_back(static_cast<int64_t>(id));
    }
  }
  if (ids.empty()) {
    throw std::runtime_error("no token has a finite logit: the model's output is not a number");
  }
  count = std::min(count, ids.size());
  std::partial_sort(
      ids.begin(), ids.begin() + static_cast<int64_t>(count), ids.end(), [&](int64_t a, int64_t b) {
        return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
      });
  ids.resize(count);
  return ids;
}

void cut_to_nucleus(std::vector<Candidate>& kept, double top_p) {
  double mass = 0;
  size_t count = 0;
  while (count < kept.size() && mass < top_p) {
    mass += kept[count++].probability;
  }
  kept.resize(std::max<size_t>(count, 1));
  for (Candidate& candidate : kept) {
    candidate.probability /= mass;
  }
}

}  // namespace

std::vector<Candidate> candidates(std::span<const float> logits, const SamplingOptions& options) {
  if (options.temperature == 0) {
    return {{ranked(logits, 1).front(), 1.0}};
  }
  const size_t limit = options.top_k ? static_cast<size_t>(*options.top_k) : logits.size();
  std::vector<Candidate> kept;
  double total = 0;
  const std::vector<int64_t> ids = ranked(logits, limit);
  for (const int64_t id : ids) {
    const double weight = std::exp((logits[id] - logits[ids.front()]) / options.temperature);
    kept.push_back({id, weight});
    total += weight;
  }
  for (Candidate& candidate : kept) {
    candidate.probability /= total;
  }
  if (options.top_p) {
    cut_to_nucleus(kept, *options.top_p);
  }
  return kept;
}

int64_t draw(std::span<const Candidate> among, Stream& stream) {
  double left = stream.uniform();
  for (const Candidate& candidate : among) {
    left -= candidate.probability;
    if (left < 0) {
      return candidate.id;
    }
  }
  return among.back().id;  // rounding left a sliver
}

}  // namespace lmzoo
