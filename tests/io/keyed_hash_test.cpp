#include "io/keyed_hash.h"

#include <set>
#include <string>

#include "support/catch.h"

using namespace lmzoo;

TEST_CASE("SipHash-1-3 is that of CPython 3.11 (PYTHONHASHSEED=0, hash(b'...'))") {
  CHECK(siphash("a", 0, 0) == 4644417185603328019u);
  CHECK(siphash("abcdefg", 0, 0) == 7904145750247929094u);
  CHECK(siphash("abcdefgh", 0, 0) == 4574395652268504554u);
  CHECK(siphash("abcdefghi", 0, 0) == 17913969820989044453u);
  CHECK(siphash("The quick brown fox jumps over the lazy dog", 0, 0) == 10229494255719302430u);
}

TEST_CASE("the hash of tables depends on every byte, and knows empty texts") {
  const KeyedHash hash;
  std::set<size_t> seen{hash(""), hash({})};
  CHECK(seen.size() == 1);
  for (size_t length = 1; length <= 32; ++length) {
    seen.insert(hash(std::string(length, '\0')));
  }
  CHECK(seen.size() == 33);
  CHECK(hash("name") == hash(std::string("name")));
}
