#include "core/batch_part.h"

#include "core/device.h"
#include "data/batches/collate.h"
#include "support/catch.h"

using namespace lmzoo;
using Ids = std::vector<int64_t>;

namespace {

Ids numbers(const Tensor& tensor) {
  const Tensor flat = tensor.contiguous();
  return {flat.data_ptr<int64_t>(), flat.data_ptr<int64_t>() + flat.numel()};
}

// The parts that a batch is put together of are the batches of those examples alone.
void check_same(const Batch& part, const Batch& alone) {
  CHECK(numbers(part.inputs.ids) == numbers(alone.inputs.ids));
  CHECK(numbers(part.inputs.sequences.offsets().to(at::kLong)) ==
        numbers(alone.inputs.sequences.offsets().to(at::kLong)));
  CHECK(part.inputs.token_types.defined() == alone.inputs.token_types.defined());
  CHECK(part.inputs.decoder_ids.defined() == alone.inputs.decoder_ids.defined());
  if (alone.inputs.decoder_ids.defined()) {
    CHECK(numbers(part.inputs.decoder_ids) == numbers(alone.inputs.decoder_ids));
  }
  CHECK(part.tokens == alone.tokens);
  CHECK(part.group_sizes == alone.group_sizes);
  REQUIRE(part.slots.size() == alone.slots.size());
  for (size_t s = 0; s < part.slots.size(); ++s) {
    CHECK(numbers(part.slots[s].rows) == numbers(alone.slots[s].rows));
    CHECK(part.slots[s].rows.sizes() == alone.slots[s].rows.sizes());
    CHECK(part.slots[s].counts == alone.slots[s].counts);
    CHECK(numbers(part.slots[s].labels) == numbers(alone.slots[s].labels));
    CHECK(part.slots[s].total == alone.slots[s].total);
  }
}

const Slot kIds{.name = "ids"};
const Slot kPair{.name = "pair", .level = Level::group, .predicts = Predicts::classes};
const Slot kThree{.name = "three", .reads = 3};

Batch collated(const std::vector<Example>& examples, Architecture architecture, std::vector<Slot> slots) {
  Vocabulary vocabulary;
  vocabulary.size = 100;
  vocabulary.pad = 0;
  return collate(examples, {architecture, vocabulary, std::move(slots)});
}

Example pair_of(Ids first, Ids second, int64_t label, int64_t slot) {
  Example made{.sequences = {{std::move(first)}, {std::move(second)}}};
  made.targets = {{.slot = slot, .labels = {label}}};
  return made;
}

Example three_of(Ids ids, int64_t slot) {
  Example made{.sequences = {{std::move(ids)}}};
  made.targets = {{.slot = slot, .at = {0, 2, 1, 1, 3, 2}, .labels = {7, 8}}};
  return made;
}

Example moved(Example example, int64_t slots) {
  for (Target& target : example.targets) {
    target.slot += slots;
  }
  return example;
}

}  // namespace

TEST_CASE("a part of a batch is the batch of its examples alone, at every level of targets") {
  const std::vector<Example> ids{in_place({5, 6, 7}, {1}, {9}), in_place({8, 9, 10, 11}, {0, 3}, {1, 2})};
  const std::vector<Example> pairs{pair_of({20, 21}, {22}, 1, 0), pair_of({23}, {24, 25, 26}, 0, 0)};
  const std::vector<Example> threes{three_of({30, 31, 32, 33}, 0)};
  const std::vector<Slot> all{kIds, kPair, kThree};
  const Batch batch = collated({ids[0], moved(pairs[0], 1), moved(threes[0], 2), ids[1], moved(pairs[1], 1)},
                               Architecture::encoder_only,
                               all);
  const auto part = [&](Ids examples, int64_t first) {
    return part_of(batch, examples, {.first = first, .slots = std::span(all).subspan(first, 1)});
  };
  check_same(part({0, 3}, 0), collated(ids, Architecture::encoder_only, {kIds}));
  check_same(part({1, 4}, 1), collated(pairs, Architecture::encoder_only, {kPair}));
  check_same(part({2}, 2), collated(threes, Architecture::encoder_only, {kThree}));
}

TEST_CASE("a part of a batch keeps its decoder, and which positions see both sides") {
  const std::vector<Example> written{source_target({5, 6, 1}, {7, 8, 1}), source_target({9, 1}, {2, 1})};
  const std::vector<Slot> slots{kIds, kIds};
  const Batch both = collated({written[0], moved(written[1], 1)}, Architecture::encoder_decoder, slots);
  const auto second = [&](const Batch& batch) {
    return part_of(batch, Ids{1}, {.first = 1, .slots = std::span(slots).subspan(1)});
  };
  check_same(second(both), collated({written[1]}, Architecture::encoder_decoder, {kIds}));

  const Batch joined =
      collated({next_tokens({3, 4, 5, 6}), moved(written[1], 1)}, Architecture::decoder_only, slots);
  check_same(second(joined), collated({written[1]}, Architecture::decoder_only, {kIds}));
  CHECK(second(joined).inputs.prefix == Ids{3});
  const Batch stream = part_of(joined, Ids{0}, {.first = 0, .slots = std::span(slots).first(1)});
  check_same(stream, collated({next_tokens({3, 4, 5, 6})}, Architecture::decoder_only, {kIds}));
}
