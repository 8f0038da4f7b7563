#include "infer/ask/forward_line.h"

#include "base/check.h"
#include "base/utf8.h"

namespace lmzoo {
namespace {

constexpr size_t kMostShown = 60;

std::string brief(const Json& value) { return printable(value.dump(), kMostShown); }

std::vector<int64_t> read_ids(const Json& line, const char* key, int64_t rows, const Location& where) {
  std::vector<int64_t> ids;
  const auto found = line.find(key);
  if (found == line.end()) {
    return ids;
  }
  if (!found->is_array()) {
    throw InputError(where, fmt::format("{} must be a list of integers", key));
  }
  for (const Json& value : *found) {
    if (!value.is_number_integer()) {
      throw InputError(where, fmt::format("{} must be a list of integers, but holds {}", key, brief(value)));
    }
    const bool wraps = value.is_number_unsigned() && value.get<uint64_t>() > INT64_MAX;
    const auto id = value.get<int64_t>();
    if (wraps || id < 0 || id >= rows) {
      throw InputError(where, fmt::format("{} holds {}, but legal are 0 to {}", key, brief(value), rows - 1));
    }
    ids.push_back(id);
  }
  return ids;
}

}  // namespace

ForwardLine parse_forward_line(const Json& line, int64_t rows, const Location& where) {
  if (!line.is_object()) {
    throw InputError(where, "a line must be a JSON object");
  }
  for (const auto& entry : line.items()) {
    if (entry.key() != "ids" && entry.key() != "decoder_ids" && entry.key() != "token_types" &&
        entry.key() != "text") {
      throw InputError(where,
                       fmt::format("unknown key '{}'; legal: ids, decoder_ids, token_types, text",
                                   printable(entry.key(), kMostShown)));
    }
  }
  ForwardLine made;
  if (const auto text = line.find("text"); text != line.end()) {
    if (!text->is_string() || line.contains("ids")) {
      throw InputError(where, "text must be a string, and no ids beside it");
    }
    made.text = text->get<std::string>();
  } else {
    made.ids = read_ids(line, "ids", rows, where);
  }
  if (line.contains("decoder_ids")) {
    made.decoder_ids = read_ids(line, "decoder_ids", rows, where);
  }
  made.token_types = read_ids(line, "token_types", INT32_MAX, where);
  return made;
}

}  // namespace lmzoo
