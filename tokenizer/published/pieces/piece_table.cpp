#include "tokenizer/published/pieces/piece_table.h"

#include <bit>
#include <functional>
#include <utility>

namespace lmzoo::huggingface {
namespace {

uint64_t hash_of_piece(std::string_view text) { return std::hash<std::string_view>()(text); }

}  // namespace

void PieceTable::reserve(size_t pieces) {
  spans_.reserve(pieces);
  if (slots_.size() < pieces * 2) {
    grow(std::bit_ceil(pieces * 2 + 1));
  }
}

void PieceTable::grow(size_t slots) {
  std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(slots));
  for (const Slot& slot : old) {
    if (slot.id == kNoPiece) {
      continue;
    }
    size_t at = hash_of_piece(text(slot.id)) & (slots - 1);
    while (slots_[at].id != kNoPiece) {
      at = (at + 1) & (slots - 1);
    }
    slots_[at] = slot;
  }
}

bool PieceTable::add(std::string_view text, PieceId id) {
  if (has(id) || find(text) != kNoPiece) {
    return false;
  }
  if (id >= spans_.size()) {
    spans_.resize(size_t{id} + 1);
  }
  spans_[id] = {static_cast<uint32_t>(bytes_.size()), static_cast<uint32_t>(text.size())};
  bytes_ += text;
  if (++count_ * 2 > slots_.size()) {
    grow(std::bit_ceil(count_ * 4));
  }
  const uint64_t hash = hash_of_piece(text);
  size_t at = hash & (slots_.size() - 1);
  while (slots_[at].id != kNoPiece) {
    at = (at + 1) & (slots_.size() - 1);
  }
  slots_[at] = {static_cast<uint32_t>(hash >> 32), id};
  return true;
}

PieceId PieceTable::find(std::string_view text) const {
  if (slots_.empty()) {
    return kNoPiece;
  }
  const uint64_t hash = hash_of_piece(text);
  const auto tag = static_cast<uint32_t>(hash >> 32);
  for (size_t at = hash & (slots_.size() - 1); slots_[at].id != kNoPiece;
       at = (at + 1) & (slots_.size() - 1)) {
    if (slots_[at].tag == tag && this->text(slots_[at].id) == text) {
      return slots_[at].id;
    }
  }
  return kNoPiece;
}

std::string_view PieceTable::text(PieceId id) const {
  return has(id) ? std::string_view(bytes_).substr(spans_[id].begin, spans_[id].length) : std::string_view();
}

PieceTrie::PieceTrie() : first_(256, kNowhere), values_(1, kNoPiece) { grow(16); }

void PieceTrie::reserve(size_t bytes) {
  if (edges_.size() < bytes * 2) {
    grow(std::bit_ceil(bytes * 2 + 1));
  }
}

void PieceTrie::grow(size_t slots) {
  const std::vector<Edge> old = std::exchange(edges_, std::vector<Edge>(slots));
  mask_ = slots - 1;
  edge_count_ = 0;
  for (const Edge& edge : old) {
    if (edge.node != kNowhere) {
      insert(edge.key, edge.node);
    }
  }
}

void PieceTrie::insert(uint64_t key, Node node) {
  size_t slot = hash(key) & mask_;
  while (edges_[slot].node != kNowhere) {
    slot = (slot + 1) & mask_;
  }
  edges_[slot] = {key, node};
  ++edge_count_;
}

void PieceTrie::add(std::string_view text, PieceId id) {
  Node node = kRoot;
  for (const char byte : text) {
    Node child = next(node, byte);
    if (child == kNowhere) {
      child = static_cast<Node>(values_.size());
      values_.push_back(kNoPiece);
      if (node == kRoot) {
        first_[static_cast<unsigned char>(byte)] = child;
      } else {
        if ((edge_count_ + 1) * 2 > edges_.size()) {
          grow(edges_.size() * 2);
        }
        insert(key_of(node, byte), child);
      }
    }
    node = child;
  }
  if (!text.empty()) {
    values_[node] = id;
  }
}

PieceTrie::Node PieceTrie::walk(std::string_view text) const {
  Node node = kRoot;
  for (size_t at = 0; at < text.size() && node != kNowhere; ++at) {
    node = next(node, text[at]);
  }
  return node;
}

}  // namespace lmzoo::huggingface
