// Presets have the published sizes; options that contradict each other are refused with their values.
#include <ATen/ops/zeros.h>

#include "model_support.h"
#include "nn/parameter.h"
#include "support/catch.h"

using namespace lmzoo;
using namespace lmzoo::test;

namespace {

int64_t count(const ModelSpec& spec) {
  const MetaScope scope;
  int64_t total = 0;
  for (const Tensor& parameter : make_model(spec)->parameters()) {
    REQUIRE(parameter.is_meta());
    total += parameter.numel();
  }
  return total;
}

ModelSpec preset(const std::string& family, const std::string& name, const Settings& settings = {}) {
  return {.family = family, .settings = settings, .preset = name, .vocabulary = 100, .sequence_length = 128};
}

}  // namespace

TEST_CASE("presets have exactly the published number of parameters") {
  CHECK(count(preset("bert", "bert-base")) == 109'514'298);
  CHECK(count(preset("bert", "bert-base", {{"pooler", "true"}, {"lm_head", "false"}})) == 109'482'240);
  CHECK(count(preset("bert", "bert-large")) == 335'174'458);
  CHECK(count(preset("bert", "distilbert-base", {{"lm_head", "false"}})) == 66'362'880);
  CHECK(count(preset("bert", "roberta-base", {{"pooler", "true"}, {"lm_head", "false"}})) == 124'645'632);
  CHECK(count(preset("bert", "electra-small")) == 13'483'008);
  CHECK(count(preset("bert", "electra-base")) == 108'891'648);
  CHECK(count(preset("bert", "electra-large")) == 334'092'288);
  CHECK(count(preset("gpt", "gpt1")) == 116'534'784);
  CHECK(count(preset("gpt", "gpt2")) == 124'439'808);
  CHECK(count(preset("gpt", "gpt2-medium")) == 354'823'168);
  CHECK(count(preset("gpt", "gpt2-large")) == 774'030'080);
  CHECK(count(preset("gpt", "gpt2-xl")) == 1'557'611'200);
  CHECK(count(preset("gpt", "llama-2-7b")) == 6'738'415'616);
  CHECK(count(preset("gpt", "llama-3-8b")) == 8'030'261'248);
  CHECK(count(preset("gpt", "smollm2-135m")) == 134'515'008);
  CHECK(count(preset("t5", "t5-small")) == 60'506'624);
  CHECK(count(preset("t5", "t5-base")) == 222'903'552);
  CHECK(count(preset("t5", "t5-large")) == 737'668'096);
  CHECK(count(preset("t5", "t5-v1.1-small")) == 76'961'152);
  CHECK(count(preset("t5", "t5-v1.1-base")) == 247'577'856);
  CHECK(count(preset("t5", "t5-v1.1-large")) == 783'150'080);
}

TEST_CASE("outside of the scope parameters have memory again") {
  { const MetaScope scope; }
  CHECK(make_model({.family = "gpt"})->parameters().front().is_cpu());
}

TEST_CASE("the vocabulary may be larger than the tokenizer's, never smaller") {
  CHECK(make_model({.family = "bert"})->vocab_rows() == 29);
  CHECK(make_model({.family = "bert", .settings = {{"vocab_size", "32"}}})->vocab_rows() == 32);
  for (const std::string family : {"bert", "gpt", "t5"}) {
    CHECK_THROWS_WITH(make_model({.family = family, .settings = {{"vocab_size", "28"}}}),
                      "vocab_size is 28 but must be at least the tokenizer's 29 ids");
  }
}

TEST_CASE("options that contradict each other are refused with their values") {
  for (const std::string family : {"bert", "gpt", "t5"}) {
    CHECK_THROWS_WITH(make_model({.family = family, .settings = {{"width", "10"}, {"heads", "4"}}}),
                      "width is 10 but must be a multiple of heads = 4");
  }
  CHECK_THROWS_WITH(
      make_model({.family = "gpt", .settings = {{"width", "12"}, {"heads", "4"}, {"kv_heads", "3"}}}),
      "heads is 4 but must be a multiple of kv_heads = 3");
  CHECK_THROWS_WITH(
      make_model({.family = "gpt",
                  .settings = {{"width", "12"}, {"heads", "4"}, {"positions", "rotary_interleaved"}}}),
      "the width of a head is 3 but must be even for positions: rotary_interleaved");
  CHECK_THROWS_WITH(make_model({.family = "bert",
                                .settings = {{"width", "9"}, {"heads", "3"}, {"positions", "sinusoidal"}}}),
                    "width is 9 but must be even for positions: sinusoidal");
  CHECK_THROWS_WITH(make_model({.family = "t5", .settings = {{"buckets", "6"}}}),
                    "buckets is 6 but must be a multiple of 4");
  CHECK_THROWS_WITH(make_model({.family = "t5", .settings = {{"buckets", "8"}, {"max_distance", "4"}}}),
                    "max_distance is 4 but must be over half of buckets = 8");
}

TEST_CASE("what a model cannot do is an error with a reason") {
  const auto headless = make_model({.family = "bert", .settings = {{"lm_head", "false"}}});
  CHECK_THROWS_WITH(headless->logits(at::zeros({1, headless->width()})),
                    "this bert has no masked-LM head (model.lm_head is false)");
  const auto gpt = make_model({.family = "gpt", .settings = {{"max_length", "3"}}});
  CHECK(gpt->max_length() == 3);
  CHECK_THROWS_WITH(gpt->hidden(packed({{1, 2, 3, 4}})), "a sequence of 4 is over max_length = 3");
}

TEST_CASE("the work of a step is that of the published formula") {
  const MetaScope scope;
  const auto gpt2 = make_model(preset("gpt", "gpt2"));
  // 6 · 123.65 M + 12 · 12 · 768 · 1024 / 2 (docs of the formula: 798 MFLOP a token at 1,024).
  CHECK(gpt2->train_flops({.source = 1024}, 1024) / 1024 == Approx(798.1e6).epsilon(1e-3));
  const auto bert = make_model(preset("bert", "bert-base"));
  const double layers = 6.0 * 12 * (4 * 768 * 768 + 2 * 768 * 3072) * 512 + 12.0 * 12 * 768 * 512 * 512;
  CHECK(bert->train_flops({.source = 512}, 0) == Approx(layers));
  CHECK(bert->train_flops({.source = 512}, 77) - layers == Approx(6.0 * 77 * (30522 + 768) * 768));
  const auto t5 = make_model(preset("t5", "t5-small"));
  const double encoder = 6.0 * 6 * (4 * 512 * 512 + 2 * 512 * 2048) * 512 + 12.0 * 6 * 512 * 512 * 512;
  const double decoder = 6.0 * 6 * (6 * 512 * 512 + 2 * 512 * 2048) * 114 +  // all but cross keys, values
                         6.0 * 6 * (2 * 512 * 512) * 512 +                   // those, of the source
                         12.0 * 6 * 512 * 114 * (115.0 / 2 + 512);
  CHECK(t5->train_flops({.source = 512, .target = 114}, 114) ==
        Approx(encoder + decoder + 6.0 * 114 * 32128 * 512));
}
