// Vectors that a transformer makes: of texts, of its vocabulary, of a word in several contexts.
#include "infer/vectors/encode.h"

#include <cmath>

#include <ATen/Context.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/cdist.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "infer/fresh_run.h"
#include "infer/vectors/contextual.h"
#include "infer/vectors/token_table.h"
#include "support/catch.h"
#include "support/files.h"

using namespace lmzoo;
using test::fresh_run;

namespace {

Tensor encoded(const LoadedRun& run, const std::vector<std::string>& texts, const EncodeOptions& options) {
  return encode_texts(*run.parts.model, read_texts(run.parts, *run.tokenizer, texts, options), options);
}

bool close(const Tensor& a, const Tensor& b) { return at::allclose(a, b, 1e-4, 1e-5); }

}  // namespace

TEST_CASE("a text's vector does not depend on its neighbors, and is its states pooled") {
  const LoadedRun run = fresh_run(GENERATE("bert", "gpt", "t5"));
  Model& model = *run.parts.model;
  const std::vector<std::string> texts{"the old owl", "a", "the small river jumps over the hill"};
  const std::vector<ReadText> read = read_texts(run.parts, *run.tokenizer, texts, {});
  std::vector<std::vector<Tensor>> states;
  for_each_states(model, read, [&](size_t, const std::vector<Tensor>& layers) { states.push_back(layers); });
  REQUIRE(states.size() == 3);
  for (int64_t layer = 0; layer < 3; ++layer) {
    for (const TextPooling pooling :
         {TextPooling::mean, TextPooling::own, TextPooling::first, TextPooling::last}) {
      const Tensor together = encoded(run, texts, {.layer = layer, .pooling = pooling});
      for (size_t i = 0; i < texts.size(); ++i) {
        const auto row = static_cast<int64_t>(i);
        CHECK(close(encoded(run, {texts[i]}, {.layer = layer, .pooling = pooling})[0], together[row]));
        const Tensor own = states[i][static_cast<size_t>(layer)];  // [T, D]
        const Tensor pooled = pooling == TextPooling::first  ? own[0]
                              : pooling == TextPooling::last ? own[-1]
                              : pooling == TextPooling::mean
                                  ? own.mean(0)
                                  : own.narrow(0, read[i].begin, read[i].length).mean(0);
        CHECK(close(pooled, together[row]));
      }
    }
  }
  CHECK(close(encoded(run, texts, {}), encoded(run, texts, {.layer = 2})));
  CHECK_THROWS_WITH(encoded(run, texts, {.layer = 3}),
                    "layer 3 is not there: the model has 0 (the embedding) to 2");
}

TEST_CASE("a text that is too long is refused with both lengths, or cut") {
  const LoadedRun run = fresh_run("bert");
  const std::string text(100, 'a');
  CHECK_THROWS_WITH(
      encoded(run, {text}, {}),
      Catch::Contains("has 102 positions, but the model takes at most 64 (--truncate cuts it)"));
  CHECK(close(encoded(run, {text}, {.truncate = true}), encoded(run, {text.substr(0, 62)}, {})));
}

TEST_CASE("every pooling is its formula over the states of the positions") {
  const LoadedRun run = fresh_run("bert");
  const std::vector<ReadText> read = read_texts(run.parts, *run.tokenizer, {"the old owl sleeps"}, {});
  Tensor h;  // [T, D]
  for_each_states(
      *run.parts.model, read, [&](size_t, const std::vector<Tensor>& layers) { h = layers.back(); });
  const auto pooled = [&](TextPooling pooling) {
    return encode_texts(*run.parts.model, read, {.pooling = pooling})[0];
  };
  Tensor sum = at::zeros({h.size(1)}), weighted = at::zeros({h.size(1)});
  int64_t weights = 0;
  for (int64_t t = 0; t < h.size(0); ++t) {
    sum += h[t];
    weighted += (t + 1) * h[t];
    weights += t + 1;
  }
  CHECK(close(pooled(TextPooling::mean), sum / h.size(0)));
  CHECK(close(pooled(TextPooling::sqrt_mean), sum / std::sqrt(static_cast<double>(h.size(0)))));
  CHECK(close(pooled(TextPooling::weighted), weighted / weights));
  CHECK(close(pooled(TextPooling::max), std::get<0>(h.max(0))));
  CHECK(close(pooled(TextPooling::first), h[0]));
  CHECK(close(pooled(TextPooling::last), h[h.size(0) - 1]));
}

TEST_CASE("a vocabulary's table has the rows of the embedding under the names of words") {
  const LoadedRun run = fresh_run("t5");
  const VectorTable table = token_table(run, {});
  const Tensor weight = token_embedding(*run.parts.model);
  const auto owl = run.tokenizer->id_of("\xE2\x96\x81owl");
  REQUIRE(owl.has_value());
  CHECK(table.vectors()[table.row_of("owl").value()].equal(weight[*owl]));
  for (const std::string& name : table.words()) {
    CHECK(name.find("<extra_id") == std::string::npos);
    CHECK(name != "</s>");
  }
  const std::vector<int64_t> pieces = run.tokenizer->encode("owls owls");
  CHECK(close(table.vector_of("owls owls"), weight.index_select(0, at::tensor(pieces)).mean(0)));
  const VectorTable chosen = token_table(run, {.words = {"owl", "fox", "owl"}});
  CHECK(chosen.words() == std::vector<std::string>{"owl", "fox"});
}

TEST_CASE("a vocabulary's table of a layer has each word's states alone") {
  const LoadedRun run = fresh_run("gpt");
  const VectorTable table = token_table(run, {.layer = 1, .words = {"owl", "fox"}});
  const Tensor alone = encoded(run, {"owl", "fox", "cat"}, {.layer = 1});
  CHECK(close(table.vectors(), alone.slice(0, 0, 2)));
  CHECK(close(table.vector_of("cat"), alone[2]));
}

TEST_CASE("a word is found whole, in any case, and so are its tokens") {
  using Ranges = std::vector<std::pair<size_t, size_t>>;
  CHECK(find_word("Bank, embankment bank bank's banks", "bank") == Ranges{{0, 4}, {17, 21}, {22, 26}});
  CHECK(find_word("bankbank", "bank").empty());
  CHECK(find_word("", "bank").empty());
  for (const char* name : {"bert", "t5"}) {
    const LoadedRun run = fresh_run(name);
    const std::vector<int64_t> ids = run.tokenizer->encode("the old owl sleeps.");
    const std::string text = run.tokenizer->decode(ids);
    const auto range = find_word(text, "owl").at(0);
    const auto [first, end] = tokens_of_range(*run.tokenizer, ids, range);
    const std::string word = run.tokenizer->decode(
        std::span(ids).subspan(static_cast<size_t>(first), static_cast<size_t>(end - first)));
    CHECK(word == "owl");
  }
}

TEST_CASE("principal directions keep distances when they show everything") {
  at::manual_seed(3);
  const Tensor flat = at::matmul(at::randn({9, 2}), at::randn({2, 30})) + at::randn({1, 30});
  const Principal shown = principal_components(flat, 2);
  CHECK(shown.explained == Approx(1));
  const Tensor coordinates = shown.coordinates(flat);
  CHECK(at::allclose(at::cdist(coordinates, coordinates), at::cdist(flat, flat).to(at::kDouble), 1e-3, 1e-3));
  CHECK(principal_components(at::ones({3, 4}), 2).explained == 0);
  const Tensor line = at::tensor({0.0, 1.0}).view({2, 1});
  CHECK(principal_components(line, 2).coordinates(line).size(1) == 2);
}

TEST_CASE("a word's static vector is one point, its contextual vectors are several") {
  const LoadedRun run = fresh_run("bert");
  const std::vector<std::string> sentences{
      "the owl sleeps", "no such word here", "an old fox sees an owl near an owl", "the owl sleeps"};
  const Contextual points = contextual_points(run, "owl", sentences, std::nullopt);
  CHECK(points.layer == 2);
  CHECK(points.sentences.size() == 3);
  REQUIRE(points.occurrences.size() == 4);
  CHECK(points.occurrences[1].sentence == 1);
  CHECK(points.occurrences[2].begin > points.occurrences[1].end);
  CHECK(points.occurrences[0].x == Approx(points.occurrences[3].x));  // the same sentence
  CHECK(std::abs(points.occurrences[0].x - points.occurrences[2].x) > 1e-3);
  REQUIRE(points.self_similarity.size() == 3);
  CHECK(points.self_similarity[2] < 0.9999);

  CHECK(to_json(points)["occurrences"].size() == 4);
  CHECK_THAT(to_text(points), Catch::Contains("(static vector)"));
  const std::string page = to_html(points);
  CHECK_THAT(page, Catch::Contains("<svg") && Catch::Contains("<mark>owl</mark>"));
  CHECK(page.find("http") == std::string::npos);
  CHECK_THROWS_WITH(contextual_points(run, "here", sentences, std::nullopt),
                    Catch::Contains("stands 1 times in the sentences, but at least two are needed"));
}
