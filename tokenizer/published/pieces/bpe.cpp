#include "tokenizer/published/pieces/bpe.h"

#include <algorithm>
#include <bit>
#include <cstdio>

#include "base/utf8.h"
#include "tokenizer/published/unicode/unicode.h"

namespace lmzoo::huggingface {
namespace {

using Symbol = Scratch::Symbol;
using Merge = Scratch::Merge;

constexpr uint64_t kNoPair = UINT64_MAX;
constexpr size_t kDirectCharacters = 0x180;  // covers the alphabet of byte_level.h
constexpr size_t kShortWord = 48;            // symbols; up to there looking at all pairs beats a heap

uint64_t pair_of(PieceId left, PieceId right) { return static_cast<uint64_t>(left) << 32 | right; }

size_t hash_of(uint64_t pair) {
  pair *= 0x9E3779B97F4A7C15ull;
  return static_cast<size_t>(pair ^ pair >> 29);
}

// The order of a max-heap whose top is the merge that happens first.
bool is_later(const Merge& a, const Merge& b) {
  return a.rank != b.rank ? a.rank > b.rank : a.position > b.position;
}

}  // namespace

Bpe::Bpe(PieceTable pieces, BpeOptions options, const std::vector<Pair>& merges)
    : PieceModel(std::move(pieces)), options_(std::move(options)), hidden_(pieces_.ids(), false) {
  slots_.resize(std::bit_ceil(merges.size() * 2 + 2), Slot{kNoPair, {}});
  for (size_t rank = 0; rank < merges.size(); ++rank) {
    insert(merges[rank], static_cast<uint32_t>(rank));
  }
  for (int byte = 0; byte < 256 && options_.byte_fallback; ++byte) {
    char name[8];
    std::snprintf(name, sizeof name, "<0x%02X>", byte);
    bytes_.push_back(pieces_.find(name));
  }
  for (char32_t c = 1; c < kDirectCharacters && options_.prefix.empty() && options_.suffix.empty(); ++c) {
    characters_.resize(c, kNoPiece);
    std::string text;
    append_utf8(text, c);
    characters_.push_back(pieces_.find(text));
  }
}

void Bpe::insert(const Pair& pair, uint32_t rank) {
  const uint64_t key = pair_of(pair.left, pair.right);
  size_t slot = hash_of(key) & (slots_.size() - 1);
  while (slots_[slot].pair != kNoPair && slots_[slot].pair != key) {
    slot = (slot + 1) & (slots_.size() - 1);
  }
  slots_[slot] = {key, {rank, pair.result}};  // of a merge that is given twice the last one counts
}

Bpe::Rule Bpe::merge_of(PieceId left, PieceId right) const {
  const uint64_t key = pair_of(left, right);
  size_t slot = hash_of(key) & (slots_.size() - 1);
  while (slots_[slot].pair != kNoPair && slots_[slot].pair != key) {
    slot = (slot + 1) & (slots_.size() - 1);
  }
  return slots_[slot].rule;
}

void Bpe::hide(PieceId id) {
  hidden_[id] = true;
  std::replace(characters_.begin(), characters_.end(), id, kNoPiece);
}

PieceId Bpe::find(std::string_view piece) const {
  const PieceId id = pieces_.find(piece);
  return id == kNoPiece || hidden_[id] ? kNoPiece : id;
}

PieceId Bpe::symbol_of(std::string_view character, bool is_first, bool is_last, std::string& storage) const {
  if (!characters_.empty()) {
    const char32_t c = code_point_of(character, 0);
    return c < characters_.size() ? characters_[c] : find(character);
  }
  const bool has_prefix = !is_first && !options_.prefix.empty();
  const bool has_suffix = is_last && !options_.suffix.empty();
  storage.assign(has_prefix ? options_.prefix : "")
      .append(character)
      .append(has_suffix ? options_.suffix : "");
  return find(storage);
}

// The bytes of a character's piece as pieces of byte fall-back; false when one has none.
bool Bpe::spell(std::string_view text, std::vector<Symbol>& symbols) const {
  const auto id_of = [this](char byte) { return bytes_[static_cast<unsigned char>(byte)]; };
  if (bytes_.empty() ||
      std::any_of(text.begin(), text.end(), [&](char byte) { return id_of(byte) == kNoPiece; })) {
    return false;
  }
  for (const char byte : text) {
    symbols.push_back({id_of(byte), 1, 0, 0});
  }
  return true;
}

void Bpe::split(std::string_view word, Scratch& scratch) const {
  std::vector<Symbol>& symbols = scratch.symbols;
  symbols.clear();
  uint32_t unknown = 0;  // bytes that are unknown and not among the symbols yet
  const auto flush = [&] {
    if (unknown > 0) {
      symbols.push_back({options_.unknown, unknown, 0, 0});
      unknown = 0;
    }
  };
  for (size_t at = 0; at < word.size();) {
    const size_t begin = at;
    next_code_point(word, at);
    const std::string_view character = word.substr(begin, at - begin);
    const auto length = static_cast<uint32_t>(character.size());
    const PieceId id = symbol_of(character, begin == 0, at == word.size(), scratch.text);
    if (id != kNoPiece) {
      flush();
      symbols.push_back({id, length, 0, 0});
    } else if (!spell(characters_.empty() ? std::string_view(scratch.text) : character, symbols) &&
               options_.unknown != kNoPiece) {
      if (!options_.fuse_unknown) {
        flush();
      }
      unknown += length;
    }
  }
  flush();
}

void Bpe::encode(std::string_view word, Scratch& scratch, std::vector<Token>& out) const {
  if (options_.ignore_merges) {
    if (const PieceId id = find(word); id != kNoPiece) {
      out.push_back({id, 0, static_cast<uint32_t>(word.size())});
      return;
    }
  }
  split(word, scratch);
  if (scratch.symbols.size() <= kShortWord) {
    merge_short(scratch.symbols, scratch.merges);
  } else {
    merge_long(scratch);
  }
  uint32_t begin = 0;
  for (const Symbol& symbol : scratch.symbols) {
    if (symbol.length > 0) {
      out.push_back({symbol.id, begin, begin + symbol.length});
      begin += symbol.length;
    }
  }
}

// Keeps the merge of every pair of neighbors and takes the best until there is none.
void Bpe::merge_short(std::vector<Symbol>& symbols, std::vector<Merge>& merges) const {
  const auto merge_at = [&](size_t i) -> Merge {
    const Rule rule = merge_of(symbols[i].id, symbols[i + 1].id);
    return {rule.rank, 0, rule.result};
  };
  merges.clear();
  for (size_t i = 0; i + 1 < symbols.size(); ++i) {
    merges.push_back(merge_at(i));
  }
  while (!merges.empty()) {
    const auto best = std::min_element(
        merges.begin(), merges.end(), [](const Merge& a, const Merge& b) { return a.rank < b.rank; });
    if (best->rank == UINT32_MAX) {
      return;
    }
    const auto at = static_cast<size_t>(best - merges.begin());
    symbols[at].id = best->result;
    symbols[at].length += symbols[at + 1].length;
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(at) + 1);
    merges.erase(best);
    if (at > 0) {
      merges[at - 1] = merge_at(at - 1);
    }
    if (at < merges.size()) {
      merges[at] = merge_at(at);
    }
  }
}

// The same with a heap of merges and a linked list of symbols.
void Bpe::merge_long(Scratch& scratch) const {
  std::vector<Symbol>& symbols = scratch.symbols;
  std::vector<Merge>& heap = scratch.merges;
  const auto count = static_cast<int32_t>(symbols.size());
  const auto at = [&](int32_t i) -> Symbol& { return symbols[static_cast<size_t>(i)]; };
  heap.clear();
  const auto consider = [&](int32_t left, int32_t right) {
    const Rule rule = merge_of(at(left).id, at(right).id);
    if (rule.rank != UINT32_MAX) {
      heap.push_back({rule.rank, static_cast<uint32_t>(left), rule.result});
      std::push_heap(heap.begin(), heap.end(), is_later);
    }
  };
  for (int32_t i = 0; i < count; ++i) {
    at(i).before = i - 1;
    at(i).after = i + 1 < count ? i + 1 : -1;
  }
  for (int32_t i = 0; i + 1 < count; ++i) {
    consider(i, i + 1);
  }
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), is_later);
    const Merge merge = heap.back();
    heap.pop_back();
    const auto position = static_cast<int32_t>(merge.position);
    Symbol& left = at(position);
    if (left.length == 0 || left.after < 0) {
      continue;
    }
    const int32_t right = left.after;
    if (merge_of(left.id, at(right).id).result != merge.result) {
      continue;  // the pair that this merge was for is gone
    }
    left.id = merge.result;
    left.length += at(right).length;
    left.after = at(right).after;
    at(right).length = 0;
    if (left.after >= 0) {
      at(left.after).before = position;
      consider(position, left.after);
    }
    if (left.before >= 0) {
      consider(left.before, position);
    }
  }
}

namespace {

// "left right", or ["left", "right"] as newer files have it.
std::pair<std::string, std::string> read_merge(const JsonPart& part, const Json& merge, size_t rank) {
  if (merge.is_array()) {
    part.require(merge.size() == 2 && merge[0].is_string() && merge[1].is_string(),
                 "merge {} must be two pieces",
                 rank);
    return {merge[0].get<std::string>(), merge[1].get<std::string>()};
  }
  part.require(merge.is_string(), "merge {} must be two pieces", rank);
  const auto text = merge.get<std::string>();
  const size_t space = text.find(' ');
  part.require(space != std::string::npos && text.find(' ', space + 1) == std::string::npos,
               "merge {} must be two pieces with a space between, not \"{}\"",
               rank,
               printable(text));
  return {text.substr(0, space), text.substr(space + 1)};
}

std::vector<Bpe::Pair> read_merges(const JsonPart& part,
                                   const PieceTable& pieces,
                                   const std::string& prefix) {
  part.require(part.json().is_array(), "must be a list of merges");
  std::vector<Bpe::Pair> pairs;
  pairs.reserve(part.json().size());
  const auto find = [&](const std::string& piece) {
    const PieceId id = pieces.find(piece);
    part.require(id != kNoPiece,
                 "merge {} names the piece \"{}\", which is not in vocab",
                 pairs.size(),
                 printable(piece));
    return id;
  };
  for (const Json& merge : part.json()) {
    const auto [left, right] = read_merge(part, merge, pairs.size());
    // A piece inside of a word loses its prefix when it joins what is before it.
    part.require(right.starts_with(prefix), "merge {}: \"{}\" has no prefix", pairs.size(), printable(right));
    const PieceId first = find(left), second = find(right);
    pairs.push_back({first, second, find(left + right.substr(prefix.size()))});
  }
  return pairs;
}

}  // namespace

std::unique_ptr<PieceModel> read_bpe(const JsonPart& part) {
  part.only({"type",
             "dropout",
             "unk_token",
             "continuing_subword_prefix",
             "end_of_word_suffix",
             "fuse_unk",
             "byte_fallback",
             "ignore_merges",
             "vocab",
             "merges"});
  const auto dropout = part.find("dropout");
  part.require(!dropout || dropout->as_number() == 0, "dropout must be null: ids would be random");
  PieceTable pieces = read_vocabulary(part.at("vocab"));
  BpeOptions options{.prefix = part.text_or("continuing_subword_prefix", ""),
                     .suffix = part.text_or("end_of_word_suffix", ""),
                     .fuse_unknown = part.flag_or("fuse_unk", false),
                     .byte_fallback = part.flag_or("byte_fallback", false),
                     .ignore_merges = part.flag_or("ignore_merges", false)};
  if (const std::string unknown = part.text_or("unk_token", ""); !unknown.empty()) {
    options.unknown = pieces.find(unknown);
    part.require(options.unknown != kNoPiece, "unk_token \"{}\" is not in vocab", printable(unknown));
  }
  const std::vector<Bpe::Pair> merges = read_merges(part.at("merges"), pieces, options.prefix);
  return std::make_unique<Bpe>(std::move(pieces), std::move(options), merges);
}

}  // namespace lmzoo::huggingface
