#include "train/words/rows.h"

#include <cmath>
#include <cstring>

namespace lmzoo {
namespace {

constexpr int64_t kBlockRows = 256;

// row += weight · Σ (copy - row), with the old row in each term.
void add_changes(float* row, std::span<const float* const> copies, float weight, int64_t stride) {
  for (int64_t i = 0; i < stride; i += kRowFloats) {
    float before[kRowFloats], change[kRowFloats] = {};
    std::memcpy(before, row + i, sizeof before);
    for (const float* copy : copies) {
      for (int64_t j = 0; j < kRowFloats; ++j) {
        change[j] += copy[i + j] - before[j];
      }
    }
    for (int64_t j = 0; j < kRowFloats; ++j) {
      row[i + j] = before[j] + weight * change[j];
    }
  }
}

// Of the sum of changes of `threads` that use a row so often, each. For r of rows.h the learning rate is as
// good as any measured constant: a group's loss has a curvature of about one.
float weight_of(double uses, double threads, double lr) {
  const double pull = -std::expm1(-lr * uses);
  return pull > 0 ? static_cast<float>((1 - std::pow(1 - pull, threads)) / (threads * pull)) : 1.0F;
}

}  // namespace

void RoundRows::begin() {
  numbers_.clear();
  located_.clear();
  uses_.clear();
  copied_.clear();
}

int32_t RoundRows::append(int64_t row) {
  const int32_t place = count();
  numbers_.push_back(row);
  uses_.push_back(1);
  places_[static_cast<size_t>(row)] = place;
  return place;
}

float* RoundRows::copy_row(int64_t row) {
  const size_t index = copied_.size();
  const size_t block = index / kBlockRows;
  if (block == blocks_.size()) {
    blocks_.push_back(aligned_floats(kBlockRows * tables_.stride));
  }
  float* copy = blocks_[block].get() + static_cast<int64_t>(index % kBlockRows) * tables_.stride;
  std::memcpy(copy, tables_.row(row), sizeof(float) * static_cast<size_t>(tables_.stride));
  copied_.push_back(row);
  return copy;
}

void RoundRows::locate() {
  for (const int64_t number : numbers_) {
    located_.push_back(tables_.row(number));
  }
}

void RoundRows::claim(RowClaims& claims, uint32_t round) const {
  for (const int64_t number : numbers_) {
    claims.claim(number, round);
  }
}

void RoundRows::locate(const RowClaims& claims, uint32_t round) {
  for (const int64_t number : numbers_) {
    located_.push_back(claims.is_shared(number, round) ? copy_row(number) : tables_.row(number));
  }
}

void RoundRows::merge(std::span<const RoundRows> all, size_t own, float lr) {
  for (const int64_t number : copied_) {
    copies_.clear();
    size_t before_me = 0;
    double uses = 0;
    for (size_t thread = 0; thread < all.size(); ++thread) {
      const RoundRows& rows = all[thread];
      const int32_t place = rows.places_[static_cast<size_t>(number)];
      if (rows.is_at(place, number)) {
        before_me += thread < own ? 1 : 0;
        uses += rows.uses_[static_cast<size_t>(place)];
        copies_.push_back(rows.located_[static_cast<size_t>(place)]);
      }
    }
    // Those who share rows also share the work of merging them.
    const size_t sharers = copies_.size();
    if (static_cast<size_t>(number) % sharers == before_me) {
      const auto threads = static_cast<double>(sharers);
      add_changes(tables_.row(number), copies_, weight_of(uses / threads, threads, lr), tables_.stride);
    }
  }
}

}  // namespace lmzoo
