#include "train/lab/matrix.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/words/word_index.h"
#include "core/parameters.h"
#include "data/batches/collate.h"
#include "nn/parameter.h"

namespace lmzoo {
namespace {

constexpr int64_t kLength = 256;  // enough for the defaults of every objective

// Words, then special tokens and a hundred sentinels: what any objective or model may ask for.
Vocabulary whole_vocabulary() {
  constexpr int64_t kWords = 100, kSentinels = 100;
  Vocabulary vocabulary;
  int64_t next = kWords;
  for (auto* special : {&vocabulary.pad,
                        &vocabulary.unk,
                        &vocabulary.bos,
                        &vocabulary.eos,
                        &vocabulary.cls,
                        &vocabulary.sep,
                        &vocabulary.mask}) {
    *special = next++;
  }
  for (int64_t i = 0; i < kSentinels; ++i) {
    vocabulary.sentinels.push_back(next++);
  }
  vocabulary.size = next;
  vocabulary.counts = std::make_shared<const std::vector<int64_t>>(kWords, 10);
  const auto words = std::make_shared<WordIndex>();
  for (int64_t i = 0; i < kWords; ++i) {
    words->add(fmt::format("w{}", i));
  }
  vocabulary.words = words;
  const WordEdges word{.begins = true, .ends = true};
  vocabulary.edges = std::make_shared<const std::vector<WordEdges>>(static_cast<size_t>(next), word);
  return vocabulary;
}

std::string reason_of(const ModelFamily& family, const ObjectiveKind& objective, const Registry& registry) {
  try {
    const MetaScope meta;
    const Parts parts = matrix_parts(family, family.defaults, objective, registry);
    return refusal(parts.objective->form(), *parts.model);
  } catch (const InputError& error) {
    return error.what();
  }
}

}  // namespace

Parts matrix_parts(const ModelFamily& family,
                   const AnyOptions& model,
                   const ObjectiveKind& objective,
                   const Registry& registry) {
  Parts parts{
      .model = nullptr, .objective = nullptr, .vocabulary = whole_vocabulary(), .classes = {"a", "b"}};
  parts.reading.record.texts = 0;  // as of a published model: every column may be there
  parts.model = family.make(model, {.vocabulary = parts.vocabulary, .sequence_length = kLength});
  ObjectiveContext context = objective_context(parts, kLength, registry);
  // Who wants a teacher has one of the same kind.
  context.open_model = [&](const std::string&) {
    FurtherModel teacher{.name = "teacher", .type = family.name, .options = model, .model = nullptr};
    teacher.model = family.make(model, {.vocabulary = parts.vocabulary, .sequence_length = kLength});
    teacher.model->eval();
    return teacher;
  };
  parts.objective = objective.make(objective.defaults, context);
  return parts;
}

std::vector<MatrixCell> objective_matrix(const Registry& registry) {
  std::vector<MatrixCell> cells;
  for (const auto& [name, objective] : registry.objectives()) {
    for (const auto& [family, model] : registry.models()) {
      cells.push_back({name, family, reason_of(model, objective, registry)});
    }
  }
  return cells;
}

std::string to_text(const std::vector<MatrixCell>& cells) {
  std::vector<std::string> models, reasons;
  size_t width = 0;
  for (const MatrixCell& cell : cells) {
    width = std::max(width, cell.objective.size());
    if (std::ranges::find(models, cell.model) == models.end()) {
      models.push_back(cell.model);
    }
  }
  std::string text = std::string(width, ' ');
  for (const std::string& model : models) {
    text += "  " + model;
  }
  std::string row;
  for (const MatrixCell& cell : cells) {
    if (cell.objective != row) {
      row = cell.objective;
      text += fmt::format("\n{:{}}", row, width);
    }
    std::string mark = "yes";
    if (!cell.refusal.empty()) {
      auto known = std::ranges::find(reasons, cell.refusal);
      known = known == reasons.end() ? reasons.insert(known, cell.refusal) : known;
      mark = fmt::format("({})", known - reasons.begin() + 1);
    }
    text += fmt::format("  {:{}}", mark, cell.model.size());
  }
  text += "\n";
  for (size_t i = 0; i < reasons.size(); ++i) {
    text += fmt::format("({}) {}\n", i + 1, reasons[i]);
  }
  return text;
}

Json to_json(const std::vector<MatrixCell>& cells) {
  Json all = Json::array();
  for (const MatrixCell& cell : cells) {
    all.push_back({{"objective", cell.objective},
                   {"model", cell.model},
                   {"goes", cell.refusal.empty()},
                   {"reason", cell.refusal.empty() ? Json() : Json(cell.refusal)}});
  }
  return all;
}

}  // namespace lmzoo
