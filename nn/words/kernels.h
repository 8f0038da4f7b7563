// One update of word vectors, in place: the inner loop of word2vec. Four ways to train (skip-gram or CBOW,
// negative sampling or hierarchical softmax) need two kernels:
//
//   pairs   every input with every output (skip-gram: inputs are the words around, outputs the word itself
//           and the negatives, or the inner nodes of the tree)
//   bag     the sum or mean of the inputs with every output (CBOW)
//
// Each output t has a label y_t, 1 or 0. With s_bt = x_b · o_t and g_bt = lr · m_b · n_t · (y_t - σ(s_bt)):
//   pairs:  x_b += Σ_t g_bt o_t,      o_t += Σ_b g_bt x_b       all right-hand sides are old values,
//   bag:    h = scale · Σ_b m_b x_b,  x_b += m_b Σ_t g_t o_t,   o_t += g_t h
// which is a step of gradient descent on the sum of the logistic losses. (In `bag` with scale 1/C the inputs
// get the gradient of the sum, as word2vec.c and gensim have it, not that of the mean.) m_b and n_t count how
// often a row stands in the group: rows of a group are distinct.
//
// Rows have `stride` floats, a multiple of kRowFloats, aligned to 64 bytes; those beyond the width are zero
// and stay so. Other threads may change rows meanwhile (Hogwild; Niu et al. 2011): a few of their updates are
// then lost. Each instruction set has its own translation; the `reference` is plain loops.
//
// Legend: B inputs, T outputs.
#pragma once

#include <cstdint>

namespace lmzoo {

inline constexpr int64_t kRowFloats = 16;
constexpr int64_t padded_width(int64_t width) { return (width + kRowFloats - 1) / kRowFloats * kRowFloats; }

// exact: 1 / (1 + e^-x). table: word2vec's 1000 cells on [-6, 6], and 0 or 1 outside. table_or_skip: outside
// there is no update at all, as word2vec's hierarchical softmax has it.
enum class SigmoidKind { exact, table, table_or_skip };

struct WordGroup {
  float* const* inputs;       // [B] rows
  const float* input_times;   // [B] m
  float* const* outputs;      // [T] rows
  const float* output_times;  // [T] n
  const float* labels;        // [T] 0 or 1
  int64_t input_count;        // B
  int64_t output_count;       // T
  // Rows that the next group needs: asked for a line at a time between the sums of this one, so that the
  // memory is busy all the time and never asked for too much at once.
  const float* const* next = nullptr;
  int64_t next_count = 0;
};

struct WordStep {
  int64_t stride = 0;
  float lr = 0;
  SigmoidKind sigmoid = SigmoidKind::exact;
  float scale = 1;  // bag: 1, or 1 / Σ m
};

inline constexpr int64_t kMostOutputs = 1024;  // of a group
inline constexpr int64_t kMostInputs = 512;    // of a group: the words around on both sides

// Memory of one thread (scratch.h makes it).
struct KernelScratch {
  float* scores = nullptr;     // [B, T] of the last step: s_bt (bag: [T])
  float* gradients = nullptr;  // [B, T]: g_bt
  float* rows = nullptr;       // [B or 2, stride]
};

struct WordKernels {
  void (*pairs)(const WordGroup&, const WordStep&, KernelScratch&);
  void (*bag)(const WordGroup&, const WordStep&, KernelScratch&);
};
const WordKernels& word_kernels();       // for this CPU (core/isa.h)
const WordKernels& reference_kernels();  // plain loops, for tests

// word2vec.c's table of sigmoids; [1000].
const float* sigmoid_table();

}  // namespace lmzoo
