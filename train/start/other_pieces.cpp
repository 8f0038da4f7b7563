#include "train/start/other_pieces.h"

#include <algorithm>
#include <filesystem>
#include <memory>

#include "base/check.h"
#include "base/utf8.h"
#include "tokenizer/published/published.h"
#include "train/saved/run_files.h"

namespace lmzoo {
namespace {

std::shared_ptr<const Tokenizer> tokenizer_of_weights(const std::string& from) {
  if (from.empty() || std::filesystem::is_regular_file(from)) {
    return nullptr;
  }
  if (has_huggingface_tokenizer(from)) {
    return load_huggingface_tokenizer(from);
  }
  try {
    return load_tokenizer(tokenizer_folder(run_of(from)));
  } catch (const InputError&) {
    return nullptr;  // a folder of weights alone
  }
}

}  // namespace

std::string other_pieces(const std::string& from, const Tokenizer& tokenizer) {
  const auto theirs = tokenizer_of_weights(from);
  if (theirs == nullptr) {
    return "";
  }
  const int64_t size = tokenizer.vocabulary().size;
  const int64_t common = std::min(size, theirs->vocabulary().size);
  int64_t other = size - common;
  for (int64_t id = 0; id < common; ++id) {
    other += tokenizer.piece(id) != theirs->piece(id) ? 1 : 0;
  }
  return other == 0
             ? ""
             : fmt::format(
                   "{} of the tokenizer's {} ids are other pieces than in {}; tokenizer: {{from: {}}} takes "
                   "its tokenizer",
                   other,
                   size,
                   printable(from),
                   printable(from));
}

}  // namespace lmzoo
