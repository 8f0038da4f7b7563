// The flags that every question to vectors of words has, and the table they mean.
#pragma once

#include "base/check.h"
#include "base/utf8.h"
#include "cli/flags.h"
#include "cli/query_flags.h"
#include "infer/vectors/source.h"

namespace lmzoo {

// RUN, --layer, --words, --limit, and those of every query.
void add_vector_flags(Flags& flags);
VectorTable load_query_table(const Flags& flags, const Registry& registry);

// --candidates and --exact-case, for tests of word vectors.
void add_lookup_flags(Flags& flags);
int64_t candidates_of(const Flags& flags);

// The value of a flag that names one of an enum.
template <class E>
E choice_of(const Flags& flags, const std::string& name, E fallback) {
  if (!flags.has(name)) {
    return fallback;
  }
  Strings names;
  for (const auto& [value, known] : EnumNames<E>::values) {
    if (known == flags.text(name)) {
      return value;
    }
    names.emplace_back(known);
  }
  throw InputError(
      fmt::format("--{}: expected one of {}, got '{}'", name, joined(names), printable(flags.text(name))));
}

// "0.123", for people.
std::string three_digits(double value);
std::string padded(const std::string& text, size_t columns);  // UTF-8 characters count as one column

}  // namespace lmzoo
