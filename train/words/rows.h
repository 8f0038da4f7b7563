// The rows that one thread trains in a round: a few hundred words of text.
//
// A round first collects which rows it needs (in the order in which it meets them, each once), then computes
// on them. So what a group brings that the round has not met before is a range, which the kernels fetch
// ahead; and in the fixed schedule of deterministic training the threads know, before they compute, which
// rows several of them change. Only those are copied, each thread changes its copy, and the changes are added
// in the order of the threads; all other rows are changed in place, as nobody else looks at them.
//
// Adding up is right for rows that a round hardly moves, and wrong for those that it moves all the way to
// where its words want them (the nodes near the root of the tree): N threads would go N times as far, and
// diverge. If k uses pull a row by a share p = 1 - e^(-r k) of the way, N threads in turn pull it by
// 1 - (1 - p)^N; so the sum of the changes is multiplied by that over N p: about 1 for small k, 1 / N for
// large ones.
//
// Rows 0..V-1 are the inputs (`tokens`), V..2V-1 the outputs, and those from 2V on the buckets of n-grams.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "nn/words/scratch.h"

namespace lmzoo {

struct WordTables {
  float* inputs = nullptr;
  float* outputs = nullptr;
  int64_t words = 0;   // V
  int64_t stride = 0;  // floats of a row
  float* ngrams = nullptr;
  int64_t buckets = 0;

  int64_t rows() const { return 2 * words + buckets; }
  float* row(int64_t number) const {
    return number < words       ? inputs + number * stride
           : number < 2 * words ? outputs + (number - words) * stride
                                : ngrams + (number - 2 * words) * stride;
  }
};

// Which rows more than one thread needs in a round.
class RowClaims {
 public:
  explicit RowClaims(int64_t rows) : marks_(static_cast<size_t>(rows)) {}

  // Once for each thread that needs the row, from any thread.
  void claim(int64_t row, uint32_t round) {
    std::atomic<uint32_t>& mark = marks_[static_cast<size_t>(row)];
    uint32_t seen = mark.load(std::memory_order_relaxed);
    const bool is_first = (seen | 1) != (2 * round | 1);
    if (!is_first || !mark.compare_exchange_strong(seen, 2 * round, std::memory_order_relaxed)) {
      mark.store(2 * round | 1, std::memory_order_relaxed);
    }
  }
  // When all have claimed. (A mark that is 2³¹ rounds old may say so too: that costs a copy and changes no
  // bit.)
  bool is_shared(int64_t row, uint32_t round) const {
    return marks_[static_cast<size_t>(row)].load(std::memory_order_relaxed) == (2 * round | 1);
  }

 private:
  std::vector<std::atomic<uint32_t>> marks_;
};

class RoundRows {
 public:
  explicit RoundRows(const WordTables& tables)
      : tables_(tables), places_(static_cast<size_t>(tables.rows())) {}

  void begin();
  // The row's place in the round's list.
  int32_t collect(int64_t row) {
    const int32_t place = places_[static_cast<size_t>(row)];
    if (!is_at(place, row)) {
      return append(row);
    }
    ++uses_[static_cast<size_t>(place)];
    return place;
  }
  int32_t count() const { return static_cast<int32_t>(numbers_.size()); }

  // Then either all rows in place,
  void locate();
  // or, with other threads: claims, all threads wait for each other, copies, and after all have trained and
  // waited again, merge, which brings what the threads changed together; `all` are the threads' rows.
  void claim(RowClaims& claims, uint32_t round) const;
  void locate(const RowClaims& claims, uint32_t round);
  void merge(std::span<const RoundRows> all, size_t own, float lr);

  // [count()]: where the rows are. Valid until the next begin().
  float* const* located() const { return located_.data(); }

 private:
  // `place` may be left over from an earlier round, or never set.
  bool is_at(int32_t place, int64_t row) const {
    return place < count() && numbers_[static_cast<size_t>(place)] == row;
  }
  int32_t append(int64_t row);
  float* find(int64_t row) const;  // null when the round does not need it
  float* copy_row(int64_t row);

  WordTables tables_;
  std::vector<int32_t> places_;   // of each row of the tables
  std::vector<int64_t> numbers_;  // of the rows of the round
  std::vector<int32_t> uses_;     // by its groups
  std::vector<float*> located_;
  std::vector<int64_t> copied_;       // those of which the round has copies
  std::vector<Floats64> blocks_;      // of copies
  std::vector<const float*> copies_;  // of a row that is merged
};

}  // namespace lmzoo
