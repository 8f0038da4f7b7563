// Where the files of a run lie (train/run/run_folder.h writes them, checkpoint.h those below checkpoints/):
//
//   config.yaml    resolved, complete, re-runnable
//   tokenizer/     everything needed to encode again
//   classes.json   names of the labels in the order of their indexes; only with labeled data
//   manifest.json  sizes and CRCs of the others (of tokenizer/ by its own manifest); a run that lacks it is not compared
#pragma once

#include <string>
#include <vector>

namespace lmzoo {

std::string config_file(const std::string& run);       // RUN/config.yaml
std::string tokenizer_folder(const std::string& run);  // RUN/tokenizer
std::string classes_file(const std::string& run);      // RUN/classes.json

// Whether `folder` holds a run already, begun or finished.
bool is_run(const std::string& folder);

// Writes the manifest of a run whose other files are there; and compares them with it. InputError that names the file.
void write_run_manifest(const std::string& run);
void verify_run_manifest(const std::string& run);
void verify_run(const std::string& run);  // the files of tokenizer/, too

// The run that a RUN argument means: itself, or the one two folders above a checkpoint. InputError when it is
// neither, or when its files are not as they were written.
std::string run_of(const std::string& path);

std::vector<std::string> read_classes(const std::string& run);  // empty without the file

}  // namespace lmzoo
