// Lists and near misses of names, for messages.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lmzoo {

// "did you mean 'x'?" or "" : the known name nearest in edit distance, when it is near (at most a third of
// it).
std::string suggestion(const std::string& given, const std::vector<std::string>& known);
// A to Z become a to z, everything else stays.
std::string lower_ascii(std::string_view text);
// "12,345,678"
std::string grouped(int64_t number);
// "a, b, c"
std::string joined(const std::vector<std::string>& names);

}  // namespace lmzoo
