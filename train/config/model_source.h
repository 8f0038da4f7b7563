// `model: {from: FOLDER, ...}`: the architecture and the weights of a published checkpoint or of a run.
// `tokenizer: {from: FOLDER}`: the tokenizer of one.
//
//   model: {from: checkpoints/minilm, dropout: 0.2}
//
// is written out, before the document is read, as
//
//   tokenizer: {type: pretrained, path: checkpoints/minilm}     if there is no such section and FOLDER has one
//   model: {type: bert, layers: 6, width: 384, ..., dropout: 0.2}
//   warm_start: {from: checkpoints/minilm}                      unless weights: false stands beside `from`
//
// so that the dumped configuration of a run needs the folder no more than any other warm start does. The tokenizer of a
// run is in its folder tokenizer/. With the weights, options that change what they compute are refused.
#pragma once

#include <string>

#include "io/json.h"
#include "io/yaml.h"

namespace lmzoo {

void expand_from(YamlNode& root);

// The schema of such a model, and of such a tokenizer.
Json model_from_schema();
Json tokenizer_from_schema();

}  // namespace lmzoo
