#include "train/exchange/huggingface/weight_copy.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include "core/tensor_file.h"

namespace lmzoo {
namespace {

// Rows of the target that a thread takes at once.
struct Piece {
  const WeightCopy* copy = nullptr;
  int64_t first = 0, last = 0;
};

// Rows of a piece: enough work to be worth fetching, little enough to share evenly.
constexpr int64_t kPieceElements = int64_t{1} << 20;
// Both sides of a tile of the transposition stay in the first-level cache.
constexpr int64_t kTile = 32;

float element(const std::byte* bytes, int64_t index) {
  float value = 0;
  std::memcpy(&value, bytes + index * static_cast<int64_t>(sizeof value), sizeof value);
  return value;
}

void copy_rows(const Piece& piece) {
  const int64_t rows = piece.copy->target.size(0);
  const int64_t width = rows == 0 ? 0 : piece.copy->target.numel() / rows;
  float* target = piece.copy->target.mutable_data_ptr<float>() + piece.first * width;
  const std::byte* source = piece.copy->view->bytes.data();
  if (!piece.copy->transposed) {
    const size_t row_bytes = static_cast<size_t>(width) * sizeof(float);
    std::memcpy(target,
                source + static_cast<size_t>(piece.first) * row_bytes,
                static_cast<size_t>(piece.last - piece.first) * row_bytes);
    return;
  }
  for (int64_t row = piece.first; row < piece.last; row += kTile) {
    const int64_t row_end = std::min(row + kTile, piece.last);
    for (int64_t column = 0; column < width; column += kTile) {
      const int64_t column_end = std::min(column + kTile, width);
      for (int64_t r = row; r < row_end; ++r) {
        for (int64_t c = column; c < column_end; ++c) {
          target[(r - piece.first) * width + c] = element(source, c * rows + r);
        }
      }
    }
  }
}

void add_pieces(const WeightCopy& copy, std::vector<Piece>& pieces) {
  const int64_t rows = copy.target.size(0);
  const int64_t step = std::max(kTile, kPieceElements * rows / std::max<int64_t>(1, copy.target.numel()));
  for (int64_t first = 0; first < rows; first += step) {
    pieces.push_back({&copy, first, std::min(first + step, rows)});
  }
}

}  // namespace

bool is_float_type(Dtype dtype) {
  return dtype == Dtype::f32 || dtype == Dtype::f64 || dtype == Dtype::bf16 || dtype == Dtype::f16;
}

void copy_weights(std::span<const WeightCopy> copies) {
  const at::NoGradGuard no_grad;
  std::vector<Piece> pieces;
  for (const WeightCopy& copy : copies) {
    if (copy.view->dtype == Dtype::f32 && copy.target.dim() > 0) {
      add_pieces(copy, pieces);
      continue;
    }
    const Tensor source = to_tensor(*copy.view, "");
    Tensor target = copy.target;
    target.copy_(copy.transposed ? source.t() : source);
  }
  std::atomic<size_t> next = 0;
  at::parallel_for(0, at::get_num_threads(), 1, [&](int64_t, int64_t) {
    for (size_t i = next++; i < pieces.size(); i = next++) {
      copy_rows(pieces[i]);
    }
  });
}

}  // namespace lmzoo
