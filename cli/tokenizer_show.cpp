#include "cli/tokenizer_show.h"

#include <algorithm>

#include "base/check.h"
#include "base/utf8.h"
#include "io/lines.h"
#include "tokenizer/compare.h"

namespace lmzoo {
namespace {

std::string spaced(const Strings& pieces) {
  std::string all;
  for (const std::string& piece : pieces) {
    all += (all.empty() ? "" : " ") + piece;
  }
  return all;
}

}  // namespace

void encode_lines(const Flags& flags, const Tokenizer& tokenizer) {
  const std::string path = flags.text("jsonl");
  LineReader reader(path);
  for (std::string line; reader.next(line);) {
    const Location where = reader.where();
    const Json record = parse_json_line(line, where);
    if (!record.is_object() || !record.contains("text") || !record["text"].is_string()) {
      throw InputError(where, "must be an object with a string \"text\"");
    }
    const auto text = record["text"].get<std::string>();
    Json out = Json::object();
    if (flags.has("offsets")) {
      const Encoding encoding = flags.has("marked") ? tokenizer.encode_marked_with_offsets(text)
                                                    : tokenizer.encode_with_offsets(text);
      out = Json{{"ids", encoding.ids}, {"begin", encoding.begin}, {"end", encoding.end}};
    } else {
      out["ids"] = flags.has("marked") ? tokenizer.encode_marked(text) : tokenizer.encode(text);
    }
    const auto ids = out["ids"].get<std::vector<int64_t>>();
    if (flags.has("framed")) {
      const FramedText framed = tokenizer.with_specials(ids);
      out["framed"] = framed.ids;
      out["token_types"] = framed.token_types;
    }
    if (flags.has("decoded")) {
      out["decoded"] = tokenizer.decode(ids);
    }
    print(out.dump() + "\n");
  }
}

void show_segmentations(const Flags& flags,
                        const std::string& text,
                        const std::vector<std::shared_ptr<const Tokenizer>>& tokenizers) {
  Json all = Json::array();
  std::string shown;
  for (const WordComparison& word : compare_segmentations(text, tokenizers)) {
    Json merges = Json::array(), ways = Json::object();
    shown += word.word + "\n";
    for (const MergeStep& step : word.merges) {
      merges.push_back(
          Json{{"left", step.left}, {"right", step.right}, {"rank", step.rank}, {"pieces", step.pieces}});
      shown += fmt::format(
          "  merge {} + {} (rank {}): {}\n", step.left, step.right, step.rank, spaced(step.pieces));
    }
    for (const Segmentation& way : word.ways) {
      ways[way.way] = way.pieces;
      shown += fmt::format("  {}{}{}\n",
                           way.way,
                           std::string(14 - std::min<size_t>(way.way.size(), 13), ' '),
                           spaced(way.pieces));
    }
    all.push_back(
        Json{{"word", word.word}, {"characters", word.characters}, {"merges", merges}, {"ways", ways}});
  }
  flags.has("json") ? print(all) : print(shown);
}

}  // namespace lmzoo
