#include "nn/linear_cross_entropy.h"

#include <algorithm>
#include <optional>

#include <ATen/Parallel.h>
#include <ATen/ops/aminmax.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include "base/check.h"
#include "core/isa.h"
#include "nn/kernels/autocast.h"
#include "nn/kernels/product.h"
#include "nn/kernels/softmax_rows.h"

namespace lmzoo {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Logits of a chunk of rows. Fewer chunks cost memory, more cost passes over the weight's gradient.
constexpr int64_t kChunkBytes = int64_t{128} << 20;
constexpr int64_t kFewestChunkRows = 128;  // below, a product with the weight is not worth its reading

SoftmaxKernels softmax_kernels_here() { return LMZOO_BEST_ISA(softmax_kernels()); }

struct Wanted {
  bool rows = false, weight = false, bias = false;
  bool any() const { return rows || weight || bias; }
};

struct Head {
  Tensor weight;  // [V, D] in the type of the products
  Tensor bias;    // [V] float32 (float64), or undefined
};

struct ChunkLoss {
  Tensor sum, correct;
  Tensor bias_gradient;  // [V]; undefined without a bias
};

// Loss of a chunk by plain operators: float64 and devices. Logits become their gradient when `gradient`.
ChunkLoss plain_loss(
    Tensor& logits, const Head& head, const RowLabels& labels, const EntropyTerms& terms, bool gradient) {
  const auto type = logits.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  Tensor wide = logits.to(type);
  if (head.bias.defined()) {
    wide = wide + head.bias;
  }
  const Tensor log_sums = at::logsumexp(wide, -1, /*keepdim=*/true);
  const Tensor label_logits = wide.gather(1, labels.ids.unsqueeze(1));
  const double smoothing = terms.label_smoothing;
  ChunkLoss loss;
  Tensor each = log_sums - (1 - smoothing) * label_logits - smoothing * wide.mean(-1, true);  // [k, 1]
  if (terms.z_loss != 0) {
    each = each + terms.z_loss * log_sums.square();
  }
  Tensor correct = wide.argmax(-1) == labels.ids;
  if (labels.weights.defined()) {
    each = each * labels.weights.unsqueeze(1);
    correct = correct * labels.weights;
  }
  loss.sum = each.sum();
  loss.correct = correct.sum();
  if (gradient) {
    Tensor slopes = at::exp(wide - log_sums);
    if (terms.z_loss != 0) {
      slopes.mul_(1 + 2 * terms.z_loss * log_sums);
    }
    slopes.sub_(smoothing / static_cast<double>(wide.size(1)));
    slopes.scatter_add_(1, labels.ids.unsqueeze(1), at::full_like(label_logits, smoothing - 1));
    if (labels.weights.defined()) {
      slopes.mul_(labels.weights.unsqueeze(1));
    }
    loss.bias_gradient = head.bias.defined() ? slopes.sum(0) : Tensor();
    logits.copy_(slopes);
  }
  return loss;
}

// The same on the CPU, one pass per row while it is in cache.
ChunkLoss fused_loss(
    Tensor& logits, const Head& head, const RowLabels& labels, const EntropyTerms& terms, bool gradient) {
  const int64_t count = logits.size(0);
  const int64_t classes = logits.size(1);
  const Tensor losses = at::empty({count}, on_cpu(at::kFloat));
  const Tensor correct = at::empty({count}, on_cpu(at::kLong));
  const int64_t runs = std::min<int64_t>(at::get_num_threads(), count);
  const Tensor partial = at::zeros({runs, head.bias.defined() && gradient ? classes : 0}, on_cpu(at::kFloat));
  SoftmaxRows rows;
  rows.logits = logits.data_ptr();
  rows.half = logits.scalar_type() == at::kBFloat16;
  rows.gradient = gradient;
  rows.classes = classes;
  rows.bias = head.bias.defined() ? head.bias.const_data_ptr<float>() : nullptr;
  rows.labels = labels.ids.const_data_ptr<int64_t>();
  rows.weights = labels.weights.defined() ? labels.weights.const_data_ptr<float>() : nullptr;
  rows.smoothing = static_cast<float>(terms.label_smoothing);
  rows.z_loss = static_cast<float>(terms.z_loss);
  rows.losses = losses.mutable_data_ptr<float>();
  rows.correct = correct.mutable_data_ptr<int64_t>();
  auto* sums = partial.mutable_data_ptr<float>();
  at::parallel_for(0, runs, 1, [&](int64_t first, int64_t last) {
    for (int64_t run = first; run < last; ++run) {
      softmax_kernels_here().rows(
          rows, count * run / runs, count * (run + 1) / runs, sums + run * partial.size(1));
    }
  });
  const Tensor right = labels.weights.defined() ? correct * labels.weights : correct;
  return {losses.sum(), right.sum(), head.bias.defined() && gradient ? partial.sum(0) : Tensor()};
}

bool fusible_logits(const Tensor& logits) {
  const auto type = logits.scalar_type();
  return logits.is_cpu() && (type == at::kFloat || type == at::kBFloat16);
}

// Gradients for an upstream gradient of 1.
struct Gradients {
  Tensor rows;    // [K, D] in the type of the products
  Tensor weight;  // [V, D] in that type after one chunk, float32 after several
  Tensor bias;    // [V]
};

// total (+)= addend; the first one is taken as it is.
void accumulate(Tensor& total, const Tensor& addend) {
  if (!total.defined()) {
    total = addend;
    return;
  }
  if (total.scalar_type() == at::kBFloat16) {
    total = total.to(at::kFloat);
  }
  total.add_(addend);
}

struct Totals {
  Tensor sum, correct;
  Gradients gradients;
};

struct Chunk {
  Tensor rows;           // [k, D] in the type of the products
  RowLabels labels;      // [k]
  Tensor row_gradients;  // [k, D], to be written; undefined when not wanted
};

// `rows` with rows of zeros below them: the number of labels is another one at every step, and oneDNN
// compiles a kernel for every new shape of a bfloat16 product (milliseconds each). Rounded up, shapes come
// again.
Tensor rounded(const Tensor& rows) {
  constexpr int64_t kStep = 32;
  const int64_t missing = (kStep - rows.size(0) % kStep) % kStep;
  if (missing == 0 || !rows.is_cpu() || rows.scalar_type() != at::kBFloat16) {
    return rows;
  }
  return at::cat({rows, at::zeros({missing, rows.size(1)}, rows.options())});
}

// The loss of a chunk, and its part of the gradients.
void add_chunk(
    Totals& totals, const Chunk& chunk, const Head& head, const EntropyTerms& terms, Wanted wanted) {
  const int64_t count = chunk.rows.size(0);
  const Tensor rows = rounded(chunk.rows);
  const Tensor all_logits = product(rows, head.weight.t());
  Tensor logits = all_logits.narrow(0, 0, count);
  const auto loss_of = fusible_logits(logits) ? fused_loss : plain_loss;
  const ChunkLoss loss = loss_of(logits, head, chunk.labels, terms, wanted.any());
  all_logits.narrow(0, count, rows.size(0) - count).zero_();
  accumulate(totals.sum, loss.sum);
  accumulate(totals.correct, loss.correct);
  if (wanted.rows) {
    Tensor into = chunk.row_gradients;
    into.copy_(product(all_logits, head.weight).narrow(0, 0, count));
  }
  Tensor& weight = totals.gradients.weight;
  if (wanted.weight && weight.defined() && weight.scalar_type() == logits.scalar_type() &&
      logits.scalar_type() != at::kBFloat16) {
    add_product(weight, all_logits.t(), rows);
  } else if (wanted.weight) {
    accumulate(weight, product(all_logits.t(), rows));
  }
  if (wanted.bias) {
    accumulate(totals.gradients.bias, loss.bias_gradient);
  }
}

Totals all_chunks(
    const Tensor& rows, const Head& head, const RowLabels& labels, const EntropyTerms& terms, Wanted wanted) {
  const int64_t count = rows.size(0);
  const int64_t classes = head.weight.size(0);
  const int64_t most =
      std::max(kFewestChunkRows, kChunkBytes / (static_cast<int64_t>(rows.element_size()) * classes));
  const int64_t chunks = (count + most - 1) / most;
  Totals totals;
  Gradients& gradients = totals.gradients;
  gradients.rows = wanted.rows ? at::empty(rows.sizes(), rows.options()) : Tensor();
  for (int64_t i = 0; i < chunks; ++i) {
    const int64_t begin = count * i / chunks;
    const int64_t size = count * (i + 1) / chunks - begin;
    const Tensor into = wanted.rows ? gradients.rows.narrow(0, begin, size) : Tensor();
    const RowLabels part{labels.ids.narrow(0, begin, size),
                         labels.weights.defined() ? labels.weights.narrow(0, begin, size) : Tensor()};
    add_chunk(totals, {rows.narrow(0, begin, size), part, into}, head, terms, wanted);
  }
  if (chunks == 0) {
    const auto type = rows.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
    totals.sum = at::zeros({}, rows.options().dtype(type));
    totals.correct = at::zeros({}, (labels.weights.defined() ? labels.weights : labels.ids).options());
    gradients.weight = wanted.weight ? at::zeros_like(head.weight) : Tensor();
    gradients.bias = wanted.bias ? at::zeros_like(head.bias) : Tensor();
  }
  return totals;
}

// gradient · upstream, in the type of the input that it belongs to.
Tensor scaled(const Tensor& gradient, const Tensor& upstream, at::ScalarType type) {
  if (!gradient.defined()) {
    return gradient;
  }
  if (!fusible_logits(gradient) || type != at::kFloat) {
    return (gradient.to(upstream.scalar_type()) * upstream).to(type);
  }
  const auto factor = upstream.item<float>();
  if (factor == 1 && gradient.scalar_type() == type) {
    return gradient;  // every training step: a loss is a sum
  }
  const Tensor result = at::empty(gradient.sizes(), on_cpu(at::kFloat));
  at::parallel_for(0, gradient.numel(), 1 << 16, [&](int64_t begin, int64_t end) {
    softmax_kernels_here().scale(gradient.const_data_ptr(),
                                 gradient.scalar_type() == at::kBFloat16,
                                 factor,
                                 result.mutable_data_ptr<float>(),
                                 begin,
                                 end);
  });
  return result;
}

// What a call wants besides its tensors.
struct Request {
  RowLabels labels;  // contiguous
  EntropyTerms terms{};
  at::ScalarType product_type = at::kFloat;
  Wanted wanted;
};

class LinearCrossEntropy : public torch::autograd::Function<LinearCrossEntropy> {
 public:
  static variable_list forward(AutogradContext* context,
                               const Tensor& rows,
                               const Tensor& weight,
                               const std::optional<Tensor>& bias,
                               const Request& request) {
    const Head head{weight.to(request.product_type), bias.value_or(Tensor())};
    const Tensor narrow = rows.to(request.product_type).contiguous();
    const Totals totals = all_chunks(narrow, head, request.labels, request.terms, request.wanted);
    const Gradients& gradients = totals.gradients;
    context->save_for_backward({gradients.rows, gradients.weight, gradients.bias});
    context->saved_data["rows"] = static_cast<int64_t>(rows.scalar_type());
    context->saved_data["weight"] = static_cast<int64_t>(weight.scalar_type());
    context->mark_non_differentiable({totals.correct});
    return {totals.sum, totals.correct};
  }

  static variable_list backward(AutogradContext* context, const variable_list& upstream) {
    const auto saved = context->get_saved_variables();
    const auto type = [&](const char* name) {
      return static_cast<at::ScalarType>(context->saved_data[name].toInt());
    };
    return {scaled(saved[0], upstream[0], type("rows")),
            scaled(saved[1], upstream[0], type("weight")),
            scaled(saved[2], upstream[0], type("weight")),
            Tensor()};
  }
};

void check_labels(const Tensor& labels, int64_t classes) {
  if (!labels.is_cpu() || labels.numel() == 0) {
    return;
  }
  const auto [least, largest] = at::aminmax(labels);
  check(least.item<int64_t>() >= 0 && largest.item<int64_t>() < classes,
        "labels are in [{}, {}] but the model's vocabulary has rows [0, {}]",
        least.item<int64_t>(),
        largest.item<int64_t>(),
        classes - 1);
}

}  // namespace

CrossEntropy linear_cross_entropy(const Projection& projection,
                                  const RowLabels& labels,
                                  const EntropyTerms& terms) {
  const auto& [rows, weight, bias] = projection;
  check_labels(labels.ids, weight.size(0));
  const Tensor weights = labels.weights.defined() ? labels.weights.to(at::kFloat).contiguous() : Tensor();
  Request request{.labels = RowLabels(labels.ids.contiguous(), weights),
                  .terms = terms,
                  .product_type = weight.scalar_type(),
                  .wanted = {}};
  if (weight.scalar_type() != at::kDouble) {
    request.product_type = autocast_type(rows.device()).value_or(weight.scalar_type());
  }
  if (at::GradMode::is_enabled()) {
    request.wanted = {rows.requires_grad(), weight.requires_grad(), bias.defined() && bias.requires_grad()};
  }
  const variable_list outputs =
      LinearCrossEntropy::apply(rows, weight, bias.defined() ? std::optional(bias) : std::nullopt, request);
  return {outputs[0], outputs[1]};
}

}  // namespace lmzoo
