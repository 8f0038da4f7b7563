// The worked batches of data/batches/collate.h, id by id.
#include "data/batches/collate.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>

#include "base/error.h"
#include "support/catch.h"

using namespace lmzoo;
using Ids = std::vector<int64_t>;

namespace {

using Id = std::optional<int64_t>;

Vocabulary vocabulary(Id pad, Id bos, Id eos) {
  Vocabulary made;
  made.size = 100;
  made.pad = pad;
  made.bos = bos;
  made.eos = eos;
  return made;
}

Ids ids_of(const Tensor& tensor) {
  REQUIRE(tensor.dim() == 1);
  REQUIRE(tensor.scalar_type() == at::kLong);
  return {tensor.data_ptr<int64_t>(), tensor.data_ptr<int64_t>() + tensor.numel()};
}

Ids lengths_of(const Sequences& sequences) {
  Ids lengths;
  for (int64_t i = 0; i < sequences.count(); ++i) {
    lengths.push_back(sequences.length(i));
  }
  return lengths;
}

Batch make(const std::vector<Example>& examples,
           Architecture architecture,
           const std::vector<Slot>& slots = {{.name = "labels"}}) {
  const Vocabulary words = vocabulary(0, std::nullopt, 1);
  return collate(examples, {architecture, words, slots});
}

// Slots as tasks have them.
const Slot kClass{.name = "class", .level = Level::sequence, .predicts = Predicts::classes};
const Slot kNumber{.name = "number", .level = Level::sequence, .predicts = Predicts::numbers};
const Slot kTag{.name = "tag", .predicts = Predicts::classes};
const Slot kEnds{.name = "ends", .level = Level::sequence, .predicts = Predicts::rows, .width = 2};
const Slot kChoice{.name = "choice", .level = Level::group, .predicts = Predicts::classes};

Example labeled(Ids ids, int64_t label) {
  return {.sequences = {{.ids = std::move(ids)}}, .targets = {{.labels = {label}}}};
}

}  // namespace

TEST_CASE("in-place examples label their own positions in an encoder-only batch") {
  const Batch batch = make({in_place({2, 10, 4, 12, 3}, {2}, {11}), in_place({2, 4, 3}, {1}, {13})},
                           Architecture::encoder_only);
  CHECK(ids_of(batch.inputs.ids) == Ids{2, 10, 4, 12, 3, 2, 4, 3});
  CHECK(lengths_of(batch.inputs.sequences) == Ids{5, 3});
  CHECK(ids_of(batch.slots[0].rows) == Ids{2, 6});
  CHECK(batch.slots[0].counts == Ids{1, 1});
  CHECK(ids_of(batch.slots[0].labels) == Ids{11, 13});
  CHECK(batch.inputs.prefix.empty());
  CHECK(!batch.inputs.decoder_ids.defined());
  CHECK(batch.inputs.decoder_sequences.count() == 0);
  CHECK(!batch.inputs.token_types.defined());
  CHECK(batch.tokens == 8);
}

TEST_CASE("an encoder-decoder restores the whole original of an in-place example") {
  const Batch batch = make({in_place({2, 10, 4, 12, 3}, {2}, {11}), in_place({2, 4, 3}, {1}, {13})},
                           Architecture::encoder_decoder);
  CHECK(ids_of(batch.inputs.ids) == Ids{2, 10, 4, 12, 3, 2, 4, 3});
  CHECK(ids_of(batch.inputs.decoder_ids) == Ids{0, 2, 10, 11, 12, 0, 2, 13});
  CHECK(lengths_of(batch.inputs.decoder_sequences) == Ids{5, 3});
  CHECK(ids_of(batch.slots[0].rows) == Ids{0, 1, 2, 3, 4, 5, 6, 7});
  CHECK(batch.slots[0].counts == Ids{5, 3});
  CHECK(ids_of(batch.slots[0].labels) == Ids{2, 10, 11, 12, 3, 2, 13, 3});
  CHECK(batch.tokens == 16);
}

TEST_CASE("an encoder-decoder reads the source, and the target shifted right from pad") {
  const Batch batch =
      make({source_target({10, 90, 13, 1}, {90, 11, 12, 1}), source_target({90, 1}, {90, 14, 1})},
           Architecture::encoder_decoder);
  CHECK(ids_of(batch.inputs.ids) == Ids{10, 90, 13, 1, 90, 1});
  CHECK(lengths_of(batch.inputs.sequences) == Ids{4, 2});
  CHECK(ids_of(batch.inputs.decoder_ids) == Ids{0, 90, 11, 12, 0, 90, 14});
  CHECK(lengths_of(batch.inputs.decoder_sequences) == Ids{4, 3});
  CHECK(ids_of(batch.slots[0].rows) == Ids{0, 1, 2, 3, 4, 5, 6});
  CHECK(ids_of(batch.slots[0].labels) == Ids{90, 11, 12, 1, 90, 14, 1});
  CHECK(batch.inputs.prefix.empty());
  CHECK(batch.tokens == 13);
}

TEST_CASE("a decoder-only model reads source and target joined, and is asked for the target only") {
  const Batch batch =
      make({source_target({10, 90, 13, 1}, {90, 11, 12, 1}), source_target({90, 1}, {90, 14, 1})},
           Architecture::decoder_only);
  CHECK(ids_of(batch.inputs.ids) == Ids{0, 10, 90, 13, 1, 90, 11, 12, 0, 90, 1, 90, 14});
  CHECK(lengths_of(batch.inputs.sequences) == Ids{8, 5});
  CHECK(batch.inputs.prefix == Ids{5, 3});
  CHECK(ids_of(batch.slots[0].rows) == Ids{4, 5, 6, 7, 10, 11, 12});
  CHECK(batch.slots[0].counts == Ids{4, 3});
  CHECK(ids_of(batch.slots[0].labels) == Ids{90, 11, 12, 1, 90, 14, 1});
  CHECK(!batch.inputs.decoder_ids.defined());
  CHECK(batch.tokens == 13);
}

TEST_CASE("positions of a target that are unlabeled are read but not asked for") {
  const std::vector<Example> examples{source_target({10, 90, 13, 1}, {90, 11, 12, 1}, Ids{0, 3})};
  const Batch encoder_decoder = make(examples, Architecture::encoder_decoder);
  CHECK(ids_of(encoder_decoder.inputs.decoder_ids) == Ids{0, 90, 11, 12});
  CHECK(ids_of(encoder_decoder.slots[0].rows) == Ids{1, 2});
  CHECK(encoder_decoder.slots[0].counts == Ids{2});
  CHECK(ids_of(encoder_decoder.slots[0].labels) == Ids{11, 12});
  const Batch decoder_only = make(examples, Architecture::decoder_only);
  CHECK(ids_of(decoder_only.slots[0].rows) == Ids{5, 6});
  CHECK(ids_of(decoder_only.slots[0].labels) == Ids{11, 12});
}

TEST_CASE("every id of a token stream predicts the next; a single one predicts nothing") {
  const Batch batch = make({next_tokens({10, 11, 12, 1}), next_tokens({14}), next_tokens({13, 1})},
                           Architecture::decoder_only);
  CHECK(ids_of(batch.inputs.ids) == Ids{10, 11, 12, 14, 13});
  CHECK(lengths_of(batch.inputs.sequences) == Ids{3, 1, 1});
  CHECK(ids_of(batch.slots[0].rows) == Ids{0, 1, 2, 4});
  CHECK(batch.slots[0].counts == Ids{3, 0, 1});
  CHECK(ids_of(batch.slots[0].labels) == Ids{11, 12, 1, 1});
  CHECK(batch.inputs.prefix.empty());
}

TEST_CASE("labels of sequences stand in the order of the sequences, for every architecture") {
  const auto architecture =
      GENERATE(Architecture::encoder_only, Architecture::decoder_only, Architecture::encoder_decoder);
  const Batch batch = make({labeled({2, 10, 3}, 7), labeled({2, 11, 12, 3}, 5)}, architecture, {kClass});
  CHECK(ids_of(batch.inputs.ids) == Ids{2, 10, 3, 2, 11, 12, 3});
  CHECK(lengths_of(batch.inputs.sequences) == Ids{3, 4});
  CHECK(ids_of(batch.slots[0].rows) == Ids{0, 1});
  CHECK(batch.slots[0].counts.empty());
  CHECK(ids_of(batch.slots[0].labels) == Ids{7, 5});
  CHECK(!batch.inputs.decoder_ids.defined());
}

TEST_CASE("a batch without any label is legal") {
  const Batch batch = make({in_place({2, 10, 3}, {}, {})}, Architecture::encoder_only);
  CHECK(batch.slots[0].rows.numel() == 0);
  CHECK(batch.slots[0].counts == Ids{0});
  CHECK(batch.slots[0].labels.numel() == 0);
  CHECK(batch.slots[0].labels.scalar_type() == at::kLong);
}

TEST_CASE("the decoder begins with pad, else bos, else eos, else the tokenizer is refused") {
  const std::vector<Example> examples{source_target({10}, {11, 12})};
  const auto first = [&](Id pad, Id bos, Id eos) {
    const Vocabulary words = vocabulary(pad, bos, eos);
    const Batch batch = collate(examples, {Architecture::encoder_decoder, words, {{.name = "labels"}}});
    return ids_of(batch.inputs.decoder_ids)[0];
  };
  CHECK(first(7, 8, 9) == 7);
  CHECK(first({}, 8, 9) == 8);
  CHECK(first({}, {}, 9) == 9);
  CHECK_THROWS_AS(first({}, {}, {}), InputError);
}

TEST_CASE("a pair that makes no sense is refused with one sentence, all others are possible") {
  const ObjectiveForm masked{.layout = Layout::in_place, .needs_both_sides = true};
  const ObjectiveForm task{.layout = Layout::in_place};
  const ObjectiveForm pair{.layout = Layout::source_target};
  const ObjectiveForm stream{.layout = Layout::stream};
  const auto encoder = Architecture::encoder_only;
  const auto decoder = Architecture::decoder_only;
  const auto both = Architecture::encoder_decoder;
  for (const auto& [form, architecture] :
       std::vector<std::pair<ObjectiveForm, Architecture>>{{masked, encoder},
                                                           {masked, both},
                                                           {task, encoder},
                                                           {task, decoder},
                                                           {task, both},
                                                           {pair, decoder},
                                                           {pair, both},
                                                           {stream, decoder}}) {
    CHECK(refusal(form, architecture).empty());
  }
  for (const auto& [form, architecture] : std::vector<std::pair<ObjectiveForm, Architecture>>{
           {masked, decoder}, {pair, encoder}, {stream, encoder}, {stream, both}}) {
    const std::string why = refusal(form, architecture);
    CHECK(!why.empty());
    CHECK(why.find('\n') == std::string::npos);
  }
}

TEST_CASE("collate throws on mistakes of the caller") {
  const auto encoder = Architecture::encoder_only;
  CHECK_THROWS_AS(make({next_tokens({1, 2})}, encoder), std::logic_error);
  CHECK_THROWS_AS(make({next_tokens({1, 2})}, Architecture::encoder_decoder), std::logic_error);
  CHECK_THROWS_AS(make({source_target({1}, {2})}, encoder), std::logic_error);
  CHECK_THROWS_AS(make({in_place({2, 3}, {2}, {5})}, encoder), std::logic_error);     // no such position
  CHECK_THROWS_AS(make({in_place({2, 3}, {0}, {5, 6})}, encoder), std::logic_error);  // a label too many
  CHECK_THROWS_AS(make({labeled({2, 3}, 5)}, encoder, {kNumber}), std::logic_error);  // a number is wanted
  CHECK_THROWS_AS(make({labeled({2, 3}, 5)}, encoder, {}), std::logic_error);         // no such slot
  Example ends = labeled({2, 3}, 0);
  ends.targets.front().labels = {0, 2};
  CHECK_THROWS_AS(make({ends}, encoder, {kEnds}), std::logic_error);  // position 2 of 2
  // The decoder of one example of a batch, and not of the other.
  CHECK_THROWS_AS(
      make({source_target({1}, {2}), {.sequences = {{.ids = {3}}}}}, Architecture::encoder_decoder),
      std::logic_error);
}

TEST_CASE("levels of targets: values, tags, ends of spans, groups, token types") {
  const auto encoder = Architecture::encoder_only;
  const Batch numbers =
      make({{.sequences = {{.ids = {2, 3}}}, .targets = {{.values = {1.5F}}}},
            {.sequences = {{.ids = {4}, .token_types = {1}}}, .targets = {{.values = {2}}}}},
           encoder,
           {kNumber});
  CHECK(at::equal(numbers.slots[0].values, at::tensor({1.5F, 2.0F}).view({2, 1})));
  CHECK(ids_of(numbers.slots[0].rows) == Ids{0, 1});
  CHECK(numbers.slots[0].labels.numel() == 0);
  CHECK(numbers.slots[0].count() == 2);
  CHECK(ids_of(numbers.inputs.token_types) == Ids{0, 0, 1});

  const Batch tags =
      make({in_place({2, 10, 11, 3}, {1, 2}, {4, 0}), in_place({2, 12, 3}, {1}, {5})}, encoder, {kTag});
  CHECK(ids_of(tags.slots[0].rows) == Ids{1, 2, 5});
  CHECK(tags.slots[0].counts == Ids{2, 1});
  CHECK(ids_of(tags.slots[0].labels) == Ids{4, 0, 5});
  CHECK_FALSE(tags.inputs.token_types.defined());
  CHECK(tags.notes.empty());

  Example spanned{.sequences = {{.ids = {2, 10, 3, 11, 12, 3}, .token_types = {0, 0, 0, 1, 1, 1}}},
                  .targets = {{.labels = {3, 4}}},
                  .note = std::string("a passage")};
  const Batch spans = make({spanned}, encoder, {kEnds});
  CHECK(at::equal(spans.slots[0].labels, at::tensor(Ids{3, 4}, at::kLong).view({1, 2})));
  CHECK(spans.slots[0].count() == 1);
  CHECK(std::any_cast<std::string>(spans.notes.at(0)) == "a passage");

  const Example two{.sequences = {{.ids = {2, 10, 3}}, {.ids = {2, 11}}}, .targets = {{.labels = {1}}}};
  const Batch choices = make({two, labeled({2, 12}, 0)}, encoder, {kChoice});
  CHECK(choices.group_sizes == Ids{2, 1});
  CHECK(ids_of(choices.slots[0].rows) == Ids{0, 2});
  CHECK(ids_of(choices.slots[0].labels) == Ids{1, 0});
}

TEST_CASE("two losses on one input: slots of different levels, one of them weighted") {
  const Slot next{.name = "next_token"};
  const Example pair{
      .sequences = {{.ids = {2, 10, 3}}, {.ids = {2, 11}}},
      .targets = {{.labels = {1}},
                  {.slot = 1, .sequence = 0, .at = {0, 1}, .labels = {10, 3}, .weights = {0.25F, 0.25F}},
                  {.slot = 1, .sequence = 1, .at = {0}, .labels = {11}, .weights = {0.5F}}}};
  const Batch batch = make({pair, labeled({2, 12}, 0)}, Architecture::decoder_only, {kChoice, next});
  CHECK(ids_of(batch.slots[0].rows) == Ids{0, 2});
  CHECK(batch.slots[0].total == 2);
  CHECK_FALSE(batch.slots[0].weights.defined());
  CHECK(ids_of(batch.slots[1].rows) == Ids{0, 1, 3});
  CHECK(batch.slots[1].counts == Ids{2, 1, 0});
  CHECK(ids_of(batch.slots[1].labels) == Ids{10, 3, 11});
  CHECK(at::equal(batch.slots[1].weights, at::tensor({0.25F, 0.25F, 0.5F})));
  CHECK(batch.slots[1].total == 1);
}

TEST_CASE("a target may read several rows: the borders of a span and a position within it") {
  const Slot border{.name = "border", .reads = 2};
  const Example example{.sequences = {{.ids = {2, 10, 4, 4, 13, 3}}},
                        .targets = {{.at = {1, 4, 1, 4}, .labels = {11, 12}}}};
  const Batch batch = make({{.sequences = {{.ids = {5, 6}}}}, example}, Architecture::encoder_only, {border});
  CHECK(batch.slots[0].rows.sizes() == at::IntArrayRef({2, 2}));
  CHECK(ids_of(batch.slots[0].rows.flatten()) == Ids{3, 6, 3, 6});
  CHECK(batch.slots[0].count() == 2);
}

TEST_CASE("examples of different objectives stand in one batch of a decoder-only model") {
  Example both_sides = in_place({2, 10, 4, 3}, {2}, {11});
  both_sides.sees_both_sides = true;
  const Batch batch = make({both_sides, next_tokens({10, 11, 1}), source_target({13, 1}, {14, 1})},
                           Architecture::decoder_only);
  CHECK(ids_of(batch.inputs.ids) == Ids{2, 10, 4, 3, 10, 11, 0, 13, 1, 14});
  CHECK(batch.inputs.prefix ==
        Ids{4, 0, 3});  // all of the first, nothing of the second, the source of the third
  CHECK(ids_of(batch.slots[0].rows) == Ids{2, 4, 5, 8, 9});
  CHECK(ids_of(batch.slots[0].labels) == Ids{11, 11, 1, 14, 1});
}

TEST_CASE("an encoder-decoder restores masked ids beside a class of the whole sequence") {
  Example example = in_place({2, 10, 4, 3}, {2}, {11});
  example.targets.push_back({.slot = 1, .labels = {1}});
  const Batch batch = make({example}, Architecture::encoder_decoder, {{.name = "labels"}, kClass});
  CHECK(ids_of(batch.inputs.decoder_ids) == Ids{0, 2, 10, 11});
  CHECK(ids_of(batch.slots[0].labels) == Ids{2, 10, 11, 3});
  CHECK(ids_of(batch.slots[1].rows) == Ids{0});
  CHECK(ids_of(batch.slots[1].labels) == Ids{1});
}

TEST_CASE("ids that are given have no label") {
  const Batch batch = make({next_tokens({10, 11, 12, 1}, 2)}, Architecture::decoder_only);
  CHECK(ids_of(batch.inputs.ids) == Ids{10, 11, 12});
  CHECK(ids_of(batch.slots[0].rows) == Ids{1, 2});
  CHECK(ids_of(batch.slots[0].labels) == Ids{12, 1});
}
