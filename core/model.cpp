#include "core/model.h"

#include <algorithm>
#include <stdexcept>

#include <ATen/ops/addmm.h>
#include <ATen/ops/mm.h>

namespace lmzoo {

bool ModelPart::holds(std::string_view parameter) const {
  return std::ranges::any_of(prefixes, [&](const std::string& prefix) {
    return parameter.starts_with(prefix) &&
           (parameter.size() == prefix.size() || parameter[prefix.size()] == '.');
  });
}

const ModelPart& part_of(const std::vector<ModelPart>& parts, std::string_view parameter) {
  const auto found =
      std::ranges::find_if(parts, [&](const ModelPart& part) { return part.holds(parameter); });
  if (found == parts.end()) {
    throw std::logic_error("no part of the model holds " + std::string(parameter));
  }
  return *found;
}

int64_t Model::blocks() const {
  int64_t count = 0;
  for (const ModelPart& part : parts()) {
    count = part.kind == PartKind::block ? part.depth + 1 : count;
  }
  return count;
}

Tensor Projection::logits() const {
  return bias.defined() ? at::addmm(bias, rows, weight.t()) : at::mm(rows, weight.t());
}

Tensor Model::hidden_at(const Inputs& inputs, const WantedRows& wanted) {
  return hidden(inputs).index_select(0, wanted.rows);
}

Tensor Model::encode_at(const Inputs& inputs, const WantedRows& wanted) {
  return architecture() == Architecture::encoder_decoder ? encode(inputs).index_select(0, wanted.rows)
                                                         : hidden_at(inputs, wanted);
}

std::unique_ptr<DecodingState> Model::start(const DecodingPlan&) {
  throw std::logic_error("this model does not write");
}

Tensor Model::append(DecodingState&, const NewPositions&, const WantedRows&) {
  throw std::logic_error("this model does not write");
}

Tensor Model::pool(const Tensor&) { throw std::logic_error("this model has no pooler"); }

}  // namespace lmzoo
