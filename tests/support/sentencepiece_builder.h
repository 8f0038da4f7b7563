// SentencePiece models built by hand, so that tests can break every field of them.
#pragma once

#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "io/protobuf.h"

namespace lmzoo::test {

// The normalization rules input -> output as a trie in which every node has a block of 256 units of its own.
class CharsmapBuilder {
 public:
  using Rules = std::map<std::string, std::string>;
  explicit CharsmapBuilder(const Rules& rules) {
    add_block();
    for (const auto& [input, output] : rules) {
      uint32_t node = 0;
      for (const char c : input) {
        node = child(node, static_cast<unsigned char>(c));
      }
      units_[node] |= kHasLeaf;
      units_[base_of(node)] = kIsValue | static_cast<uint32_t>(outputs_.size());
      outputs_ += output + '\0';
    }
  }

  std::vector<uint32_t>& units() { return units_; }
  std::string& outputs() { return outputs_; }

  // The unit that `input` leads to.
  uint32_t node_of(const std::string& input) const {
    uint32_t node = 0;
    for (const char c : input) {
      node = base_of(node) ^ static_cast<unsigned char>(c);
    }
    return node;
  }
  uint32_t base_of(uint32_t node) const { return node ^ (units_[node] >> 10); }
  void set_base(uint32_t node, uint32_t base) {
    units_[node] = (units_[node] & 0x3FF) | ((node ^ base) << 10);
  }

  std::string bytes() const {
    const auto trie_bytes = static_cast<uint32_t>(units_.size() * 4);
    std::string all(4 + trie_bytes, '\0');
    std::memcpy(all.data(), &trie_bytes, 4);
    std::memcpy(all.data() + 4, units_.data(), trie_bytes);
    return all + outputs_;
  }

 private:
  static constexpr uint32_t kHasLeaf = 1u << 8;
  static constexpr uint32_t kIsValue = 1u << 31;

  // A block of free units, which no byte leads to: their labels are those of values.
  uint32_t add_block() {
    units_.resize(units_.size() + 256, kIsValue);
    return static_cast<uint32_t>(units_.size() - 256);
  }

  // The unit after `node` by `byte`; a node gets its block with its first child or value.
  uint32_t child(uint32_t node, unsigned char byte) {
    if (node == 0 && units_[0] == kIsValue) {
      units_[0] = 0;
      set_base(0, add_block());
    }
    const uint32_t next = base_of(node) ^ byte;
    if (units_[next] == kIsValue) {
      units_[next] = byte;
      set_base(next, add_block());
    }
    return next;
  }

  std::vector<uint32_t> units_;
  std::string outputs_;
};

inline std::string piece_message(const std::string& text, float score, int type) {
  std::string piece;
  append_bytes_field(piece, 1, text);
  append_float_field(piece, 2, score);
  append_varint_field(piece, 3, static_cast<uint64_t>(type));
  return piece;
}

// The parts of a model; tests change some and call bytes().
struct ModelParts {
  std::vector<std::string> pieces{piece_message("<unk>", 0, 2),
                                  piece_message("<s>", 0, 3),
                                  piece_message("</s>", 0, 3),
                                  piece_message("\xE2\x96\x81the", -1.5f, 1),
                                  piece_message("a", -2, 1),
                                  piece_message("[MASK]", 0, 4)};
  std::string trainer;
  std::string charsmap =
      CharsmapBuilder(CharsmapBuilder::Rules{{"A", "a"}, {"AB", "ab"}, {"\xC3\x84", "a\xCC\x88"}}).bytes();
  std::string rest;  // further fields of the model

  ModelParts() {
    append_bytes_field(trainer, 1, "corpus.txt");
    append_bytes_field(trainer, 1, "second.txt");
    append_varint_field(trainer, 3, 1);
    append_varint_field(trainer, 4, pieces.size());
    append_float_field(trainer, 10, 0.9995f);
    append_bytes_field(trainer, 48, "<pad>");
  }

  std::string normalizer() const {
    std::string message;
    append_bytes_field(message, 1, "nmt_nfkc");
    append_bytes_field(message, 2, charsmap);
    append_varint_field(message, 3, 1);
    return message;
  }

  std::string bytes() const {
    std::string model;
    for (const std::string& piece : pieces) {
      append_bytes_field(model, 1, piece);
    }
    append_bytes_field(model, 2, trainer);
    append_bytes_field(model, 3, normalizer());
    return model + rest;
  }
};

}  // namespace lmzoo::test
