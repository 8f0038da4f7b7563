// The account of import.h as a table and as JSON.
#include <algorithm>
#include <cctype>
#include <map>

#include "base/check.h"
#include "base/utf8.h"
#include "train/exchange/huggingface/import.h"

namespace lmzoo {
namespace {

std::string_view name_of(KeyFate fate) {
  switch (fate) {
    case KeyFate::loaded:
      return "loaded";
    case KeyFate::transposed:
      return "transposed";
    case KeyFate::split:
      return "split";
    case KeyFate::tied:
      return "tied";
    case KeyFate::ignored:
      return "ignored";
    case KeyFate::missing:
      return "missing";
    case KeyFate::fresh:
      return "new";
  }
  return "?";
}

// "h.3.attn" -> "h.*.attn", "block3.x" -> "block*.x": the number of the layer, not that of a bucket or
// sublayer.
std::string without_layer(const std::string& name) {
  size_t at = 0;
  while (at < name.size()) {
    const bool starts = std::isdigit(static_cast<unsigned char>(name[at])) != 0;
    const bool counts = starts && at > 0 && (name[at - 1] == '.' || name.substr(0, at).ends_with("block"));
    if (!counts) {
      ++at;
      continue;
    }
    size_t end = at;
    while (end < name.size() && std::isdigit(static_cast<unsigned char>(name[end])) != 0) {
      ++end;
    }
    return name.substr(0, at) + "*" + name.substr(end);
  }
  return name;
}

std::string shown_shape(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (const int64_t size : shape) {
    text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  }
  return text + "]";
}

struct Line {
  KeyRow row;  // names without layers
  int64_t count = 0;
};

std::vector<Line> lines_of(const KeyAccount& account) {
  std::vector<Line> lines;
  std::map<std::string, size_t> known;
  for (const KeyRow& row : account.rows) {
    KeyRow merged = row;
    merged.theirs = printable(without_layer(row.theirs), 120);
    merged.ours = without_layer(row.ours);
    merged.note = without_layer(row.note);
    const std::string key = fmt::format("{}\n{}\n{}\n{}\n{}",
                                        name_of(row.fate),
                                        merged.theirs,
                                        merged.ours,
                                        merged.note,
                                        shown_shape(row.shape));
    const auto [it, added] = known.emplace(key, lines.size());
    if (added) {
      lines.push_back({std::move(merged), 0});
    }
    ++lines[it->second].count;
  }
  return lines;
}

std::string padded(std::string text, size_t width) {
  text.resize(std::max(text.size(), width), ' ');
  return text;
}

}  // namespace

int64_t KeyAccount::count(KeyFate fate) const {
  return std::ranges::count_if(rows, [&](const KeyRow& row) { return row.fate == fate; });
}

std::string to_text(const KeyAccount& account) {
  const std::vector<Line> lines = lines_of(account);
  size_t theirs = 0, ours = 0;
  for (const Line& line : lines) {
    theirs = std::max(theirs, line.row.theirs.size());
    ours = std::max(ours, line.row.ours.size());
  }
  std::string text;
  for (const auto& [row, count] : lines) {
    std::string line = padded(std::string(name_of(row.fate)), 10) + " " +
                       padded(count > 1 ? fmt::format("{}x", count) : "", 4) + " " +
                       padded(row.theirs, theirs) + "  " + padded(row.ours, ours) + "  " +
                       padded(shown_shape(row.shape), 14) + "  " + row.note;
    line.resize(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  std::string totals;
  for (const KeyFate fate : {KeyFate::loaded,
                             KeyFate::transposed,
                             KeyFate::split,
                             KeyFate::tied,
                             KeyFate::ignored,
                             KeyFate::missing,
                             KeyFate::fresh}) {
    if (account.count(fate) > 0) {
      totals += fmt::format("{}{} {}", totals.empty() ? "" : ", ", account.count(fate), name_of(fate));
    }
  }
  return text + totals + "\n";
}

Json to_json(const KeyAccount& account) {
  Json keys = Json::array();
  for (const KeyRow& row : account.rows) {
    Json key{{"fate", name_of(row.fate)}};
    if (!row.theirs.empty()) {
      key["huggingface"] = row.theirs;
    }
    if (!row.ours.empty()) {
      key["lmzoo"] = row.ours;
    }
    key["shape"] = row.shape;
    if (!row.note.empty()) {
      key["note"] = row.note;
    }
    keys.push_back(std::move(key));
  }
  return keys;
}

}  // namespace lmzoo
