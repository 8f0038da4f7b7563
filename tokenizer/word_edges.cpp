#include "tokenizer/word_edges.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace lmzoo {
namespace {

constexpr std::string_view kContinued = "##";
constexpr std::string_view kEnded = "</w>";
// ▁, and the bytes space, line feed, tab and carriage return as byte-level BPE shows them: Ġ Ċ ĉ č.
constexpr std::array<std::string_view, 5> kBegun{
    "\xE2\x96\x81", "\xC4\xA0", "\xC4\x8A", "\xC4\x89", "\xC4\x8D"};

size_t mark_before(std::string_view piece) {  // its bytes; 0: none
  const auto* found =
      std::ranges::find_if(kBegun, [&](std::string_view mark) { return piece.starts_with(mark); });
  return found == kBegun.end() ? 0 : found->size();
}

enum class WordMarks { continued, begun, ended, spaces };

// A piece that is nothing but a mark says nothing: it is a character of the text as well.
WordMarks marks_of(const std::vector<std::string>& pieces) {
  int64_t continued = 0;
  int64_t begun = 0;
  int64_t ended = 0;
  for (const std::string_view piece : pieces) {
    continued += piece.starts_with(kContinued) && piece.size() > kContinued.size() ? 1 : 0;
    ended += piece.ends_with(kEnded) && piece.size() > kEnded.size() ? 1 : 0;
    const size_t mark = mark_before(piece);
    begun += mark > 0 && piece.size() > mark ? 1 : 0;
  }
  const int64_t most = std::max({continued, begun, ended});
  if (most == 0) {
    return WordMarks::spaces;
  }
  return most == begun ? WordMarks::begun : most == continued ? WordMarks::continued : WordMarks::ended;
}

bool is_space(std::string_view text) {
  return text.size() == 1 && std::string_view(" \t\n\r\f\v").find(text[0]) != std::string_view::npos;
}

}  // namespace

std::vector<WordEdges> word_edges(const Tokenizer& tokenizer) {
  const Vocabulary& vocabulary = tokenizer.vocabulary();
  std::vector<WordEdges> edges(static_cast<size_t>(vocabulary.size), {.begins = true, .ends = true});
  if (vocabulary.counts) {
    return edges;  // ids are words
  }
  std::vector<std::string> pieces(edges.size());
  for (int64_t id = 0; id < vocabulary.size; ++id) {
    if (!vocabulary.is_special(id)) {
      pieces[static_cast<size_t>(id)] = tokenizer.piece(id);
    }
  }
  const WordMarks marks = marks_of(pieces);
  for (int64_t id = 0; id < vocabulary.size; ++id) {
    const std::string& piece = pieces[static_cast<size_t>(id)];
    if (vocabulary.is_special(id)) {
      continue;
    }
    WordEdges& edge = edges[static_cast<size_t>(id)];
    switch (marks) {
      case WordMarks::continued:
        edge = {.begins = !piece.starts_with(kContinued), .ends = false};
        break;
      case WordMarks::begun:
        edge = {.begins = mark_before(piece) > 0, .ends = false};
        break;
      case WordMarks::ended:
        edge = {.begins = false, .ends = piece.ends_with(kEnded)};
        break;
      case WordMarks::spaces:
        edge = {.begins = is_space(tokenizer.decode(std::array{id})), .ends = false};
        break;
    }
  }
  return edges;
}

}  // namespace lmzoo
