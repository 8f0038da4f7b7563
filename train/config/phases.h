// `phases`: stages of one run, one after the other, each with its length and with what it changes.
//
//   phases:
//     - {name: causal, share: 0.6, objective: {type: causal_lm}}
//     - {name: masked, share: 0.4, objective: {type: masked_next_token, rate: 0.15}, data: {sequence_length: 256}}
//
// A phase's sections are laid over those of the document: mappings are merged, anything else replaces what was there, and
// `~` takes it away; an `objective`, `optimizer` or component of another type replaces the whole. Lengths are all `steps`,
// all `share` (of train.steps, together 1) or all `tokens` (of the text, counted before training). A phase with a schedule
// of its own has it over its own steps; the schedule of the document spans all of the run.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/yaml.h"
#include "train/config/run_config.h"

namespace lmzoo {

// Takes the key `phases` out of a document; a null node when there is none.
YamlNode take_phases(YamlNode& root);

// The phases of that node, not yet parsed. InputError for what is no list of mappings, another section than a phase may
// have, names that are no names or appear twice.
std::vector<Phase> read_phases(const YamlNode& node);

// Dotted keys of all values in a mapping that are no mappings.
std::vector<std::string> leaves_of(const YamlNode& node);

// The document of one phase.
YamlNode phase_document(const YamlNode& root, const Phase& phase);

// Checks what concerns the run as a whole, and gives each phase its train.steps, as far as it follows from the
// configuration (shares and steps).
void settle_phases(LoadedConfig& loaded);

// The list as it is written into a run's config.yaml.
YamlNode dump_phases(const std::vector<Phase>& phases);

Json phases_schema(const Json& run);  // of a run's schema

}  // namespace lmzoo
