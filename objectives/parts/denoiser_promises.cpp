#include "objectives/parts/denoiser_promises.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "objectives/parts/masked_view.h"

namespace lmzoo {
namespace {

using Ids = std::span<const int64_t>;

Ids without_last(Ids ids) { return ids.first(ids.empty() ? 0 : ids.size() - 1); }

// C(left - size, parts - 1) / C(left - 1, parts - 1)
double at_least_so_long(int64_t size, int64_t left, int64_t parts) {
  double share = 1;
  for (int64_t i = 0; i < parts - 1; ++i) {
    share *= static_cast<double>(left - size - i) / static_cast<double>(left - 1 - i);
    if (share <= 0) {
      return 0;
    }
  }
  return share;
}

// Lengths of the runs of `value` in a mask.
std::vector<int64_t> runs_of(std::span<const uint8_t> mask, uint8_t value) {
  std::vector<int64_t> runs;
  for (size_t i = 0; i < mask.size(); ++i) {
    if (mask[i] == value) {
      (i > 0 && mask[i - 1] == value) ? void(++runs.back()) : runs.push_back(1);
    }
  }
  return runs;
}

// Whether source and target tell which tokens are noise.
bool shows_noise(const Denoiser& denoiser) {
  return denoiser.corruption == Corruption::replace_spans || denoiser.corruption == Corruption::mass;
}

// The noise, read from the example where it shows, else drawn again.
std::vector<uint8_t> mask_of(const DenoisedView& view) {
  const Denoiser& denoiser = *view.denoiser;
  if (!shows_noise(denoiser)) {
    Stream again = *view.stream;
    const auto draw = denoiser.places == NoisePlaces::spans ? span_mask : token_mask;
    return draw(std::ssize(view.ids), denoiser.noise, again);
  }
  if (denoiser.corruption == Corruption::replace_spans) {
    const auto read = read_sentinels(view.source, view.target, denoiser.form.sentinels);
    return read ? read->mask : std::vector<uint8_t>();
  }
  std::vector<uint8_t> mask;
  for (const int64_t id : without_last(view.source)) {
    mask.push_back(id == denoiser.form.sentinels.at(0) ? 1 : 0);
  }
  return mask;
}

bool all_kept(Ids source, Ids ids, std::span<const uint8_t> mask) {
  bool same = source.size() == ids.size() && mask.size() == ids.size();
  for (size_t i = 0; same && i < ids.size(); ++i) {
    same = mask[i] == 1 || source[i] == ids[i];
  }
  return same;
}

// Whether source and target are what the text becomes, whatever was drawn.
bool is_of_text(const DenoisedView& view) {
  const Denoiser& denoiser = *view.denoiser;
  const Ids source = without_last(view.source);
  const Ids target = without_last(view.target);
  if (view.source.empty() || view.target.empty() || view.source.back() != denoiser.form.eos ||
      view.target.back() != denoiser.form.eos) {
    return false;
  }
  switch (denoiser.corruption) {
    case Corruption::replace_spans: {
      const auto read = read_sentinels(view.source, view.target, denoiser.form.sentinels);
      return read && std::ranges::equal(read->ids, view.ids);
    }
    case Corruption::drop_tokens: {
      const CorruptedText made = drop_tokens(view.ids, mask_of(view), denoiser.form.eos);
      return std::ranges::equal(made.source, view.source) && std::ranges::equal(made.target, view.target);
    }
    case Corruption::deshuffling:
      return std::ranges::is_permutation(source, view.ids) && std::ranges::equal(target, view.ids);
    default:
      return all_kept(source, view.ids, mask_of(view)) && std::ranges::equal(target, view.ids);
  }
}

// Fits lengths() exactly, or at most where single tokens may stand together.
bool has_solved_lengths(const DenoisedView& view) {
  const SpanLengths solved = view.denoiser->lengths(std::ssize(view.ids));
  const bool exact =
      view.denoiser->corruption != Corruption::replace_spans || view.denoiser->places == NoisePlaces::spans;
  const auto source = std::ssize(view.source);
  const auto target = std::ssize(view.target);
  return exact ? source == solved.source && target == solved.target
               : source <= solved.source && target <= solved.target;
}

template <class Kind>
Promise of_denoised(std::string name,
                    const DenoisedViewOf& view,
                    std::function<void(const DenoisedView&, Kind&)> count) {
  return promise<Kind>(
      std::move(name), {}, [view, count = std::move(count)](const SeenExample& seen, Kind& counted) {
        if (const auto denoised = view(seen)) {
          count(*denoised, counted);
        }
      });
}

std::vector<Promise> partition_promises(const DenoisedViewOf& view) {
  std::vector<Promise> all;
  all.push_back(of_denoised<Evenly>("lengths of spans", view, [](const DenoisedView& text, Evenly& even) {
    add_partition(even, runs_of(mask_of(text), 1));
  }));
  all.push_back(of_denoised<Evenly>(
      "lengths of the text between them", view, [](const DenoisedView& text, Evenly& even) {
        add_partition(even, runs_of(mask_of(text), 0));
      }));
  return all;
}

// Of BERT's kind of noise, which puts some random ids in place of the mask.
MaskedView view_of_bert(const DenoisedView& text) {
  MaskedView view{.original = {text.ids.begin(), text.ids.end()},
                  .shown = {text.source.begin(), text.source.end()},
                  .positions = {},
                  .labels = {}};
  const std::vector<uint8_t> mask = mask_of(text);
  for (size_t i = 0; i < mask.size(); ++i) {
    if (mask[i] == 1) {
      view.positions.push_back(static_cast<int64_t>(i));
      view.labels.push_back(view.original[i]);
    }
  }
  return view;
}

Promise shuffle_promise(const DenoisedViewOf& view) {
  return of_denoised<Evenly>(
      "places of a token that is there once", view, [](const DenoisedView& text, Evenly& even) {
        std::map<int64_t, int64_t> times;
        for (const int64_t id : text.ids) {
          ++times[id];
        }
        const auto once = std::ranges::find_if(text.ids, [&](int64_t id) { return times[id] == 1; });
        if (once != text.ids.end()) {
          even.add_of(std::ranges::find(text.source, *once) - text.source.begin(), std::ssize(text.ids));
        }
      });
}

}  // namespace

std::optional<MaskOfText> read_sentinels(Ids source, Ids target, Ids sentinels) {
  MaskOfText read;
  size_t next = 0;     // sentinel
  size_t written = 0;  // ids of the target that were read
  const auto is_next = [&](int64_t id) { return next < sentinels.size() && id == sentinels[next]; };
  for (const int64_t id : without_last(source)) {
    if (!is_next(id)) {
      read.ids.push_back(id);
      read.mask.push_back(0);
      continue;
    }
    if (written >= target.size() || !is_next(target[written])) {
      return std::nullopt;
    }
    ++next;
    for (++written; written + 1 < target.size() && !is_next(target[written]); ++written) {
      read.ids.push_back(target[written]);
      read.mask.push_back(1);
    }
  }
  // A sentinel may close the target.
  const bool closes = written + 2 == target.size() && is_next(target[written]);
  return written + 1 == target.size() || closes ? std::optional(std::move(read)) : std::nullopt;
}

void add_partition(Evenly& even, std::span<const int64_t> sizes) {
  int64_t left = std::accumulate(sizes.begin(), sizes.end(), int64_t{0});
  auto parts = std::ssize(sizes);
  for (const int64_t size : sizes) {
    if (parts > 1 && left > parts) {  // else there is no choice
      const double above = at_least_so_long(size + 1, left, parts);
      even.add(1 - at_least_so_long(size, left, parts), at_least_so_long(size, left, parts) - above);
    }
    left -= size;
    --parts;
  }
}

std::vector<Promise> noise_promises(const Denoiser& denoiser, const DenoisedViewOf& view) {
  std::vector<Promise> all;
  const auto add = [&](std::vector<Promise> more) { std::ranges::move(more, std::back_inserter(all)); };
  add({of_denoised<Always>("source and target are of the text",
                           view,
                           [](const DenoisedView& text, Always& cases) { cases.add(is_of_text(text)); })});
  if (denoiser.corruption == Corruption::deshuffling) {
    add({shuffle_promise(view)});
    return all;
  }
  if (denoiser.corruption == Corruption::bert) {
    add(replacement_promises(denoiser.replacement(), Fate::of_each, [view](const SeenExample& seen) {
      const auto denoised = view(seen);
      return denoised ? std::optional(view_of_bert(*denoised)) : std::nullopt;
    }));
  }
  if (denoiser.places == NoisePlaces::spans) {
    add(partition_promises(view));
  } else {
    add({of_denoised<Evenly>(
        "noise among the places of a text", view, [](const DenoisedView& text, Evenly& even) {
          const std::vector<uint8_t> mask = mask_of(text);
          for (int64_t i = 0; i < std::ssize(mask); ++i) {
            if (mask[static_cast<size_t>(i)] == 1) {
              even.add_of(i, std::ssize(mask));
            }
          }
        })});
  }
  return all;
}

std::vector<Promise> count_promises(const Denoiser& denoiser, const DenoisedViewOf& view) {
  std::vector<Promise> all;
  all.push_back(of_denoised<Always>(
      "source and target have the solved lengths", view, [](const DenoisedView& text, Always& cases) {
        cases.add(has_solved_lengths(text));
      }));
  if (!shows_noise(denoiser)) {
    return all;
  }
  all.push_back(of_denoised<Mean>("tokens that are noise", view, [](const DenoisedView& text, Mean& share) {
    const SpanCounts wanted = span_counts(std::ssize(text.ids), text.denoiser->noise);
    const auto noise = std::ranges::count(mask_of(text), 1);
    share.add(static_cast<double>(noise), static_cast<double>(wanted.noise), 0, std::ssize(text.ids));
  }));
  if (denoiser.places == NoisePlaces::spans) {
    all.push_back(of_denoised<Mean>("spans of a text", view, [](const DenoisedView& text, Mean& mean) {
      const SpanCounts wanted = span_counts(std::ssize(text.ids), text.denoiser->noise);
      const auto spans = static_cast<double>(runs_of(mask_of(text), 1).size());
      mean.add(spans, static_cast<double>(wanted.spans), 0);
    }));
  }
  return all;
}

}  // namespace lmzoo
