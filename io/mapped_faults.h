// Files that become shorter while they are mapped: the kernel answers a read of what is gone with SIGBUS, whose handler
// can neither throw nor go on. It tells which file it was, and ends the program as for any other wrong input.
#pragma once

#include <cstddef>
#include <string>

namespace lmzoo {

// A mapping that the handler knows.
struct MappedRange;
MappedRange* note_mapping(const void* begin, size_t size, const std::string& path);
void forget_mapping(MappedRange* range);  // before it is unmapped

// Handles SIGBUS from now on: one line on standard error and exit code 2 when it comes of a mapped file.
void tell_of_files_that_shrink();

}  // namespace lmzoo
