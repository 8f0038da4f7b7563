// Races that are meant, for ThreadSanitizer. Threads that train word vectors change rows of one table without locks, and
// lose an update now and then (Hogwild; docs/decisions/003-word-vectors.md). Relaxed atomics would say so in the language,
// but a vector of 16 floats cannot be loaded or stored as one: the kernels would become loops over single floats.
#pragma once

#if defined(__SANITIZE_THREAD__)
extern "C" {
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
void AnnotateIgnoreWritesBegin(const char* file, int line);
void AnnotateIgnoreWritesEnd(const char* file, int line);
}
#endif

namespace lmzoo {

// While it lives, what this thread reads and writes takes part in no race. Without the sanitizer it is nothing.
class RacesOnPurpose {
 public:
#if defined(__SANITIZE_THREAD__)
  RacesOnPurpose() {
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
  }
  ~RacesOnPurpose() {
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
  }
#else
  RacesOnPurpose() {}
  ~RacesOnPurpose() {}
#endif
  RacesOnPurpose(const RacesOnPurpose&) = delete;
  RacesOnPurpose& operator=(const RacesOnPurpose&) = delete;
};

}  // namespace lmzoo
