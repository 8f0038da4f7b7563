// How much memory there is, so that what cannot fit is refused before anything is made.
#pragma once

#include <cstdint>
#include <string>

namespace lmzoo {

// Bytes that this process may take at most: the machine's memory and swap, or less where a control group (a container)
// or `ulimit -v` says so. Not what is free just now.
uint64_t usable_memory();

// The least limit of the control groups named in `membership` (the text of /proc/self/cgroup) below `root`
// (/sys/fs/cgroup), versions 1 and 2; the largest number when none limits.
uint64_t control_group_limit(const std::string& membership, const std::string& root);

}  // namespace lmzoo
