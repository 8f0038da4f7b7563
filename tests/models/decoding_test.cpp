// Decoding with a model's state equals reading whole sequences, in every family that writes: ragged batches,
// beams, copies, cuts, prefixes.
#include <algorithm>

#include <ATen/Context.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/tensor.h>

#include "model_support.h"
#include "support/catch.h"

using namespace lmzoo;
using namespace lmzoo::test;

namespace {

// The same sums in another order: a row alone is another product than a row among many.
double tolerance(at::ScalarType type) { return type == at::kDouble ? 1e-12 : 1e-5; }

std::shared_ptr<Model> writing_model(ModelSpec spec, at::ScalarType type) {
  if (spec.settings.contains("max_length")) {
    spec.settings["max_length"] = "40";
  }
  spec.sequence_length = 40;
  at::manual_seed(3);
  const std::shared_ptr<Model> model = make_model(spec);
  randomize(*model);
  model->to(type);
  return model;
}

std::vector<ModelSpec> writing_models() {
  std::vector<ModelSpec> specs;
  for (const ModelSpec& spec : tiny_models()) {
    if (make_model(spec)->architecture() != Architecture::encoder_only) {
      specs.push_back(spec);
    }
  }
  return specs;
}

bool reads_source(const Model& model) { return model.architecture() == Architecture::encoder_decoder; }

// A state beside the sequences that it should have read.
struct Writing {
  Model& model;
  std::unique_ptr<DecodingState> state;
  Ids sources, read;
  std::vector<int64_t> prefix;  // [n] or empty

  Writing copy() const { return {model, state->copy(), sources, read, prefix}; }
};

Writing start(Model& model, const Ids& sources, int64_t capacity) {
  DecodingPlan plan{.sequences = std::ssize(sources), .capacity = capacity};
  if (reads_source(model)) {
    plan.sources = packed(sources);
  }
  return {model, model.start(plan), sources, Ids(sources.size()), {}};
}

// Logits of every position of the whole sequences, read at once: a tensor each.
std::vector<Tensor> whole_logits(const Writing& writing) {
  Inputs inputs = reads_source(writing.model) ? packed(writing.sources, writing.read) : packed(writing.read);
  inputs.prefix = writing.prefix;
  const Tensor logits = writing.model.logits(writing.model.hidden(inputs));
  const Sequences& sequences = reads_source(writing.model) ? inputs.decoder_sequences : inputs.sequences;
  std::vector<Tensor> all;
  for (int64_t i = 0; i < sequences.count(); ++i) {
    all.push_back(logits.narrow(0, sequences.start(i), sequences.length(i)));
  }
  return all;
}

WantedRows all_rows(const Sequences& sequences) {
  return {.rows = at::arange(sequences.total(), at::kLong), .counts = {}};
}

// Appends and compares every new position.
void append(Writing& writing, const Ids& fresh, const std::vector<int64_t>& prefix = {}) {
  const NewPositions added{.ids = flat(fresh), .sequences = sequences_of(fresh), .prefix = prefix};
  const Tensor states = writing.model.append(*writing.state, added, all_rows(added.sequences));
  const Tensor logits = writing.model.logits(states);
  if (!prefix.empty()) {
    writing.prefix = prefix;
  }
  for (size_t i = 0; i < fresh.size(); ++i) {
    writing.read[i].insert(writing.read[i].end(), fresh[i].begin(), fresh[i].end());
    CHECK(writing.state->lengths()[i] == std::ssize(writing.read[i]));
  }
  const std::vector<Tensor> whole = whole_logits(writing);
  for (int64_t i = 0; i < added.sequences.count(); ++i) {
    const int64_t count = added.sequences.length(i);
    const Tensor expected = whole[static_cast<size_t>(i)].slice(0, -count);
    const Tensor given = logits.narrow(0, added.sequences.start(i), count);
    REQUIRE(relative_error(given, expected) < tolerance(given.scalar_type()));
  }
}

template <class T>
std::vector<T> picked(const std::vector<T>& items, const std::vector<int64_t>& order) {
  std::vector<T> chosen;
  for (const int64_t from : order) {
    chosen.push_back(items.at(static_cast<size_t>(from)));
  }
  return chosen;
}

void reorder(Writing& writing, const std::vector<int64_t>& order) {
  writing.state->reorder(order);
  writing.sources = picked(writing.sources, order);
  writing.read = picked(writing.read, order);
  writing.prefix = writing.prefix.empty() ? writing.prefix : picked(writing.prefix, order);
}

void truncate(Writing& writing, const std::vector<int64_t>& lengths) {
  writing.state->truncate(lengths);
  for (size_t i = 0; i < lengths.size(); ++i) {
    writing.read[i].resize(static_cast<size_t>(lengths[i]));
  }
}

int64_t drawn(int64_t low, int64_t high) {  // both inclusive
  return at::randint(low, high + 1, {1}, at::kLong).item<int64_t>();
}

std::vector<int64_t> drawn_list(int64_t count, int64_t low, int64_t high) {
  std::vector<int64_t> all;
  for (int64_t i = 0; i < count; ++i) {
    all.push_back(drawn(low, high));
  }
  return all;
}

}  // namespace

TEST_CASE("ragged prompts written together equal each one alone, and the whole sequences") {
  const at::NoGradGuard no_grad;
  const at::ScalarType type = GENERATE(at::kFloat, at::kDouble);
  for (const ModelSpec& spec : writing_models()) {
    INFO(describe(spec));
    const auto model = writing_model(spec, type);
    const Ids sources = random_ids({5, 2, 3});
    const Ids prompts = random_ids({3, 1, 6});
    const Ids next = random_ids({1, 2, 1});
    Writing together = start(*model, sources, 16);
    append(together, prompts);
    append(together, next);
    append(together, random_ids({1, 1, 1}));
    for (size_t i = 0; i < sources.size(); ++i) {
      Writing alone = start(*model, {sources[i]}, 1);
      append(alone, {prompts[i]});
      append(alone, {next[i]});
    }
  }
}

TEST_CASE("a decoding state goes on after any appends, reorders, copies and cuts") {
  const at::NoGradGuard no_grad;
  const at::ScalarType type = GENERATE(at::kFloat, at::kDouble);
  for (const ModelSpec& spec : writing_models()) {
    INFO(describe(spec));
    const auto model = writing_model(spec, type);
    for (int64_t walk = 0; walk < 4; ++walk) {
      at::manual_seed(static_cast<uint64_t>(100 + walk));
      Writing writing = start(*model, random_ids(drawn_list(drawn(1, 4), 1, 5)), drawn(0, 9));
      append(writing, random_ids(drawn_list(writing.state->sequences(), 1, 5)));
      std::vector<Writing> saved;
      for (int step = 0; step < 12; ++step) {
        const int64_t n = writing.state->sequences();
        INFO("walk " << walk << ", step " << step << ", " << n << " sequences");
        switch (drawn(0, 4)) {
          case 0:
            reorder(writing, drawn_list(drawn(1, 5), 0, n - 1));
            break;
          case 1:
            saved.push_back(writing.copy());
            break;
          case 2:
            if (!saved.empty()) {
              std::swap(writing.state, saved.back().state);
              std::swap(writing.read, saved.back().read);
              std::swap(writing.sources, saved.back().sources);
            }
            break;
          case 3: {
            std::vector<int64_t> lengths;
            for (const int64_t length : writing.state->lengths()) {
              lengths.push_back(drawn(0, length));
            }
            truncate(writing, lengths);
            break;
          }
          default:
            break;
        }
        if (writing.state->longest() < 36) {
          append(writing, random_ids(drawn_list(writing.state->sequences(), 1, 3)));
        }
      }
    }
  }
}

TEST_CASE("sequences leave, and a beam that is taken up again is written anew") {
  const at::NoGradGuard no_grad;
  for (const ModelSpec& spec : writing_models()) {
    INFO(describe(spec));
    const auto model = writing_model(spec, at::kFloat);
    Writing writing = start(*model, random_ids({4, 2, 3, 1}), 8);
    append(writing, random_ids({2, 5, 1, 3}));
    reorder(writing, {1, 3});  // two have ended
    append(writing, random_ids({1, 1}));
    reorder(writing, {1, 1, 1, 1, 0});  // four beams of one, one of the other
    append(writing, random_ids({1, 1, 1, 1, 1}));
    reorder(writing, {4, 3, 2, 1, 0});
    append(writing, random_ids({1, 1, 1, 1, 1}));
  }
}

TEST_CASE("a source that is read from both sides is a prefix of the first ids") {
  const at::NoGradGuard no_grad;
  const at::ScalarType type = GENERATE(at::kFloat, at::kDouble);
  for (const ModelSpec& spec : writing_models()) {
    const auto model = writing_model(spec, type);
    if (reads_source(*model)) {
      continue;
    }
    INFO(describe(spec));
    Writing writing = start(*model, random_ids({1, 1, 1}), 4);
    append(writing, random_ids({5, 3, 4}), {4, 3, 0});
    append(writing, random_ids({1, 2, 1}));
    reorder(writing, {1, 0});
    append(writing, random_ids({1, 1}));
    CHECK_THROWS_AS(writing.state->truncate(std::vector<int64_t>{2, 7}), std::logic_error);
    truncate(writing, {3, 4});
    append(writing, random_ids({2, 2}));
    const Ids fresh = random_ids({1, 1});
    const NewPositions late{.ids = flat(fresh), .sequences = sequences_of(fresh), .prefix = {1, 1}};
    CHECK_THROWS_AS(model->append(*writing.state, late, all_rows(late.sequences)), std::logic_error);
  }
}

TEST_CASE("an append gives the wanted rows alone, and one that fails changes nothing") {
  const at::NoGradGuard no_grad;
  const auto model = writing_model(
      {.family = "gpt", .settings = {{"positions", "learned"}, {"max_length", "7"}}}, at::kFloat);
  Writing writing = start(*model, random_ids({1, 1}), 8);
  const Ids prompts = random_ids({3, 2});
  const NewPositions added{.ids = flat(prompts), .sequences = sequences_of(prompts)};
  const Tensor last =
      model->append(*writing.state, added, {.rows = at::tensor({2, 4}, at::kLong), .counts = {}});
  const Tensor whole = model->hidden(packed(prompts));
  CHECK(relative_error(last, whole.index_select(0, at::tensor({2, 4}, at::kLong))) < 1e-5);

  writing.read = prompts;
  const Ids far = random_ids({40, 40});
  const NewPositions beyond{.ids = flat(far), .sequences = sequences_of(far)};
  CHECK_THROWS_AS(model->append(*writing.state, beyond, all_rows(beyond.sequences)), InputError);
  append(writing, random_ids({1, 1}));

  const Ids three = random_ids({1, 1, 1});
  const NewPositions more{.ids = flat(three), .sequences = sequences_of(three)};
  CHECK_THROWS_AS(model->append(*writing.state, more, all_rows(more.sequences)), std::logic_error);
  CHECK_THROWS_AS(writing.state->reorder(std::vector<int64_t>{0, 2}), std::logic_error);
  CHECK_THROWS_AS(writing.state->truncate(std::vector<int64_t>{4, 4}), std::logic_error);
}

TEST_CASE("a model that only reads has no decoding state") {
  const auto model = make_model({.family = "bert"});
  CHECK_THROWS_AS(model->start({.sequences = 1}), std::logic_error);
}
