// The fused kernels against the plain operators of LibTorch that they replace: forward and backward,
// interleaved, on the shapes of the small recipes (4 layers, width 256, 4 heads, 32 x 128 positions,
// vocabulary 8,000).
//
//   build/release/bench/kernels [--threads N] [--rounds N] [part of a name]
//
// A line a kernel: the least milliseconds of both, and the median of the ratios of neighboring
// measurements. Neither is disturbed much by a neighbor on the machine that comes and goes.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/scaled_dot_product_attention.h>

#include "core/cpu_setup.h"
#include "core/tensor.h"
#include "nn/kernels/attention.h"
#include "nn/kernels/elementwise.h"
#include "nn/kernels/linear.h"
#include "nn/linear_cross_entropy.h"

namespace {

using namespace lmzoo;

struct Contest {
  std::string name;
  std::vector<Tensor> leaves;
  std::function<Tensor()> fused, plain;
};

Tensor leaf(at::IntArrayRef shape, at::ScalarType type = at::kFloat) {
  return at::randn(shape).to(type).requires_grad_();
}

// Seconds of a forward and a backward pass. The gradient is that of a tensor of the output's type, all ones.
double seconds_of(const std::function<Tensor()>& function, std::vector<Tensor>& leaves) {
  for (Tensor& x : leaves) {
    x.mutable_grad() = Tensor();
  }
  const auto start = std::chrono::steady_clock::now();
  const Tensor output = function();
  output.backward(at::ones_like(output));
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void run(Contest& contest, int rounds) {
  std::vector<double> fused;
  std::vector<double> plain;
  std::vector<double> ratios;
  for (int round = -2; round < rounds; ++round) {  // two to warm up
    const double a = seconds_of(contest.fused, contest.leaves);
    const double b = seconds_of(contest.plain, contest.leaves);
    if (round >= 0) {
      fused.push_back(a);
      plain.push_back(b);
      ratios.push_back(b / a);
    }
  }
  std::printf("%-44s fused %8.3f ms   plain %8.3f ms   ratio %5.2f\n",
              contest.name.c_str(),
              1e3 * *std::min_element(fused.begin(), fused.end()),
              1e3 * *std::min_element(plain.begin(), plain.end()),
              median(ratios));
  std::fflush(stdout);
}

struct AttentionShape {
  std::string name;
  int64_t count = 32, length = 128, heads = 4, width = 64;
  MaskKind mask = MaskKind::full;
  double dropout = 0.1;
  bool bias = false;
};

Contest attention_contest(const AttentionShape& s, at::ScalarType type) {
  const HeadShape shape{s.heads, s.heads, s.width};
  const Tensor qkv = leaf({s.count * s.length, 3 * s.heads * s.width}, type);
  const Tensor relative = leaf({s.heads, 2 * s.length - 1});
  const Tensor dense = leaf({1, s.heads, s.length, s.length}, type);
  const auto sequences = Sequences::uniform(s.count, s.length);
  AttentionRule rule{.mask = s.mask, .dropout = s.dropout};
  if (s.bias) {
    rule.bias = relative;
  }
  return {s.name,
          {qkv, relative, dense},
          [=] { return self_attention_qkv(qkv, shape, sequences, rule); },
          [=] {
            const Tensor all = qkv.view({s.count, s.length, 3, s.heads, s.width}).permute({2, 0, 3, 1, 4});
            const auto bias = s.bias ? std::optional<Tensor>(dense) : std::nullopt;
            const bool causal = s.mask == MaskKind::causal;
            const Tensor out =
                at::scaled_dot_product_attention(all[0], all[1], all[2], bias, s.dropout, causal);
            return out.transpose(1, 2).reshape({s.count * s.length, -1});
          }};
}

constexpr int64_t kRows = 4096;
constexpr int64_t kWidth = 256;
constexpr int64_t kFfn = 1024;

Contest residual_contest(at::ScalarType type, NormPlacement placement) {
  const Tensor x = leaf({kRows, kWidth}, type);
  const Tensor residual = leaf({kRows, kWidth});
  const Tensor weight = leaf({kWidth});
  const Tensor bias = leaf({kWidth});
  const bool post = placement == NormPlacement::post;
  return {post ? "dropout + residual + norm (post)" : "dropout + residual + norm (pre)",
          {x, residual, weight, bias},
          [=] {
            const Normed result =
                dropout_add_norm({x, {}, residual, 0.1}, {NormKind::layer, weight, bias, 1e-5}, placement);
            return result.normed.to(at::kFloat) + result.stream;
          },
          [=] {
            const Tensor sum = residual + at::dropout(x, 0.1, true);
            const Tensor normed = at::layer_norm(sum, {kWidth}, weight, bias);
            return normed.to(type).to(at::kFloat) + (post ? normed : sum);
          }};
}

Contest gelu_contest(at::ScalarType type, bool tanh) {
  const Tensor x = leaf({kRows, kFfn}, type);
  const Tensor bias = leaf({kFfn});
  return {tanh ? "bias + gelu (tanh)" : "bias + gelu (erf)",
          {x, bias},
          [=] {
            return activate({x, bias, 0}, tanh ? Activation::gelu_tanh : Activation::gelu);
          },
          [=] { return at::gelu(x + bias.to(type), tanh ? "tanh" : "none"); }};
}

Contest relu_dropout_contest(at::ScalarType type) {
  const Tensor x = leaf({kRows, kFfn}, type);
  return {"relu + dropout",
          {x},
          [=] {
            return activate({x, {}, 0.1}, Activation::relu);
          },
          [=] { return at::dropout(at::relu(x), 0.1, true); }};
}

Contest gated_contest(at::ScalarType type) {
  const Tensor x = leaf({kRows, 2 * kFfn}, type);
  return {"geglu + dropout",
          {x},
          [=] {
            return gated({x, {}, 0.1}, Activation::gelu_tanh);
          },
          [=] {
            const auto halves = x.chunk(2, -1);
            return at::dropout(at::gelu(halves[0], "tanh") * halves[1], 0.1, true);
          }};
}

Contest rms_contest(at::ScalarType type) {
  const Tensor x = leaf({kRows, kWidth});
  const Tensor weight = leaf({kWidth});
  return {"rms norm",
          {x, weight},
          [=] {
            return norm(x, {NormKind::rms, weight, {}, 1e-6}).to(at::kFloat);
          },
          [=] {
            const Tensor inverse = at::rsqrt(x.square().mean(-1, true) + 1e-6);
            return (x * inverse * weight).to(type).to(at::kFloat);
          }};
}

// Autocast is on for bfloat16, so both products are in it.
Contest cross_entropy_contest(const std::string& name, int64_t rows, int64_t classes) {
  const Tensor x = leaf({rows, kWidth});
  const Tensor weight = (at::randn({classes, kWidth}) / 16).requires_grad_();
  const Tensor labels = at::randint(classes, {rows}, at::kLong);
  return {name,
          {x, weight},
          [=] {
            return linear_cross_entropy({x, weight, {}}, labels).sum / rows;
          },
          [=] { return at::cross_entropy_loss(at::linear(x, weight).to(at::kFloat), labels); }};
}

// Another number of rows at every call, as packed batches have it.
Contest linear_contest(at::ScalarType type) {
  const Tensor x = leaf({2048, 192}, type);
  const Tensor weight = leaf({768, 192});
  const auto ragged = [=](auto function) {
    return [=, rows = int64_t{1700}]() mutable { return function(x.narrow(0, 0, ++rows)); };
  };
  return {"linear 192 -> 768, ragged batches",
          {x, weight},
          ragged([=](const Tensor& rows) { return linear_rows(rows, weight, {}); }),
          ragged([=](const Tensor& rows) { return at::linear(rows, weight); })};
}

std::vector<Contest> contests(at::ScalarType type) {
  return {
      attention_contest({.name = "attention L128 Dh64"}, type),
      attention_contest({.name = "attention L128 Dh64, no dropout", .dropout = 0}, type),
      attention_contest({.name = "attention L128 Dh64 causal", .mask = MaskKind::causal}, type),
      attention_contest(
          {.name = "attention L128 Dh64 causal, no dropout", .mask = MaskKind::causal, .dropout = 0}, type),
      attention_contest({.name = "attention L64 Dh32", .count = 64, .length = 64, .heads = 8, .width = 32},
                        type),
      attention_contest({.name = "attention L512 Dh64", .count = 8, .length = 512}, type),
      attention_contest({.name = "attention L512 Dh64, no dropout", .count = 8, .length = 512, .dropout = 0},
                        type),
      attention_contest(
          {.name = "attention L512 Dh64 relative bias", .count = 8, .length = 512, .bias = true}, type),
      residual_contest(type, NormPlacement::pre),
      residual_contest(type, NormPlacement::post),
      gelu_contest(type, false),
      gelu_contest(type, true),
      relu_dropout_contest(type),
      gated_contest(type),
      rms_contest(type),
      linear_contest(type),
      cross_entropy_contest("linear + cross-entropy K614 V8000", 614, 8000),
      cross_entropy_contest("linear + cross-entropy K4096 V8000", 4096, 8000),
      cross_entropy_contest("linear + cross-entropy K614 V30522", 614, 30522)};
}

}  // namespace

int main(int argc, char** argv) {
  int64_t threads = 0;
  int rounds = 11;
  std::string part;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--threads" && i + 1 < argc) {
      threads = std::atoll(argv[++i]);
    } else if (argument == "--rounds" && i + 1 < argc) {
      rounds = std::atoi(argv[++i]);
    } else {
      part = argument;
    }
  }
  std::printf("%s, %ld threads\n", lmzoo::cpu_name().c_str(), lmzoo::set_up_cpu(threads));
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    std::printf("%s\n", type == at::kFloat ? "float32" : "bfloat16 autocast");
    at::autocast::set_autocast_enabled(at::kCPU, type == at::kBFloat16);
    for (Contest& contest : contests(type)) {
      if (contest.name.find(part) != std::string::npos) {
        run(contest, rounds);
      }
      at::autocast::clear_cache();
    }
  }
  return 0;
}
