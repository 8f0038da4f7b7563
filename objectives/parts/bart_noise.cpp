#include "objectives/parts/bart_noise.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "objectives/parts/noise.h"

namespace lmzoo {
namespace {

std::vector<int64_t> count_up(int64_t count) {
  std::vector<int64_t> numbers(static_cast<size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

}  // namespace

int64_t share_of(double share, int64_t count) {
  return static_cast<int64_t>(std::ceil(share * static_cast<double>(count)));
}

std::vector<int64_t> draw_positions(int64_t total, int64_t count, Stream& stream) {
  return choose_exactly(count_up(total), count, stream);
}

std::vector<int64_t> sentence_ends(std::span<const int64_t> ids, std::span<const int64_t> full_stops) {
  std::vector<int64_t> ends;
  bool before = false;  // whether the id before is a full stop
  for (size_t i = 0; i < ids.size(); ++i) {
    const bool is_stop = std::ranges::find(full_stops, ids[i]) != full_stops.end();
    if (is_stop && !before) {
      ends.push_back(static_cast<int64_t>(i) + 1);
    }
    before = is_stop;
  }
  if (!ids.empty() && (ends.empty() || ends.back() != std::ssize(ids))) {
    ends.push_back(std::ssize(ids));
  }
  return ends;
}

std::vector<int64_t> reorder(std::span<const int64_t> ids,
                             std::span<const int64_t> ends,
                             std::span<const int64_t> order) {
  if (order.size() != ends.size()) {
    throw std::logic_error("reorder: every sentence needs a place");
  }
  std::vector<int64_t> result;
  result.reserve(ids.size());
  for (const int64_t sentence : order) {
    const int64_t begin = sentence == 0 ? 0 : ends[static_cast<size_t>(sentence - 1)];
    const auto part = ids.subspan(begin, ends[static_cast<size_t>(sentence)] - begin);
    result.insert(result.end(), part.begin(), part.end());
  }
  return result;
}

std::vector<int64_t> draw_order(int64_t count, double share, Stream& stream) {
  std::vector<int64_t> order = count_up(count);
  const std::vector<int64_t> moved = draw_positions(count, share_of(share, count), stream);
  std::vector<int64_t> shuffled = moved;
  stream.shuffle(std::span(shuffled));
  for (size_t i = 0; i < moved.size(); ++i) {
    order[static_cast<size_t>(moved[i])] = shuffled[i];
  }
  return order;
}

PoissonLengths::PoissonLengths(double mean) {
  constexpr double kRarest = 1e-7;
  constexpr int64_t kLongest = 127;
  double probability = std::exp(-mean);
  double sum = 0;
  for (int64_t length = 0; length <= kLongest; ++length) {
    sum += probability;
    up_to_.push_back(sum);
    if (probability<kRarest&& static_cast<double>(length)> mean) {
      break;
    }
    probability *= mean / static_cast<double>(length + 1);
  }
  for (double& up_to : up_to_) {
    up_to /= sum;
  }
}

int64_t PoissonLengths::draw(Stream& stream) const {
  const auto found = std::ranges::upper_bound(up_to_, stream.uniform());
  return std::min<int64_t>(found - up_to_.begin(), std::ssize(up_to_) - 1);
}

std::vector<int64_t> PoissonLengths::draw_until(int64_t budget, Stream& stream) const {
  std::vector<int64_t> lengths;
  for (int64_t left = budget; left > 0; left -= lengths.back()) {
    lengths.push_back(std::min(draw(stream), left));
  }
  return lengths;
}

double PoissonLengths::shorter_than(int64_t length) const {
  return length == 0 ? 0 : up_to_.at(static_cast<size_t>(std::min(length, std::ssize(up_to_)) - 1));
}

std::vector<int64_t> infill_spans(std::span<const int64_t> ids,
                                  std::span<const uint8_t> begins,
                                  std::span<const InfilledSpan> spans) {
  if (ids.size() != begins.size()) {
    throw std::logic_error("infill_spans: every id begins a word or does not");
  }
  std::vector<int64_t> filled(ids.begin(), ids.end());
  std::vector<uint8_t> kept(ids.size(), 1);
  for (const InfilledSpan& span : spans) {
    filled.at(static_cast<size_t>(span.start)) = span.filler;
    int64_t left = span.words;
    for (auto i = static_cast<size_t>(span.start) + 1; i < ids.size(); ++i) {
      left -= begins[i];
      if (left == 0) {
        break;
      }
      kept[i] = 0;
    }
  }
  std::vector<int64_t> result;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (kept[i] != 0) {
      result.push_back(filled[i]);
    }
  }
  return result;
}

std::vector<int64_t> insert_at(std::span<const int64_t> ids,
                               std::span<const int64_t> positions,
                               std::span<const int64_t> fillers) {
  if (positions.size() != fillers.size()) {
    throw std::logic_error("insert_at: every position needs an id");
  }
  std::vector<int64_t> result;
  result.reserve(ids.size() + positions.size());
  size_t inserted = 0;
  for (size_t taken = 0; taken < ids.size() || inserted < positions.size();) {
    if (inserted < positions.size() && positions[inserted] == std::ssize(result)) {
      result.push_back(fillers[inserted++]);
    } else {
      result.push_back(ids[taken++]);
    }
  }
  return result;
}

std::vector<int64_t> erase_at(std::span<const int64_t> ids, std::span<const int64_t> positions) {
  std::vector<int64_t> result;
  size_t next = 0;
  for (int64_t i = 0; i < std::ssize(ids); ++i) {
    if (next < positions.size() && positions[next] == i) {
      ++next;
    } else {
      result.push_back(ids[static_cast<size_t>(i)]);
    }
  }
  return result;
}

}  // namespace lmzoo
