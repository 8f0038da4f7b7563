#include "train/exchange/huggingface/weight_plan.h"

#include <map>
#include <stdexcept>

#include "base/check.h"
#include "nn/linear.h"

namespace lmzoo {
namespace {

// The rows of every merged map's parts, by the map's name.
std::map<std::string, std::vector<RowPart>> merged_maps(const Model& model) {
  std::map<std::string, std::vector<RowPart>> maps;
  for (const auto& item : model.named_modules()) {
    if (const auto* linear = dynamic_cast<const Linear*>(item.value)) {
      maps[item.name] = linear->parts;
    }
  }
  return maps;
}

const NameRule* find_rule(const std::vector<NameRule>& rules,
                          const std::string& name,
                          NameCaptures& captures) {
  for (const NameRule& rule : rules) {
    if (const auto match = match_name(rule.ours, name)) {
      captures = *match;
      return &rule;
    }
  }
  return nullptr;
}

void fill_names(PlannedTensor& planned, const NameCaptures& captures, const std::string& prefix) {
  for (const std::string_view part : planned.rule->theirs) {
    std::vector<std::string>& names = planned.theirs.emplace_back();
    for (const std::string_view alternative : alternatives_of(part)) {
      names.push_back(expand_name(alternative, captures, prefix));
    }
  }
}

void choose_layer(NameCaptures& captures, const std::vector<int64_t>& layers) {
  if (!captures.layer.empty() && !layers.empty()) {
    captures.layer = std::to_string(layers.at(std::stoul(captures.layer)));
  }
}

void fill_rows(PlannedTensor& planned, const std::vector<RowPart>& parts) {
  if (planned.rule->theirs.size() == 1) {
    planned.rows = {planned.tensor.dim() > 0 ? planned.tensor.size(0) : 1};
    return;
  }
  for (const RowPart& part : parts) {
    planned.rows.push_back(part.rows);
  }
  if (planned.rows.size() != planned.rule->theirs.size()) {
    throw std::logic_error("the names of " + planned.ours + " are not those of its parts");
  }
}

}  // namespace

std::vector<PlannedTensor> plan_weights(const Model& model,
                                        const Objective* objective,
                                        const NameMap& names,
                                        const PlannedNames& wanted) {
  const HeadNames* const head = wanted.head;
  const auto merged = merged_maps(model);
  std::vector<PlannedTensor> all;
  NameCaptures captures;
  for (const auto& item : model.named_parameters()) {
    const std::string& name = item.name;
    PlannedTensor planned{.ours = "model." + name, .tensor = item.value};
    planned.rule = find_rule(names.body, name, captures);
    if (planned.rule == nullptr) {
      planned.rule = find_rule(names.optional, name, captures);
      planned.optional = planned.rule != nullptr;
    }
    if (planned.rule != nullptr) {
      choose_layer(captures, wanted.layers);
      fill_names(planned, captures, wanted.prefix);
      const auto map = merged.find(name.substr(0, name.rfind('.')));
      fill_rows(planned, map == merged.end() ? std::vector<RowPart>{} : map->second);
    }
    all.push_back(std::move(planned));
  }
  if (objective == nullptr) {
    return all;
  }
  for (const auto& item : objective->named_parameters()) {
    PlannedTensor planned{.ours = "objective." + item.name, .tensor = item.value, .head = true};
    planned.rule = head != nullptr ? find_rule(head->rules, item.name, captures) : nullptr;
    if (planned.rule != nullptr) {
      fill_names(planned, captures, wanted.prefix);
      fill_rows(planned, {});
    }
    all.push_back(std::move(planned));
  }
  return all;
}

}  // namespace lmzoo
