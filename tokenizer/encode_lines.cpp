#include "tokenizer/encode_lines.h"

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "base/utf8.h"
#include "io/lines.h"

namespace lmzoo {
namespace {

Json encoded(const std::string& text, const Tokenizer& tokenizer, const EncodeLinesOptions& options) {
  Json out = Json::object();
  if (options.offsets) {
    const Encoding encoding =
        options.marked ? tokenizer.encode_marked_with_offsets(text) : tokenizer.encode_with_offsets(text);
    out = Json{{"ids", encoding.ids}, {"begin", encoding.begin}, {"end", encoding.end}};
  } else {
    out["ids"] = options.marked ? tokenizer.encode_marked(text) : tokenizer.encode(text);
  }
  const auto ids = out["ids"].get<std::vector<int64_t>>();
  if (options.framed) {
    const FramedText framed = tokenizer.with_specials(ids);
    out["framed"] = framed.ids;
    out["token_types"] = framed.token_types;
  }
  if (options.decoded) {
    out["decoded"] = tokenizer.decode(ids);
  }
  return out;
}

}  // namespace

void encode_lines(const std::string& file,
                  const Tokenizer& tokenizer,
                  const EncodeLinesOptions& options,
                  const std::function<void(const Json&)>& use) {
  LineReader reader(file);
  for (std::string line; reader.next(line);) {
    const Location where = reader.where();
    const Json record = parse_json_line(line, where);
    if (!record.is_object() || !record.contains("text") || !record["text"].is_string()) {
      throw InputError(where, "must be an object with a string \"text\"");
    }
    use(encoded(record["text"].get<std::string>(), tokenizer, options));
  }
}

std::vector<int64_t> parse_ids(std::string_view text) {
  constexpr std::string_view kSeparators = " ,\n\t[]";
  std::vector<int64_t> ids;
  for (size_t begin = text.find_first_not_of(kSeparators); begin != std::string_view::npos;) {
    const size_t end = std::min(text.find_first_of(kSeparators, begin), text.size());
    const std::string_view word = text.substr(begin, end - begin);
    int64_t id = 0;
    const auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), id);
    check(error == std::errc{} && stop == word.data() + word.size(),
          "tokenizer decode: '{}' is no id; ids are whole numbers, separated by spaces or commas",
          printable(std::string(word)));
    ids.push_back(id);
    begin = text.find_first_not_of(kSeparators, end);
  }
  return ids;
}

}  // namespace lmzoo
