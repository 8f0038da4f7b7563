#include "objectives/parts/draw_ids.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>

#include "core/device.h"

namespace lmzoo {
namespace {

constexpr int64_t kDrawnBytes = int64_t{64} << 20;  // of the probabilities of a chunk

// Where the running sum of a row passes a number, and what of the number is left there.
struct Passed {
  Tensor index;  // [K]
  Tensor left;   // [K]
};

// weights [K, n] float64, numbers [K] below the sum of their row. The running sums are a product with a triangle:
// at::cumsum has no deterministic form on a GPU.
Passed pass_at(const Tensor& weights, const Tensor& numbers) {
  const int64_t n = weights.size(1);
  const Tensor sums = weights.matmul(at::ones({n, n}, weights.options()).triu());  // [K, n]
  const Tensor index = sums.le(numbers.unsqueeze(1)).sum(1).clamp_max(n - 1);      // [K]
  const Tensor there = index.unsqueeze(1);
  const Tensor before = sums.gather(1, there) - weights.gather(1, there);
  return {index, numbers - before.squeeze(1)};
}

}  // namespace

// In two steps, first to a block of about √V ids and then in it, so that running sums are short.
Tensor ids_at(const Tensor& logits, const Tensor& shares) {
  const int64_t rows = logits.size(0), vocabulary = logits.size(1);
  const auto size = static_cast<int64_t>(std::ceil(std::sqrt(static_cast<double>(vocabulary))));
  const int64_t blocks = (vocabulary + size - 1) / size;
  const Tensor wide = logits.scalar_type() == at::kDouble ? logits : logits.to(at::kFloat);
  const Tensor all = at::constant_pad_nd(wide.softmax(1), {0, blocks * size - vocabulary})
                         .view({rows, blocks, size});  // [K, blocks, size] probabilities
  const Tensor sums = all.sum(2).to(at::kDouble);
  const Passed block = pass_at(sums, shares * sums.sum(1));
  const Tensor inside = all.gather(1, block.index.view({rows, 1, 1}).expand({rows, 1, size})).squeeze(1);
  const Passed id = pass_at(inside.to(at::kDouble), block.left);
  return (block.index * size + id.index).clamp_max(vocabulary - 1);
}

Tensor draw_ids(const Projection& projection, Stream& stream) {
  const at::NoGradGuard no_grad;
  const int64_t rows = projection.rows.size(0);
  const Tensor drawn = at::empty({rows}, on_cpu(at::kDouble));
  std::generate_n(drawn.mutable_data_ptr<double>(), rows, [&] { return stream.uniform(); });
  const Tensor shares = sent(drawn, projection.rows.device());
  const int64_t vocabulary = projection.weight.size(0);
  const int64_t most = std::max<int64_t>(1, kDrawnBytes / (4 * vocabulary));
  std::vector<Tensor> ids{at::empty({0}, shares.options().dtype(at::kLong))};
  for (int64_t begin = 0; begin < rows; begin += most) {
    const int64_t count = std::min(most, rows - begin);
    const Projection part{projection.rows.narrow(0, begin, count), projection.weight, projection.bias};
    ids.push_back(ids_at(part.logits(), shares.narrow(0, begin, count)));
  }
  return at::cat(ids);
}

}  // namespace lmzoo
