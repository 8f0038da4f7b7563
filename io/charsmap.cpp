#include "io/charsmap.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "base/utf8.h"

namespace lmzoo {
namespace {

constexpr uint32_t kMaxUnits = 1 << 24;
constexpr uint32_t kMaxOutputBytes = 256;  // NFKC's longest is 33
constexpr int kMaxMatches = 32;            // what libsentencepiece has room for

struct Unit {
  uint32_t bits;

  bool is_value() const { return bits >> 31 != 0; }
  uint32_t value() const { return bits & 0x7FFFFFFF; }
  uint32_t label() const { return bits & 0x800000FF; }
  bool has_leaf() const { return (bits >> 8 & 1) != 0; }
  uint32_t offset() const { return (bits >> 10) << ((bits >> 9 & 1) != 0 ? 8 : 0); }
};

class Charsmap {
 public:
  Charsmap(std::vector<Unit> units, std::string_view outputs) : units_(std::move(units)), outputs_(outputs) {}

  std::string fault() {
    if (const std::optional<uint32_t> unit = unit_out_of_bounds()) {
      return "unit " + std::to_string(*unit) + " of the trie leads out of it";
    }
    if (std::string bad = bad_output(); !bad.empty()) {
      return bad;
    }
    return bad_walk();
  }

 private:
  uint32_t base_of(uint32_t node) const { return node ^ units_[node].offset(); }

  // A walk stands at the root or at a unit that a byte leads to; from there any byte may come. Units that no
  // walk reaches today are held to the same rule.
  std::optional<uint32_t> unit_out_of_bounds() const {
    for (uint32_t node = 0; node < units_.size(); ++node) {
      if ((node == 0 || !units_[node].is_value()) && (base_of(node) | 255u) >= units_.size()) {
        return node;
      }
    }
    return std::nullopt;
  }

  std::string bad_output() const {
    if (outputs_.empty() || outputs_.back() != '\0') {
      return "the outputs do not end with NUL";
    }
    if (!is_utf8(outputs_)) {
      return "the outputs are not UTF-8";
    }
    for (uint32_t node = 1; node < units_.size(); ++node) {
      if (units_[node].is_value() || !units_[node].has_leaf()) {
        continue;
      }
      const uint32_t start = units_[base_of(node)].value();
      if (start >= outputs_.size()) {
        return "unit " + std::to_string(node) + " names an output beyond the end";
      }
      if ((static_cast<unsigned char>(outputs_[start]) & 0xC0) == 0x80) {
        return "unit " + std::to_string(node) + " names an output in the middle of a character";
      }
      if (outputs_.find('\0', start) - start > kMaxOutputBytes) {
        return "unit " + std::to_string(node) + " names an output of over " +
               std::to_string(kMaxOutputBytes) + " bytes";
      }
    }
    return "";
  }

  // Walks every path from the root: no cycle, and at most kMaxMatches values on one path. Paths share their
  // ends (the trie is built from a word graph), so a base is done once; matches_[base] then holds the most
  // that follow it.
  std::string bad_walk() {
    matches_.assign(units_.size(), kUnseen);
    std::vector<Step> path;
    enter(path, base_of(0));
    while (!path.empty()) {
      Step& step = path.back();
      if (step.byte > 255) {
        matches_[step.base] = step.matches;
        path.pop_back();
        continue;
      }
      const uint32_t child = step.base ^ step.byte;
      if (units_[child].label() != step.byte) {
        ++step.byte;
        continue;
      }
      const uint32_t base = base_of(child);
      if (matches_[base] == kOpen) {
        return "the trie has a cycle";
      }
      if (matches_[base] == kUnseen) {
        enter(path, base);
        continue;
      }
      step.matches = std::max(step.matches, matches_[base] + (units_[child].has_leaf() ? 1 : 0));
      if (step.matches > kMaxMatches) {
        return "over " + std::to_string(kMaxMatches) + " inputs begin one another";
      }
      ++step.byte;
    }
    return "";
  }

  static constexpr int kUnseen = -1;
  static constexpr int kOpen = -2;
  struct Step {
    uint32_t base;
    uint32_t byte;  // the next one to try; 256 when all are done
    int matches;    // the most values on a path below, so far
  };

  void enter(std::vector<Step>& path, uint32_t base) {
    matches_[base] = kOpen;
    path.push_back({base, 0, 0});
  }

  std::vector<Unit> units_;
  std::string_view outputs_;
  std::vector<int> matches_;  // by base: kUnseen, kOpen (on the current path) or the count
};

}  // namespace

std::string charsmap_fault(std::string_view charsmap) {
  if (charsmap.empty()) {
    return "";
  }
  uint32_t trie_bytes = 0;
  if (charsmap.size() <= sizeof trie_bytes) {
    return "it is truncated";
  }
  std::memcpy(&trie_bytes, charsmap.data(), sizeof trie_bytes);
  charsmap.remove_prefix(sizeof trie_bytes);
  if (trie_bytes >= charsmap.size()) {
    return "its trie of " + std::to_string(trie_bytes) + " bytes does not fit in the " +
           std::to_string(charsmap.size()) + " that follow";
  }
  if (trie_bytes % sizeof(Unit) != 0 || trie_bytes == 0 || trie_bytes / sizeof(Unit) > kMaxUnits) {
    return "its trie of " + std::to_string(trie_bytes) + " bytes is not a number of units";
  }
  std::vector<Unit> units(trie_bytes / sizeof(Unit));
  std::memcpy(units.data(), charsmap.data(), trie_bytes);
  return Charsmap(std::move(units), charsmap.substr(trie_bytes)).fault();
}

}  // namespace lmzoo
