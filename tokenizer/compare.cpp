#include "tokenizer/compare.h"

#include <algorithm>
#include <sstream>

#include "base/check.h"
#include "base/utf8.h"
#include "tokenizer/published/pieces/bpe.h"
#include "tokenizer/published/tokenizer.h"
#include "tokenizer/published/train/train.h"
#include "tokenizer/published/unicode/unicode.h"

namespace lmzoo {
namespace {

using huggingface::Bpe;
using huggingface::kNoPiece;
using huggingface::PieceId;

std::vector<std::string> texts_of(const Bpe& model, const std::vector<PieceId>& ids) {
  std::vector<std::string> texts;
  texts.reserve(ids.size());
  for (const PieceId id : ids) {
    texts.emplace_back(model.pieces().text(id));
  }
  return texts;
}

void append_json(std::vector<std::string>& all, const std::vector<std::string>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

// The merges of one word, in the order in which they happen; `done`: pieces of the text before it.
std::vector<std::string> trace(const Bpe& model, const std::string& word, WordComparison& out) {
  huggingface::Scratch scratch;
  model.split(word, scratch);
  std::vector<PieceId> ids;
  for (const auto& symbol : scratch.symbols) {
    ids.push_back(symbol.id);
  }
  append_json(out.characters, texts_of(model, ids));
  for (;;) {
    Bpe::Rule best;
    size_t at = 0;
    for (size_t i = 0; i + 1 < ids.size(); ++i) {
      const Bpe::Rule rule = model.merge_of(ids[i], ids[i + 1]);
      if (rule.rank < best.rank) {
        best = rule;
        at = i;
      }
    }
    if (best.result == kNoPiece) {
      return texts_of(model, ids);
    }
    MergeStep step{std::string(model.pieces().text(ids[at])),
                   std::string(model.pieces().text(ids[at + 1])),
                   best.rank,
                   {}};
    ids[at] = best.result;
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(at) + 1);
    step.pieces = texts_of(model, ids);
    out.merges.push_back(std::move(step));
  }
}

// The longest piece that the rest of the word begins with; a character that is none stands for itself.
std::vector<std::string> longest_match(const Bpe& model, const std::string& word) {
  std::vector<std::string> pieces;
  for (size_t at = 0; at < word.size();) {
    size_t end = word.size();
    while (end > at && model.pieces().find(std::string_view(word).substr(at, end - at)) == kNoPiece) {
      end = huggingface::previous(word, end);
    }
    if (end <= at) {
      end = at;
      huggingface::next_code_point(word, end);
    }
    pieces.push_back(word.substr(at, end - at));
    at = end;
  }
  return pieces;
}

std::string way_of(const Tokenizer& tokenizer) {
  const auto* pipeline = dynamic_cast<const huggingface::PipelineTokenizer*>(&tokenizer);
  return pipeline == nullptr ? "pieces" : std::string(pipeline->pipeline().model().name());
}

void add_ways(const Tokenizer& tokenizer, const std::string& word, WordComparison& out) {
  const auto* pipeline = dynamic_cast<const huggingface::PipelineTokenizer*>(&tokenizer);
  const Bpe* bpe = pipeline == nullptr ? nullptr : dynamic_cast<const Bpe*>(&pipeline->pipeline().model());
  if (bpe == nullptr) {
    Segmentation way{way_of(tokenizer), {}};
    for (const ShownToken& token : show(tokenizer, tokenizer.encode(word))) {
      way.pieces.push_back(token.piece);
    }
    out.ways.push_back(std::move(way));
    return;
  }
  Segmentation by_rank{"bpe", {}}, greedy{"longest match", {}};
  for (const std::string& part : pipeline->pipeline().words(word)) {
    append_json(by_rank.pieces, trace(*bpe, part, out));
    append_json(greedy.pieces, longest_match(*bpe, part));
  }
  out.ways.push_back(std::move(by_rank));
  out.ways.push_back(std::move(greedy));
}

}  // namespace

std::vector<WordComparison> compare_segmentations(
    std::string_view text, const std::vector<std::shared_ptr<const Tokenizer>>& tokenizers) {
  std::string clean(text);
  replace_invalid_utf8(clean);
  std::vector<WordComparison> all;
  std::istringstream words(clean);
  for (std::string word; words >> word;) {
    WordComparison comparison{.word = word, .characters = {}, .merges = {}, .ways = {}};
    for (const auto& tokenizer : tokenizers) {
      add_ways(*tokenizer, word, comparison);
    }
    all.push_back(std::move(comparison));
  }
  check(!all.empty(), "tokenizer compare: the text has no word");
  return all;
}

std::vector<std::shared_ptr<const Tokenizer>> train_to_compare(const std::string& file, int64_t vocab_size) {
  constexpr int64_t kFewest = 32;
  std::vector<std::shared_ptr<const Tokenizer>> tokenizers;
  for (const TokenizerType type :
       {TokenizerType::byte_bpe, TokenizerType::word_piece, TokenizerType::unigram}) {
    TokenizerOptions options{.type = type, .sentinels = 0};
    options.byte_fallback = type != TokenizerType::unigram;
    // A short text does not have so many pieces, and each type its own limit.
    for (int64_t size = vocab_size;; size = size * 7 / 8) {
      options.vocab_size = size;
      try {
        tokenizers.push_back(train_pipeline(options, {.files = {file}}, {}));
        break;
      } catch (const InputError&) {
        if (size < kFewest) {
          throw;
        }
      }
    }
  }
  return tokenizers;
}

}  // namespace lmzoo
