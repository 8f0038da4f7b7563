#include "metrics/seqeval.h"

#include <algorithm>
#include <iterator>
#include <stdexcept>

#include "base/error.h"
#include "base/utf8.h"

namespace lmzoo {
namespace {

[[noreturn]] void refuse(const std::string& tag, std::string_view letters) {
  std::string legal;
  for (const char letter : letters) {
    legal += std::string(legal.empty() ? "" : " ") + letter;
  }
  throw InputError("tag '" + printable(tag) + "' begins with none of " + legal);
}

struct Tag {
  char letter = 'O';
  std::string type = "_";
};

// ---- default mode

// "B-PER-x" is of type PER-x, "BPER" of PER.
Tag loose_tag(const std::string& text) {
  constexpr std::string_view kLetters = "BIESO";
  if (text.empty() || kLetters.find(text[0]) == std::string_view::npos) {
    refuse(text, kLetters);
  }
  const std::string rest = text.substr(1);
  const size_t dash = rest.find('-');
  const std::string type = dash == std::string::npos ? rest : rest.substr(dash + 1);
  return {.letter = text[0], .type = type.empty() ? "_" : type};
}

bool is_one_of(char letter, std::string_view letters) {
  return letters.find(letter) != std::string_view::npos;
}

bool ends_loosely(const Tag& before, const Tag& now) {
  return is_one_of(before.letter, "ES") || (is_one_of(before.letter, "BI") && is_one_of(now.letter, "BSO")) ||
         (before.letter != 'O' && before.type != now.type);
}

bool begins_loosely(const Tag& before, const Tag& now) {
  return is_one_of(now.letter, "BS") || (is_one_of(before.letter, "ESO") && is_one_of(now.letter, "EI")) ||
         (now.letter != 'O' && before.type != now.type);
}

std::vector<Entity> loose_entities(std::span<const std::string> tags) {
  std::vector<Entity> entities;
  Tag before;
  int64_t begin = 0;
  const auto end = static_cast<int64_t>(tags.size());
  for (int64_t i = 0; i <= end; ++i) {
    const Tag now = i < end ? loose_tag(tags[static_cast<size_t>(i)]) : Tag{};
    if (ends_loosely(before, now)) {
      entities.push_back({.type = before.type, .begin = begin, .end = i});
    }
    if (begins_loosely(before, now)) {
      begin = i;
    }
    before = now;
  }
  return entities;
}

// ---- strict mode

enum class Types { any, same, different };
// Two neighbors of these letters whose types are so.
struct Pair {
  std::string_view before, now;
  Types types;
};
struct Rules {
  std::string_view letters;
  std::vector<Pair> begin, inside, end;
};

constexpr std::string_view kAny = "IOBESUL";

const Rules& rules_of(TagScheme scheme) {
  using enum Types;
  static const Rules iob1{
      "IOB",
      {{"O", "I", any}, {"I", "I", different}, {"B", "I", any}, {"IB", "B", same}},
      {{"BI", "I", same}},
      {{"I", "I", different}, {"I", "OB", any}, {"B", "O", any}, {"B", "I", different}, {"B", "B", same}}};
  static const Rules iob2{
      "IOB", {{kAny, "B", any}}, {{"BI", "I", same}}, {{"IB", "OB", any}, {"IB", "I", different}}};
  static const Rules ioe1{"IOE",
                          {{"O", "I", any}, {"I", "I", different}, {"E", "I", any}, {"E", "E", same}},
                          {{"I", "IE", same}},
                          {{"I", "I", different}, {"I", "O", any}, {"I", "E", different}, {"E", "IE", same}}};
  static const Rules ioe2{
      "IOE", {{"OE", "IE", any}, {"I", "IE", different}}, {{"I", "IE", same}}, {{"E", kAny, any}}};
  static const Rules iobes{"IOBES", {{kAny, "BS", any}}, {{"BI", "IE", same}}, {{"SE", kAny, any}}};
  static const Rules bilou{"BILOU", {{kAny, "BU", any}}, {{"BI", "IL", same}}, {{"UL", kAny, any}}};
  switch (scheme) {
    case TagScheme::iob1:
      return iob1;
    case TagScheme::iob2:
      return iob2;
    case TagScheme::ioe1:
      return ioe1;
    case TagScheme::ioe2:
      return ioe2;
    case TagScheme::iobes:
      return iobes;
    case TagScheme::bilou:
      return bilou;
  }
  throw std::logic_error("rules_of: no such scheme");
}

bool any_holds(const std::vector<Pair>& pairs, const Tag& before, const Tag& now) {
  return std::any_of(pairs.begin(), pairs.end(), [&](const Pair& pair) {
    return is_one_of(before.letter, pair.before) && is_one_of(now.letter, pair.now) &&
           (pair.types == Types::any || (pair.types == Types::same) == (before.type == now.type));
  });
}

// Here dashes around the type are not part of it.
Tag strict_tag(const std::string& text, const Rules& rules) {
  if (text.empty() || !is_one_of(text[0], rules.letters)) {
    refuse(text, rules.letters);
  }
  const size_t first = text.find_first_not_of('-', 1);
  const size_t last = text.find_last_not_of('-');
  return {.letter = text[0], .type = first == std::string::npos ? "_" : text.substr(first, last + 1 - first)};
}

std::vector<Entity> strict_entities(std::span<const std::string> texts, const Rules& rules) {
  std::vector<Tag> tags;
  for (const std::string& text : texts) {
    tags.push_back(strict_tag(text, rules));
  }
  tags.emplace_back();  // outside
  std::vector<Entity> entities;
  Tag before;
  for (size_t i = 0; i < tags.size();) {
    if (!any_holds(rules.begin, before, tags[i])) {
      before = tags[i++];
      continue;
    }
    size_t end = i + 1;
    while (end < tags.size() && any_holds(rules.inside, tags[end - 1], tags[end])) {
      ++end;
    }
    if (end < tags.size() && any_holds(rules.end, tags[end - 1], tags[end])) {
      entities.push_back(
          {.type = tags[i].type, .begin = static_cast<int64_t>(i), .end = static_cast<int64_t>(end)});
    }
    before = tags[end - 1];
    i = end;
  }
  return entities;
}

}  // namespace

std::vector<Entity> find_entities(std::span<const std::string> tags, std::optional<TagScheme> strict) {
  return strict ? strict_entities(tags, rules_of(*strict)) : loose_entities(tags);
}

void add_counts(EntityCounts& sum, const EntityCounts& more) {
  for (const auto& [type, counts] : more) {
    sum[type] += counts;
  }
}

EntityCounts count_entities(std::span<const std::string> truth,
                            std::span<const std::string> predicted,
                            std::optional<TagScheme> strict) {
  if (truth.size() != predicted.size()) {
    throw std::logic_error("count_entities: a sentence has two lengths");
  }
  std::vector<Entity> wanted = find_entities(truth, strict), found = find_entities(predicted, strict), both;
  std::sort(wanted.begin(), wanted.end());
  std::sort(found.begin(), found.end());
  std::set_intersection(wanted.begin(), wanted.end(), found.begin(), found.end(), std::back_inserter(both));
  EntityCounts counts;
  for (const Entity& entity : wanted) {
    ++counts[entity.type].truth;
  }
  for (const Entity& entity : found) {
    ++counts[entity.type].predicted;
  }
  for (const Entity& entity : both) {
    ++counts[entity.type].hits;
  }
  return counts;
}

EntityScores entity_scores(const EntityCounts& counts) {
  EntityScores scores;
  std::vector<ClassCounts> all;
  for (const auto& [type, of_type] : counts) {
    scores.types[type] = scores_of(of_type);
    all.push_back(of_type);
  }
  scores.micro = average(all, Average::micro);
  scores.macro = average(all, Average::macro);
  scores.weighted = average(all, Average::weighted);
  return scores;
}

}  // namespace lmzoo
