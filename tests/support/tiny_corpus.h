// A corpus that is large enough to train a tokenizer on, and small enough to do so in milliseconds.
#pragma once

#include <string>

#include "support/files.h"
#include "text/source.h"

namespace lmzoo::test {

// Some hundred sentences with all of printable ASCII among them.
inline std::string tiny_corpus_text() {
  const char* subjects[] = {"the dog", "a cat", "my old friend", "the quick brown fox", "she", "nobody"};
  const char* verbs[] = {"jumps over", "walks to", "sees", "is waiting for", "writes about"};
  const char* objects[] = {
      "the lazy dog", "a small house", "his broken window", "the river", "an unusual story"};
  std::string text;
  for (const char* subject : subjects) {
    for (const char* verb : verbs) {
      for (const char* object : objects) {
        text += std::string(subject) + " " + verb + " " + object + ".\n";
      }
    }
  }
  for (char c = '!'; c <= '~'; ++c) {
    text += std::string(1, c) + " ";
  }
  return text + "\n";
}

inline TextOptions tiny_corpus(const TempDir& dir) {
  write_file(dir / "corpus.txt", tiny_corpus_text());
  return {.files = {dir / "corpus.txt"}};
}

}  // namespace lmzoo::test
