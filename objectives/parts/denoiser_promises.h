// What the denoisers of objectives/parts/denoiser.h promise of their sources and targets.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "core/promise.h"
#include "objectives/parts/denoiser.h"

namespace lmzoo {

struct DenoisedView {
  const Denoiser* denoiser = nullptr;
  std::span<const int64_t> ids;  // of the text
  std::span<const int64_t> source, target;
  const Stream* stream = nullptr;  // that it drew from
};
// Absent: another denoiser made this example.
using DenoisedViewOf = std::function<std::optional<DenoisedView>(const SeenExample&)>;

// That source and target are the text's, and how the noise is drawn; of a denoiser with this corruption and these places (a
// view may name another one with the same).
std::vector<Promise> noise_promises(const Denoiser& denoiser, const DenoisedViewOf& view);
// That there is as much of everything as was solved.
std::vector<Promise> count_promises(const Denoiser& denoiser, const DenoisedViewOf& view);

// The text and its mask (1: noise) as a source and a target with sentinels show them; absent when they are none.
struct MaskOfText {
  std::vector<int64_t> ids;
  std::vector<uint8_t> mask;
};
std::optional<MaskOfText> read_sentinels(std::span<const int64_t> source,
                                         std::span<const int64_t> target,
                                         std::span<const int64_t> sentinels);

// The sizes of a partition of their sum in which every composition is equally likely, one after the other: a part of
// what is left is at least l long with probability C(left - l, parts - 1) / C(left - 1, parts - 1).
void add_partition(Evenly& even, std::span<const int64_t> sizes);

}  // namespace lmzoo
