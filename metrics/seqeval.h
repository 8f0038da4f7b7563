// Entities in tagged sequences, as the seqeval package finds and scores them: an entity is right when its
// type and both borders are.
//
//   B-PER I-PER O B-LOC   ->   PER [0, 2)   LOC [3, 4)
//
// The default mode is conlleval's (CoNLL-2000, Tjong Kim Sang and Buchholz): any sequence of B, I, E, S and O
// has entities, and tags that a scheme would not allow begin or end one where they must. The strict mode
// takes a scheme at its word: an entity that does not begin and end as the scheme says is none.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "metrics/classification.h"

namespace lmzoo {

enum class TagScheme { iob1, iob2, ioe1, ioe2, iobes, bilou };

struct Entity {
  std::string type;  // "_" for a tag without one
  int64_t begin = 0;
  int64_t end = 0;  // one after the last

  auto operator<=>(const Entity&) const = default;  // NOLINT(modernize-use-nullptr): there is no null
};

// Ascending. A tag that does not begin with one of the mode's letters is an InputError.
std::vector<Entity> find_entities(std::span<const std::string> tags,
                                  std::optional<TagScheme> strict = std::nullopt);

// Counts by type; they add over sentences.
using EntityCounts = std::map<std::string, ClassCounts>;
void add_counts(EntityCounts& sum, const EntityCounts& more);
EntityCounts count_entities(std::span<const std::string> truth,
                            std::span<const std::string> predicted,
                            std::optional<TagScheme> strict = std::nullopt);

struct EntityScores {
  ClassScores micro, macro, weighted;  // micro is what papers call F1
  std::map<std::string, ClassScores> types;
};
EntityScores entity_scores(const EntityCounts& counts);

}  // namespace lmzoo
