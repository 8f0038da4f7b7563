// JSON from untrusted bytes: size, depth and duplicate keys are limited while it is read, not after. Objects
// keep their order. Errors are `file:line:col: reason`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/error.h"

namespace lmzoo {

using Json = nlohmann::ordered_json;

struct JsonLimits {
  size_t bytes = size_t{64} << 20;
  size_t depth = 64;
  size_t values = 4'000'000;  // each takes 16 bytes and more
};

// Refuses what JSON does not allow (NUL, comments, NaN, trailing bytes), invalid UTF-8, duplicate keys,
// numbers beyond a double and anything over the limits. `file` is only for messages.
Json parse_json(std::string_view text, const std::string& file, const JsonLimits& limits = {});
// The same for one line of a JSON-lines file: errors tell that line's number.
Json parse_json_line(std::string_view text, const Location& line, const JsonLimits& limits = {});
Json read_json(const std::string& path, const JsonLimits& limits = {});

// The events of a document, for readers that build their own tables without a tree in between. A handler
// refuses by throwing InputError without a location: the parser adds where it stands.
class JsonHandler {
 public:
  virtual ~JsonHandler() = default;
  virtual void null() = 0;
  virtual void boolean(bool value) = 0;
  virtual void integer(int64_t value) = 0;   // negative
  virtual void natural(uint64_t value) = 0;  // zero or positive
  virtual void real(double value) = 0;
  virtual void text(std::string& value) = 0;
  virtual void begin_object() = 0;
  virtual void key(std::string& value) = 0;  // duplicates are refused before the handler sees them
  virtual void end_object() = 0;
  virtual void begin_array() = 0;
  virtual void end_array() = 0;
};
void parse_json(std::string_view text,
                const std::string& file,
                JsonHandler& handler,
                const JsonLimits& limits = {});

}  // namespace lmzoo
