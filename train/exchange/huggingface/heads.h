// The heads of Hugging Face's classes as options of our objectives (objectives/parts/heads.h), and the columns of
// data that such an objective asks for.
#pragma once

#include <string>

#include "io/yaml.h"
#include "text/source.h"
#include "train/exchange/huggingface/config.h"

namespace lmzoo {

// Name of the objective in the registry for the weights of `from`.
std::string objective_of(const ModelFromFolder& from);

// What a head of the family's class computes: pooling, dense, activation, input_dropout, output_bias. Keys
// that an objective lacks are none of its own.
YamlNode head_settings(const std::string& family, const std::string& architecture);

// InputError when the options of a head are not those of the family's.
void check_head(const YamlNode& options, const std::string& family, const std::string& architecture);

// problem_type of config.json for an objective; empty: none.
std::string problem_type_of(const std::string& objective);

// Column names, so that the objective finds its kind of label; the text is what the data says.
void set_columns(const std::string& objective, TextOptions& data);

}  // namespace lmzoo
