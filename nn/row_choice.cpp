#include "nn/row_choice.h"

#include <algorithm>

#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>

namespace lmzoo {
namespace {

// Above this share of all rows, gathering them costs as much as the last block saves.
constexpr double kWorthwhile = 0.8;

Tensor on_device_of(const Tensor& like, const std::vector<int64_t>& values) {
  return at::tensor(values, at::kLong).to(like.device(), /*non_blocking=*/true);
}

// Attention knows no sequence without queries: one without wanted rows gives its first row.
RowChoice with_first_rows(const WantedRows& wanted, const Sequences& all) {
  const int64_t count = wanted.rows.size(0);
  std::vector<int64_t> firsts;  // rows that are added
  std::vector<int64_t> order;   // [K'] of the wanted rows followed by the firsts
  std::vector<int64_t> places;  // [K] of K'
  std::vector<int64_t> lengths(wanted.counts);
  for (int64_t s = 0; s < all.count(); ++s) {
    if (lengths[s] == 0) {
      lengths[s] = 1;
      order.push_back(count + std::ssize(firsts));
      firsts.push_back(all.start(s));
      continue;
    }
    for (int64_t i = 0; i < lengths[s]; ++i) {
      const int64_t place = std::ssize(places);
      places.push_back(std::ssize(order));
      order.push_back(place);
    }
  }
  const Tensor both = at::cat({wanted.rows, on_device_of(wanted.rows, firsts)});
  return {.rows = both.index_select(0, on_device_of(wanted.rows, order)),
          .sequences = Sequences(lengths).to(wanted.rows.device()),
          .wanted = on_device_of(wanted.rows, places)};
}

}  // namespace

std::optional<RowChoice> choose_rows(const WantedRows& wanted, const Sequences& all) {
  const bool counted = std::ssize(wanted.counts) == all.count();
  if (!counted || static_cast<double>(wanted.rows.size(0)) > kWorthwhile * static_cast<double>(all.total())) {
    return std::nullopt;
  }
  if (std::ranges::find(wanted.counts, 0) != wanted.counts.end()) {
    return with_first_rows(wanted, all);
  }
  return RowChoice{
      .rows = wanted.rows, .sequences = Sequences(wanted.counts).to(wanted.rows.device()), .wanted = {}};
}

}  // namespace lmzoo
