// The kernels of word vectors on every instruction set of this CPU, against the plain loops.
#include <cmath>
#include <cstring>
#include <random>

#include "core/isa.h"
#include "nn/words/scratch.h"
#include "support/catch.h"

using namespace lmzoo;

namespace {

// B inputs and T outputs with random rows and multiplicities.
class StepCase {
 public:
  StepCase(int64_t B, int64_t T, int64_t width, uint64_t seed, float size = 0.5F)
      : stride(padded_width(width)), B_(B), T_(T), memory_(aligned_floats((B + T) * stride)) {
    std::mt19937_64 random(seed);
    std::uniform_real_distribution<float> uniform(-size, size);
    std::memset(memory_.get(), 0, sizeof(float) * static_cast<size_t>((B + T) * stride));
    for (int64_t row = 0; row < B + T; ++row) {
      float* begin = memory_.get() + row * stride;
      for (int64_t i = 0; i < width; ++i) {
        begin[i] = uniform(random);
      }
      (row < B ? inputs_ : outputs_).push_back(begin);
    }
    for (int64_t b = 0; b < B; ++b) {
      input_times_.push_back(static_cast<float>(1 + random() % 2));
    }
    for (int64_t t = 0; t < T; ++t) {
      output_times_.push_back(static_cast<float>(1 + random() % 3));
      labels_.push_back(static_cast<float>(random() % 2));
    }
  }

  WordGroup group() const {
    return {
        inputs_.data(), input_times_.data(), outputs_.data(), output_times_.data(), labels_.data(), B_, T_};
  }
  std::vector<float> values() const { return {memory_.get(), memory_.get() + (B_ + T_) * stride}; }

  int64_t stride;

 private:
  int64_t B_, T_;
  Floats64 memory_;
  std::vector<float*> inputs_, outputs_;
  std::vector<float> input_times_, output_times_, labels_;
};

// Largest difference of anything that a step writes.
double difference(const std::vector<float>& a, const std::vector<float>& b) {
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - b[i]));
  }
  return largest;
}

}  // namespace

TEST_CASE("fast kernels of word vectors make the step of the reference") {
  const Isa allowed = GENERATE(Isa::generic, Isa::avx2, Isa::avx512);
  const SigmoidKind sigmoid = GENERATE(SigmoidKind::exact, SigmoidKind::table, SigmoidKind::table_or_skip);
  const bool bag = GENERATE(false, true);
  const ScopedIsa scope(allowed);
  INFO(name_of(isa()) << (bag ? " bag" : " pairs"));
  for (const int64_t width : {1, 16, 50, 100, 300}) {
    for (const int64_t B : {1, 2, 3, 5, 10}) {
      for (const int64_t T : {0, 1, 2, 5, 6, 7, 9, 16, 21}) {
        StepCase fast(B, T, width, 1);
        StepCase slow(B, T, width, 1);
        OwnedScratch scratch(B, T + 1, fast.stride);
        OwnedScratch other(B, T + 1, fast.stride);
        const WordStep step{
            .stride = fast.stride, .lr = 0.1F, .sigmoid = sigmoid, .scale = bag ? 0.25F : 1.0F};
        (bag ? word_kernels().bag : word_kernels().pairs)(fast.group(), step, scratch.get());
        (bag ? reference_kernels().bag : reference_kernels().pairs)(slow.group(), step, other.get());
        // The table has steps of 0.003: a score that rounds to the other side of one moves rows by up to
        // that.
        const double bound = sigmoid == SigmoidKind::exact ? 2e-6 : 5e-3;
        INFO("width " << width << " B " << B << " T " << T);
        CHECK(difference(fast.values(), slow.values()) < bound);
        const std::vector<float> scores(scratch.get().scores, scratch.get().scores + (bag ? T : B * T));
        const std::vector<float> expected(other.get().scores, other.get().scores + (bag ? T : B * T));
        CHECK(difference(scores, expected) < 2e-5);
      }
    }
  }
}

TEST_CASE("scores far outside ±6 are exact, 0 or 1, or skipped") {
  const Isa allowed = GENERATE(Isa::generic, Isa::avx2, Isa::avx512);
  const ScopedIsa scope(allowed);
  for (const SigmoidKind kind : {SigmoidKind::exact, SigmoidKind::table, SigmoidKind::table_or_skip}) {
    StepCase fast(4, 6, 64, 3, 3);
    StepCase slow(4, 6, 64, 3, 3);
    OwnedScratch scratch(4, 6, 64);
    const WordStep step{.stride = 64, .lr = 0.1F, .sigmoid = kind};
    word_kernels().pairs(fast.group(), step, scratch.get());
    bool outside = false;
    for (int i = 0; i < 24; ++i) {
      const float score = scratch.get().scores[i];
      outside |= std::abs(score) > 20;
      CHECK(std::isfinite(scratch.get().gradients[i]));
      if (std::abs(score) > 6 && kind == SigmoidKind::table_or_skip) {
        CHECK(scratch.get().gradients[i] == 0);
      }
    }
    CHECK(outside);
    reference_kernels().pairs(slow.group(), step, scratch.get());
    CHECK(difference(fast.values(), slow.values()) < (kind == SigmoidKind::exact ? 1e-4 : 5e-3));
  }
}

TEST_CASE("the padding of rows stays zero") {
  StepCase rows(5, 6, 100, 4);
  OwnedScratch scratch(5, 6, rows.stride);
  word_kernels().pairs(rows.group(), {.stride = rows.stride, .lr = 0.1F}, scratch.get());
  const auto values = rows.values();
  for (size_t row = 0; row < 11; ++row) {
    for (int64_t i = 100; i < rows.stride; ++i) {
      CHECK(values[row * static_cast<size_t>(rows.stride) + static_cast<size_t>(i)] == 0);
    }
  }
}
