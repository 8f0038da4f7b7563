// Decoding states of stacks whose layers differ and are shared.
#include <ATen/ops/cat.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>

#include "nn/attention_state.h"
#include "support/catch.h"
#include "unlike_blocks.h"

using namespace lmzoo;
using namespace lmzoo::test;

TEST_CASE(
    "appended piece by piece, a stack of unlike and shared layers gives the states of whole sequences") {
  const at::NoGradGuard no_grad;
  const Rotary rotary;
  std::vector<BlockOptions> blocks = unlike_blocks();
  blocks[0].attention.mask = std::nullopt;  // what is read later cannot be seen
  const auto type = GENERATE(at::kFloat, at::kDouble);
  const auto stack = prepared_stack(
      std::make_shared<Stack>(StackOptions{.blocks = blocks, .order = {0, 1, 1, 2, 3, 4, 0}}), type);
  const auto state = stack->start({.sequences = 2, .capacity = 4}, {});
  const std::vector<std::vector<int64_t>> pieces{{3, 1}, {1, 1}, {2, 5}, {1, 1}, {2, 1}};
  const Sequences whole(std::vector<int64_t>{9, 9});
  const Tensor x = at::randn({18, kStackWidth}, at::kDouble).to(type);
  const Tensor wanted = stack->forward(x, rotary.view(whole), nullptr);
  int64_t done[] = {0, 0};
  for (const std::vector<int64_t>& piece : pieces) {
    const Sequences added(piece);
    const auto of_piece = [&](const Tensor& rows) {
      return at::cat({rows.narrow(0, done[0], piece[0]), rows.narrow(0, 9 + done[1], piece[1])});
    };
    const AppendStep step =
        state->begin({.ids = at::zeros({piece[0] + piece[1]}, at::kLong), .sequences = added});
    const SelfView view{.sequences = added,
                        .mask = MaskKind::causal,
                        .rotations = {rotary.slow.rotation(step.positions, kStackLongest),
                                      rotary.fast.rotation(step.positions, kStackLongest)}};
    const Tensor states = stack->append(of_piece(x), view, *state, step);
    CHECK(relative_error(states, of_piece(wanted)) < (type == at::kFloat ? 1e-5 : 1e-12));
    done[0] += piece[0];
    done[1] += piece[1];
  }
  CHECK((done[0] == 9 && done[1] == 9));
}
