// What the tensors of a family are called at Hugging Face: a table of rules.
//
//   {"stack.block{n}.attention.qkv.*", {"@encoder.layer.{n}.attention.self.query.*", "@...key.*",
//   "@...value.*"}}
//
//   {n}   the number of a layer          *    weight or bias
//   @     the body's prefix: "bert." in BertForMaskedLM, nothing in BertModel
//   a|b   either; if a file has both, they are tied: equal, and one tensor here
//
// Several names are rows of one matrix here, in this order. A transposed rule's matrices are [in, out] there.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lmzoo {

struct NameRule {
  std::string_view ours;  // without "model." or "objective."
  std::vector<std::string_view> theirs;
  bool transposed = false;
};

// The head of a task, for one of our objectives.
struct HeadNames {
  std::string_view objective;     // its name in the registry
  std::string_view architecture;  // the class of transformers that has it
  std::vector<NameRule> rules;    // of "objective." tensors
  bool with_language = false;     // the class has the language-model head, too
};

struct IgnoredNames {
  std::string_view glob;
  std::string_view why;
};

struct NameMap {
  std::vector<std::string_view> prefixes;  // of the body, that of classes with a head first, and ""
  std::string_view anchor;                 // a tensor of every body, without prefix: tells which one it is
  std::vector<NameRule> body;
  std::vector<NameRule> optional;  // of the model, but not of every checkpoint: pooler, masked-LM head
  std::vector<HeadNames> heads;
  std::vector<IgnoredNames> ignored;

  const HeadNames* head_of(std::string_view objective) const;         // nullptr: none
  const HeadNames* head_called(std::string_view architecture) const;  // nullptr: none
};

// What {n} and * stand for.
struct NameCaptures {
  std::string layer, ending;
};
// Whether `pattern` (of ours, or one alternative of theirs with its prefix put in) means `name`.
std::optional<NameCaptures> match_name(std::string_view pattern, std::string_view name);
// One alternative with everything put in.
std::string expand_name(std::string_view pattern, const NameCaptures& captures, std::string_view prefix);
// "a|b" -> {"a", "b"}
std::vector<std::string_view> alternatives_of(std::string_view theirs);

}  // namespace lmzoo
