#include "core/decoding_state.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

namespace lmzoo {

int64_t DecodingState::longest() const { return lengths_.empty() ? 0 : std::ranges::max(lengths_); }

void DecodingState::reorder(std::span<const int64_t> order) {
  std::vector<int64_t> lengths;
  for (const int64_t from : order) {
    if (from < 0 || from >= sequences()) {
      throw std::logic_error(fmt::format("decoding: sequence {} of {} is asked for", from, sequences()));
    }
    lengths.push_back(lengths_[static_cast<size_t>(from)]);
  }
  move(order);
  lengths_ = std::move(lengths);
}

void DecodingState::truncate(std::span<const int64_t> lengths) {
  if (!can_truncate()) {
    throw std::logic_error("decoding: this model cannot forget positions");
  }
  const bool legal = std::ranges::equal(
      lengths, lengths_, [](int64_t kept, int64_t length) { return kept >= 0 && kept <= length; });
  if (!legal) {
    throw std::logic_error("decoding: a sequence cannot be cut to more than it has");
  }
  forget(lengths);
  lengths_.assign(lengths.begin(), lengths.end());
}

void DecodingState::check_fit(const Sequences& added) const {
  if (added.count() != sequences()) {
    throw std::logic_error(
        fmt::format("decoding: {} sequences are added to a state of {}", added.count(), sequences()));
  }
}

void DecodingState::advance(const Sequences& added) {
  check_fit(added);
  for (int64_t i = 0; i < added.count(); ++i) {
    lengths_[static_cast<size_t>(i)] += added.length(i);
  }
}

}  // namespace lmzoo
