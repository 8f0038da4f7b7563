// The pieces of a vocabulary: text to id by a hash table of its own (no node, no string is allocated for a
// look-up), id to text, and a trie for what needs the longest piece or every piece that a text begins with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lmzoo::huggingface {

using PieceId = uint32_t;
inline constexpr PieceId kNoPiece = UINT32_MAX;

// Ids may have holes; each id and each text is given once.
class PieceTable {
 public:
  void reserve(size_t pieces);
  // False when the text or the id is taken already.
  bool add(std::string_view text, PieceId id);
  PieceId find(std::string_view text) const;
  bool has(PieceId id) const { return id < spans_.size() && spans_[id].begin != kUnused; }
  std::string_view text(PieceId id) const;
  size_t count() const { return count_; }
  size_t ids() const { return spans_.size(); }  // all ids are below

 private:
  static constexpr uint32_t kUnused = UINT32_MAX;
  struct Span {
    uint32_t begin = kUnused;
    uint32_t length = 0;
  };
  struct Slot {
    uint32_t tag = 0;
    PieceId id = kNoPiece;
  };
  void grow(size_t slots);

  std::string bytes_;
  std::vector<Span> spans_;  // by id
  std::vector<Slot> slots_;  // a power of two
  size_t count_ = 0;
};

// Byte strings with a number each. Walk it: node = root(); node = next(node, byte); value(node).
class PieceTrie {
 public:
  using Node = uint32_t;
  static constexpr Node kRoot = 0;
  static constexpr Node kNowhere = UINT32_MAX;

  PieceTrie();
  void reserve(size_t bytes);
  void add(std::string_view text, PieceId id);
  Node next(Node node, char byte) const {
    if (node == kRoot) {
      return first_[static_cast<unsigned char>(byte)];
    }
    const uint64_t key = key_of(node, byte);
    for (size_t slot = hash(key) & mask_;; slot = (slot + 1) & mask_) {
      if (edges_[slot].key == key) {
        return edges_[slot].node;
      }
      if (edges_[slot].node == kNowhere) {
        return kNowhere;
      }
    }
  }
  PieceId value(Node node) const { return values_[node]; }
  // Where the walk over `text` from the root ends, or kNowhere.
  Node walk(std::string_view text) const;

  struct Match {
    size_t length = 0;  // 0: none
    PieceId id = kNoPiece;
  };
  // The longest string that text[at...] begins with, from `node` on.
  Match longest(std::string_view text, size_t at, Node node = kRoot) const {
    Match best;
    for (size_t end = at; end < text.size();) {
      node = next(node, text[end++]);
      if (node == kNowhere) {
        break;
      }
      if (values_[node] != kNoPiece) {
        best = {end - at, values_[node]};
      }
    }
    return best;
  }

 private:
  struct Edge {
    uint64_t key = 0;
    Node node = kNowhere;
  };
  static uint64_t key_of(Node node, char byte) {
    return static_cast<uint64_t>(node) << 8 | static_cast<unsigned char>(byte);
  }
  static size_t hash(uint64_t key) {
    key *= 0x9E3779B97F4A7C15ull;
    return static_cast<size_t>(key ^ key >> 32);
  }
  void insert(uint64_t key, Node node);
  void grow(size_t slots);

  std::vector<Node> first_;      // of the root, by byte
  std::vector<PieceId> values_;  // by node
  std::vector<Edge> edges_;      // of all other nodes, a power of two
  size_t mask_ = 0;
  size_t edge_count_ = 0;
};

}  // namespace lmzoo::huggingface
