// The records of a corpus on several threads, in no order: for counting.
#pragma once

#include <functional>
#include <string_view>

#include "base/progress.h"
#include "text/source.h"

namespace lmzoo {

// Calls use(worker, text) once for each record, with worker in [0, threads); calls of one worker do not
// overlap. The same records as for_each_record() gives. Plain files of lines are mapped and read by all
// workers at once. Where one of the files is compressed or has another format, records come from a single
// reader, worker 0, who hands them to the others in blocks.
void for_each_record_in_parallel(const TextOptions& options,
                                 int threads,
                                 const std::function<void(int, std::string_view)>& use,
                                 const Progress& progress = {});

// use(0) ... use(threads - 1), each on a thread of its own; the first exception is thrown again here.
void run_on_threads(int threads, const std::function<void(int)>& use);

}  // namespace lmzoo
