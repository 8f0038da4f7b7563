#include "infer/vectors/token_table.h"

#include <algorithm>
#include <unordered_set>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include "base/check.h"
#include "infer/vectors/encode.h"
#include "train/start/embedding_start.h"

namespace lmzoo {
namespace {

// Rows to be: their names and the tokens that each is made of.
struct Entries {
  std::vector<std::string> names;
  std::vector<std::vector<int64_t>> tokens;
};

Entries vocabulary_entries(const Tokenizer& tokenizer) {
  Entries entries;
  std::unordered_set<std::string> seen;
  const std::vector<TokenWord> tokens = token_words(tokenizer);
  for (size_t id = 0; id < tokens.size(); ++id) {
    const std::string name = (tokens[id].begins_word ? "" : "##") + tokens[id].word;
    if (!tokens[id].word.empty() && seen.insert(name).second) {
      entries.names.push_back(name);
      entries.tokens.push_back({static_cast<int64_t>(id)});
    }
  }
  return entries;
}

// Words that the tokenizer makes no token of are left out; so are repeated ones.
Entries word_entries(const Tokenizer& tokenizer, const std::vector<std::string>& words) {
  Entries entries;
  std::unordered_set<std::string> seen;
  for (const std::string& word : words) {
    std::vector<int64_t> ids = tokenizer.encode(word);
    if (!ids.empty() && seen.insert(word).second) {
      entries.names.push_back(word);
      entries.tokens.push_back(std::move(ids));
    }
  }
  check(!entries.names.empty(), "none of the {} words has a token", words.size());
  return entries;
}

bool is_known(const Tokenizer& tokenizer, const std::vector<int64_t>& ids) {
  const auto& unknown = tokenizer.vocabulary().unk;
  return !ids.empty() && (!unknown || std::find(ids.begin(), ids.end(), *unknown) == ids.end());
}

Tensor mean_rows(const Tensor& table, const std::vector<int64_t>& ids) {  // [V, D] -> [D]
  return table.index_select(0, at::tensor(ids, at::kLong)).mean(0);
}

}  // namespace

VectorTable token_table(const LoadedRun& run, const TokenTableOptions& options, const Progress& progress) {
  const at::NoGradGuard no_grad;
  const Tokenizer& tokenizer = *run.tokenizer;
  Model& model = *run.parts.model;
  Entries entries =
      options.words.empty() ? vocabulary_entries(tokenizer) : word_entries(tokenizer, options.words);
  if (!options.layer) {
    const Tensor table = token_embedding(model).detach().to(at::kCPU, at::kFloat);
    std::vector<Tensor> rows;
    for (const std::vector<int64_t>& ids : entries.tokens) {
      rows.push_back(ids.size() == 1 ? table[ids.front()] : mean_rows(table, ids));
    }
    VectorTable result(std::move(entries.names), at::stack(rows));
    result.compose_with([table, tokens = run.tokenizer](const std::string& word) {
      const std::vector<int64_t> ids = tokens->encode(word);
      return is_known(*tokens, ids) ? mean_rows(table, ids) : Tensor();
    });
    return result;
  }
  const EncodeOptions encode{.layer = options.layer};
  std::vector<ReadText> texts;
  for (const std::vector<int64_t>& ids : entries.tokens) {
    texts.push_back(read_text(run.parts, ids));
  }
  VectorTable result(std::move(entries.names), encode_texts(model, texts, encode, progress));
  result.compose_with([parts = run.parts, tokens = run.tokenizer, encode](const std::string& word) {
    const std::vector<int64_t> ids = tokens->encode(word);
    return is_known(*tokens, ids) ? encode_texts(*parts.model, std::vector{read_text(parts, ids)}, encode)[0]
                                  : Tensor();
  });
  return result;
}

}  // namespace lmzoo
