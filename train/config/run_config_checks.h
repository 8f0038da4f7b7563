// What the sections of a configuration say once each of them could be read.
#pragma once

#include <algorithm>
#include <initializer_list>

#include "train/config/run_config.h"
#include "train/yaml/bind.h"

namespace lmzoo {

// A check of what several sections say together, where all of them could be read; a mistake belongs to the first.
template <class Check>
void collect_check(ErrorList& errors, std::initializer_list<const char*> sections, const Check& check) {
  if (std::all_of(
          sections.begin(), sections.end(), [&](const char* name) { return errors.is_sound(name); })) {
    errors.collect(*sections.begin(), check);
  }
}

// Every check that needs no data, into `errors`. Settings of word vectors are settled on the way.
void check_meaning(LoadedConfig& loaded, ReadFor purpose, ErrorList& errors);

}  // namespace lmzoo
