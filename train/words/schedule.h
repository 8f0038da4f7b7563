// Which thread trains which words when.
//
//   freely     threads take steps as they come and change the tables at once, without locks: the fastest, and
//              another result each time (with one thread always the same)
//   in rounds  thread i of N takes steps i, i + N, ...; in each of kRounds rounds of a step all threads train
//              the next part of theirs, from the same tables, and then their changes are added. The result
//              depends on the seed and N and on nothing else.
#pragma once

#include <cstdint>
#include <functional>

#include "train/words/worker.h"

namespace lmzoo {

struct WordSchedule {
  const WordTask& task;
  const WordCorpus& corpus;
  WordTables tables;
  int64_t threads = 1;
  int64_t total = 0;  // steps of the run
  std::function<WordStepPlan(int64_t step)> plan;
  std::function<bool()> stop;                                                    // asked between steps
  std::function<void(int64_t step, float lr, const WordStepSums& sums)> finish;  // from any thread
};

// Steps from `begin` on until `end`, or until `stop`; every step that was begun is finished.
void train_freely(const WordSchedule& schedule, int64_t begin, int64_t end);
// The same; but goes on to the next multiple of the number of threads.
void train_in_rounds(const WordSchedule& schedule, int64_t begin, int64_t end);

}  // namespace lmzoo
