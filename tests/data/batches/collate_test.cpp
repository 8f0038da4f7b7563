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

Batch make(const std::vector<Example>& examples, Architecture architecture) {
  return collate(examples, architecture, vocabulary(0, std::nullopt, 1));
}

}  // namespace

TEST_CASE("in-place examples label their own positions in an encoder-only batch") {
  const Batch batch = make({InPlace{{2, 10, 4, 12, 3}, {2}, {11}}, InPlace{{2, 4, 3}, {1}, {13}}},
                           Architecture::encoder_only);
  CHECK(ids_of(batch.inputs.ids) == Ids{2, 10, 4, 12, 3, 2, 4, 3});
  CHECK(lengths_of(batch.inputs.sequences) == Ids{5, 3});
  CHECK(ids_of(batch.rows) == Ids{2, 6});
  CHECK(batch.row_counts == Ids{1, 1});
  CHECK(ids_of(batch.labels) == Ids{11, 13});
  CHECK(batch.inputs.prefix.empty());
  CHECK(!batch.inputs.decoder_ids.defined());
  CHECK(batch.inputs.decoder_sequences.count() == 0);
  CHECK(!batch.inputs.token_types.defined());
  CHECK(batch.tokens == 8);
}

TEST_CASE("an encoder-decoder restores the whole original of an in-place example") {
  const Batch batch = make({InPlace{{2, 10, 4, 12, 3}, {2}, {11}}, InPlace{{2, 4, 3}, {1}, {13}}},
                           Architecture::encoder_decoder);
  CHECK(ids_of(batch.inputs.ids) == Ids{2, 10, 4, 12, 3, 2, 4, 3});
  CHECK(ids_of(batch.inputs.decoder_ids) == Ids{0, 2, 10, 11, 12, 0, 2, 13});
  CHECK(lengths_of(batch.inputs.decoder_sequences) == Ids{5, 3});
  CHECK(ids_of(batch.rows) == Ids{0, 1, 2, 3, 4, 5, 6, 7});
  CHECK(batch.row_counts == Ids{5, 3});
  CHECK(ids_of(batch.labels) == Ids{2, 10, 11, 12, 3, 2, 13, 3});
  CHECK(batch.tokens == 16);
}

TEST_CASE("an encoder-decoder reads the source, and the target shifted right from pad") {
  const Batch batch =
      make({SequenceToSequence{{10, 90, 13, 1}, {90, 11, 12, 1}}, SequenceToSequence{{90, 1}, {90, 14, 1}}},
           Architecture::encoder_decoder);
  CHECK(ids_of(batch.inputs.ids) == Ids{10, 90, 13, 1, 90, 1});
  CHECK(lengths_of(batch.inputs.sequences) == Ids{4, 2});
  CHECK(ids_of(batch.inputs.decoder_ids) == Ids{0, 90, 11, 12, 0, 90, 14});
  CHECK(lengths_of(batch.inputs.decoder_sequences) == Ids{4, 3});
  CHECK(ids_of(batch.rows) == Ids{0, 1, 2, 3, 4, 5, 6});
  CHECK(ids_of(batch.labels) == Ids{90, 11, 12, 1, 90, 14, 1});
  CHECK(batch.inputs.prefix.empty());
  CHECK(batch.tokens == 13);
}

TEST_CASE("a decoder-only model reads source and target joined, and is asked for the target only") {
  const Batch batch =
      make({SequenceToSequence{{10, 90, 13, 1}, {90, 11, 12, 1}}, SequenceToSequence{{90, 1}, {90, 14, 1}}},
           Architecture::decoder_only);
  CHECK(ids_of(batch.inputs.ids) == Ids{0, 10, 90, 13, 1, 90, 11, 12, 0, 90, 1, 90, 14});
  CHECK(lengths_of(batch.inputs.sequences) == Ids{8, 5});
  CHECK(batch.inputs.prefix == Ids{5, 3});
  CHECK(ids_of(batch.rows) == Ids{4, 5, 6, 7, 10, 11, 12});
  CHECK(batch.row_counts == Ids{4, 3});
  CHECK(ids_of(batch.labels) == Ids{90, 11, 12, 1, 90, 14, 1});
  CHECK(!batch.inputs.decoder_ids.defined());
  CHECK(batch.tokens == 13);
}

TEST_CASE("positions of a target that are unlabeled are read but not asked for") {
  const std::vector<Example> examples{SequenceToSequence{{10, 90, 13, 1}, {90, 11, 12, 1}, {0, 3}}};
  const Batch encoder_decoder = make(examples, Architecture::encoder_decoder);
  CHECK(ids_of(encoder_decoder.inputs.decoder_ids) == Ids{0, 90, 11, 12});
  CHECK(ids_of(encoder_decoder.rows) == Ids{1, 2});
  CHECK(encoder_decoder.row_counts == Ids{2});
  CHECK(ids_of(encoder_decoder.labels) == Ids{11, 12});
  const Batch decoder_only = make(examples, Architecture::decoder_only);
  CHECK(ids_of(decoder_only.rows) == Ids{5, 6});
  CHECK(ids_of(decoder_only.labels) == Ids{11, 12});
}

TEST_CASE("every id of a token stream predicts the next; a single one predicts nothing") {
  const Batch batch = make({TokenStream{{10, 11, 12, 1}}, TokenStream{{14}}, TokenStream{{13, 1}}},
                           Architecture::decoder_only);
  CHECK(ids_of(batch.inputs.ids) == Ids{10, 11, 12, 14, 13});
  CHECK(lengths_of(batch.inputs.sequences) == Ids{3, 1, 1});
  CHECK(ids_of(batch.rows) == Ids{0, 1, 2, 4});
  CHECK(batch.row_counts == Ids{3, 0, 1});
  CHECK(ids_of(batch.labels) == Ids{11, 12, 1, 1});
  CHECK(batch.inputs.prefix.empty());
}

TEST_CASE("labels of sequences stand in the order of the sequences, for every architecture") {
  const auto architecture =
      GENERATE(Architecture::encoder_only, Architecture::decoder_only, Architecture::encoder_decoder);
  const Batch batch = make({Labeled{{2, 10, 3}, 7}, Labeled{{2, 11, 12, 3}, 5}}, architecture);
  CHECK(ids_of(batch.inputs.ids) == Ids{2, 10, 3, 2, 11, 12, 3});
  CHECK(lengths_of(batch.inputs.sequences) == Ids{3, 4});
  CHECK(ids_of(batch.rows) == Ids{0, 1});
  CHECK(batch.row_counts.empty());
  CHECK(ids_of(batch.labels) == Ids{7, 5});
  CHECK(!batch.inputs.decoder_ids.defined());
}

TEST_CASE("a batch without any label is legal") {
  const Batch batch = make({InPlace{{2, 10, 3}, {}, {}}}, Architecture::encoder_only);
  CHECK(batch.rows.numel() == 0);
  CHECK(batch.row_counts == Ids{0});
  CHECK(batch.labels.numel() == 0);
  CHECK(batch.labels.scalar_type() == at::kLong);
}

TEST_CASE("the decoder begins with pad, else bos, else eos, else the tokenizer is refused") {
  const std::vector<Example> examples{SequenceToSequence{{10}, {11, 12}}};
  const auto first = [&](Id pad, Id bos, Id eos) {
    const Batch batch = collate(examples, Architecture::encoder_decoder, vocabulary(pad, bos, eos));
    return ids_of(batch.inputs.decoder_ids)[0];
  };
  CHECK(first(7, 8, 9) == 7);
  CHECK(first({}, 8, 9) == 8);
  CHECK(first({}, {}, 9) == 9);
  CHECK_THROWS_AS(first({}, {}, {}), InputError);
}

TEST_CASE("a pair that makes no sense is refused with one sentence, all others are possible") {
  const std::vector<std::pair<FormKind, Architecture>> refused{
      {FormKind::in_place, Architecture::decoder_only},
      {FormKind::sequence_to_sequence, Architecture::encoder_only},
      {FormKind::token_stream, Architecture::encoder_only},
      {FormKind::token_stream, Architecture::encoder_decoder}};
  const auto form = GENERATE(FormKind::in_place,
                             FormKind::sequence_to_sequence,
                             FormKind::token_stream,
                             FormKind::labeled,
                             FormKind::tagged,
                             FormKind::spanned,
                             FormKind::choices);
  const auto architecture =
      GENERATE(Architecture::encoder_only, Architecture::decoder_only, Architecture::encoder_decoder);
  const std::string why = refusal(form, architecture);
  const bool expected = std::count(refused.begin(), refused.end(), std::pair(form, architecture)) > 0;
  CHECK(why.empty() != expected);
  CHECK(why.find('\n') == std::string::npos);
}

TEST_CASE("collate throws on mistakes of the caller") {
  CHECK_THROWS_AS(make({InPlace{{2, 3}, {0}, {5}}}, Architecture::decoder_only), std::logic_error);
  CHECK_THROWS_AS(make({TokenStream{{1, 2}}, Labeled{{1}, 0}}, Architecture::decoder_only), std::logic_error);
  CHECK_THROWS_AS(make({InPlace{{2, 3}, {2}, {5}}}, Architecture::encoder_only), std::logic_error);
}

TEST_CASE("forms of tasks: values, tags, spans, groups, token types") {
  const auto encoder = Architecture::encoder_only;
  const Batch numbers = make({Labeled{.ids = {2, 3}, .label = 0, .token_types = {}, .values = {1.5F}},
                              Labeled{.ids = {4}, .label = 0, .token_types = {1}, .values = {2}}},
                             encoder);
  CHECK(at::equal(numbers.values, at::tensor({{1.5F}, {2.0F}})));
  CHECK(ids_of(numbers.rows) == Ids{0, 1});
  CHECK(numbers.labels.numel() == 0);
  CHECK(ids_of(numbers.inputs.token_types) == Ids{0, 0, 1});

  const Batch tags =
      make({Tagged{{2, 10, 11, 3}, {1, 2}, {4, 0}, {0}}, Tagged{{2, 12, 3}, {1}, {5}, {0}}}, encoder);
  CHECK(ids_of(tags.rows) == Ids{1, 2, 5});
  CHECK(tags.row_counts == Ids{2, 1});
  CHECK(ids_of(tags.labels) == Ids{4, 0, 5});
  CHECK(tags.words == std::vector<int64_t>{0, 2});
  CHECK_FALSE(tags.inputs.token_types.defined());

  const Batch spans = make({Spanned{{2, 10, 3, 11, 12, 3}, {0, 0, 0, 1, 1, 1}, 3, 4}}, encoder);
  CHECK(at::equal(spans.labels, at::tensor({{3, 4}}, at::kLong)));
  CHECK(spans.pieces.size() == 1);

  const Batch choices = make({Choices{{Labeled{{2, 10, 3}, 0}, Labeled{{2, 11}, 0}}, 1, true},
                              Choices{{Labeled{{2, 12}, 0}}, 0, true}},
                             encoder);
  CHECK(choices.groups == std::vector<int64_t>{2, 1});
  CHECK(ids_of(choices.rows) == Ids{0, 2});
  CHECK(ids_of(choices.labels) == Ids{1, 0});
  CHECK(ids_of(choices.next_rows) == Ids{0, 1, 3, 5});
  CHECK(ids_of(choices.next_labels) == Ids{10, 3, 11, 12});
}

TEST_CASE("ids that are given have no label") {
  const Batch batch = make({TokenStream{{10, 11, 12, 1}, 2}}, Architecture::decoder_only);
  CHECK(ids_of(batch.inputs.ids) == Ids{10, 11, 12});
  CHECK(ids_of(batch.rows) == Ids{1, 2});
  CHECK(ids_of(batch.labels) == Ids{12, 1});
}
