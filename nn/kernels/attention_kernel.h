// The fused attention kernels behind attention.h, without LibTorch: compiled once per instruction set.
#pragma once

#include <cstdint>

#include "nn/kernels/dropout_mask.h"

namespace lmzoo {

// A packed matrix of heads in memory: element (position, head, d) is at position·row + head·head_step + d.
struct HeadMatrix {
  void* data = nullptr;  // float or bfloat16, as AttentionProblem::half says
  int64_t row = 0;
  int64_t head_step = 0;
};

// Farther than any sequence reaches, and small enough to be added to positions.
inline constexpr int64_t kNoWindow = int64_t{1} << 40;

// Legend: as attention.h.
struct AttentionProblem {
  HeadMatrix q, k, v, out;
  HeadMatrix dout, dq, dk, dv;            // backward only
  float* lse = nullptr;                   // [M, H] log of the sum of exponentials of each row of scores
  const int64_t* query_starts = nullptr;  // [n+1]
  const int64_t* key_starts = nullptr;    // [n+1]
  const int64_t* key_counts = nullptr;  // [n] or null: keys of each sequence, where they do not fill the room
                                        //   up to the next start
  const int64_t* prefix = nullptr;      // [n] or null
  int64_t heads = 0, key_heads = 0, width = 0;
  int64_t longest_keys = 0;
  bool half = false;           // bfloat16 instead of float
  bool causal = false;         // MaskKind::causal and MaskKind::prefix
  int64_t behind = kNoWindow;  // keys from `behind` positions before a query's own on ...
  int64_t ahead = kNoWindow;   //   ... to `ahead` positions after it, whatever else the mask shows
  const float* bias = nullptr;  // entry (h, i, j) is at h·bias_head + i·bias_row + j, or, when bias_row is -1
  int64_t bias_head = 0;        //   (relative), at h·bias_head + bias_middle - position(i) + j
  int64_t bias_row = 0;
  int64_t bias_middle = 0;
  float scale = 1;
  DropoutMask dropout;
};

// Floats of scratch memory one call needs.
using AttentionScratch = int64_t (*)(const AttentionProblem& problem);
// One sequence and one key head with its query heads. `bias_gradient` is laid out as the bias and added to,
// or null.
using AttentionForward = void (*)(const AttentionProblem& problem,
                                  int64_t sequence,
                                  int64_t key_head,
                                  float* scratch);
using AttentionBackward = void (*)(const AttentionProblem& problem,
                                   int64_t sequence,
                                   int64_t key_head,
                                   float* scratch,
                                   float* bias_gradient);

struct AttentionKernels {
  AttentionScratch scratch;
  AttentionForward forward;
  AttentionBackward backward;
};

namespace generic {
AttentionKernels attention_kernels();
}
namespace avx2 {
AttentionKernels attention_kernels();
}
namespace avx512 {
AttentionKernels attention_kernels();
}

}  // namespace lmzoo
