// Where a decoding state keeps what it has: nothing moves while there is room, and room doubles.
#include "nn/attention_state.h"

#include <set>

#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>

#include "nn/block.h"
#include "support/catch.h"

using namespace lmzoo;

namespace {

NewPositions one_each(int64_t sequences) {
  return {.ids = at::zeros({sequences}, at::kLong), .sequences = Sequences::uniform(sequences, 1)};
}

std::shared_ptr<Stack> small_stack() {
  const BlockOptions block{.attention = {.width = 8, .shape = {2, 1, 4}},
                           .feed_forward = {.width = 8, .inner_width = 8}};
  const auto stack = std::make_shared<Stack>(uniform_stack(2, block));
  for (const Tensor& weight : stack->parameters()) {
    weight.detach().normal_(0, 0.3);
  }
  return stack;
}

// Appends one random position to each sequence.
void step(const Stack& stack, AttentionState& state) {
  const NewPositions added = one_each(state.sequences());
  const AppendStep where = state.begin(added);
  stack.append(at::randn({state.sequences(), 8}),
               {.sequences = added.sequences, .mask = MaskKind::causal},
               state,
               where);
}

}  // namespace

TEST_CASE("an append writes new positions and moves no other while there is room") {
  const at::NoGradGuard no_grad;
  const std::shared_ptr<Stack> stack = small_stack();
  AttentionState state({.sequences = 3, .capacity = 20}, 2);
  step(*stack, state);
  const Tensor keys = state.keys(1).keys, before = keys.clone();
  const void* address = keys.data_ptr();
  for (int64_t length = 2; length <= 20; ++length) {
    step(*stack, state);
    CHECK(state.keys(1).keys.data_ptr() == address);
    CHECK(state.lengths()[2] == length);
  }
  CHECK(keys.narrow(2, 0, 1).equal(before.narrow(2, 0, 1)));
}

TEST_CASE("a state that was made too small grows by doubling") {
  const at::NoGradGuard no_grad;
  const std::shared_ptr<Stack> stack = small_stack();
  AttentionState state({.sequences = 1, .capacity = 1}, 2);
  std::set<int64_t> rooms;
  for (int64_t length = 1; length <= 300; ++length) {
    step(*stack, state);
    rooms.insert(state.keys(0).keys.size(2));
  }
  CHECK(rooms == std::set<int64_t>{1, 2, 4, 8, 16, 32, 64, 128, 256, 512});
}
