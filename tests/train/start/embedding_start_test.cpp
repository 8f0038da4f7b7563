// Word vectors as the beginning of a transformer's token embedding.
#include "train/start/embedding_start.h"

#include <ATen/Context.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/cdist.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>

#include "support/catch.h"
#include "support/files.h"
#include "train/run/assemble.h"
#include "train/start/word_vectors.h"

using namespace lmzoo;

namespace {

// bert of configs/debug: 32 wide, a token for each character.
struct EmbeddingTarget {
  test::TempDir dir;
  std::shared_ptr<const Tokenizer> tokenizer;
  Parts parts;
  Tensor fresh, now;

  EmbeddingTarget() {
    const Registry registry = make_registry();
    const LoadedConfig loaded = read_run_config("configs/debug/bert.yaml", {}, registry);
    tokenizer = make_tokenizer(loaded.config.tokenizer, loaded.config.data.train, "");
    parts = build_parts(loaded, registry, tokenizer->vocabulary(), {});
    now = token_embedding(*parts.model).detach();
    fresh = now.clone();
  }

  // Vectors of `width` for a, b, c, a word that is no token, and "T" in a file.
  Tensor write(int64_t width) {
    at::manual_seed(static_cast<uint64_t>(width));
    const Tensor values = at::randn({5, width});
    const std::vector<std::string> words{"a", "b", "c", "word", "t"};
    write_word_vectors(dir / "v.bin",
                       {words, {values.const_data_ptr<float>(), static_cast<size_t>(values.numel())}, width},
                       VectorFormat::binary);
    return values.index_select(0, at::tensor({0, 1, 2, 4}));
  }

  EmbeddingStartReport start(EmbeddingStartOptions options) {
    options.from = dir / "v.bin";
    return start_embedding(*parts.model, *tokenizer, options, 1);
  }

  Tensor matched(const Tensor& table) const {
    std::vector<int64_t> ids;
    for (const char* piece : {"a", "b", "c", "t"}) {
      ids.push_back(tokenizer->id_of(piece).value());
    }
    return table.index_select(0, at::tensor(ids));
  }
};

Tensor products(const Tensor& rows) { return at::matmul(rows, rows.t()); }
double size_of(const Tensor& values) { return values.square().mean().sqrt().item<double>(); }

}  // namespace

TEST_CASE("tokens that are words get their vectors, the others stay, and the report counts them") {
  EmbeddingTarget target;
  const Tensor vectors = target.write(32);
  const EmbeddingStartReport report = target.start({.scale = 0.5});
  CHECK(report.matched == 4);
  CHECK(report.words == 5);
  CHECK(report.tokens > 20);
  CHECK(at::allclose(target.matched(target.now), 0.5 * vectors));
  CHECK((target.now != target.fresh).any(1).sum().item<int64_t>() == 4);
  CHECK_THAT(to_text(report),
             Catch::Contains("4 of ") && Catch::Contains(" tokens (") && Catch::Contains("32 -> 32"));
}

TEST_CASE("without a scale vectors get the size of the fresh rows") {
  EmbeddingTarget target;
  target.write(32);
  const EmbeddingStartReport report = target.start({});
  CHECK(report.scale < 0.1);
  CHECK(size_of(target.matched(target.now)) == Approx(size_of(target.fresh)).epsilon(1e-3));
}

TEST_CASE("narrower vectors keep all inner products, and the seed decides the directions") {
  EmbeddingTarget target, again;
  const Tensor vectors = target.write(10);
  target.start({.scale = 1.0});
  CHECK(at::allclose(products(target.matched(target.now)), products(vectors), 1e-4, 1e-4));
  again.write(10);
  again.start({.scale = 1.0});
  CHECK(again.now.equal(target.now));
}

TEST_CASE("wider vectors are projected: by PCA differences stay as far as they fit, random is orthonormal") {
  EmbeddingTarget target;
  const Tensor vectors = target.write(50);
  target.start({.scale = 1.0});
  const Tensor rows = target.matched(target.now);  // four rows vary in three directions: all fit
  CHECK(at::allclose(at::cdist(rows, rows), at::cdist(vectors, vectors), 1e-4, 1e-4));
  EmbeddingTarget other;
  other.write(50);
  const EmbeddingStartReport report = other.start({.projection = VectorProjection::random, .scale = 1.0});
  CHECK(report.width_from == 50);
  CHECK(size_of(other.matched(other.now)) < 1.5 * size_of(vectors));
  CHECK_FALSE(at::allclose(other.matched(other.now), rows, 1e-2, 1e-2));
}

TEST_CASE("vectors of which no word is a token are refused") {
  EmbeddingTarget target;
  const std::vector<std::string> words{"one", "two"};
  const std::vector<float> values(4, 1.0F);
  write_word_vectors(target.dir / "v.bin", {words, values, 2}, VectorFormat::binary);
  CHECK_THROWS_WITH(target.start({}), Catch::EndsWith("none of its 2 words is a token of this run"));
}
