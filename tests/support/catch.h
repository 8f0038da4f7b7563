// The only place that includes Catch2 (v2, single header), so that a move to v3 is one edit.
#pragma once

#include <catch2/catch.hpp>

// Catch2 v2 cannot skip: says why, loudly, and leaves the test.
#define LMZOO_SKIP(reason)         \
  do {                             \
    WARN("skipped: " << (reason)); \
    return;                        \
  } while (false)
