// Is what lies on the disk still what was written? Training finds damage where it reads; this reads
// everything.
#pragma once

#include <string>
#include <vector>

#include "core/registry.h"
#include "io/json.h"

namespace lmzoo {

struct Examined {
  std::string path;
  std::string damage{};  // empty: whole
  std::string note{};    // what was not, or could not be, looked at
};

// Of a run: configuration, classes, tokenizer, metrics, every checkpoint with its files, and the token stores
// of its texts in its cache. `path` may also be a checkpoint folder or a token store. InputError when it is
// none of these.
std::vector<Examined> examine(const std::string& path, const Registry& registry);

Json to_json(const std::vector<Examined>& examined);
std::string to_text(const std::vector<Examined>& examined);  // a line a file

}  // namespace lmzoo
