#include "tokenizer/published/read/roles.h"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "tokenizer/vocabulary_of.h"

namespace lmzoo::huggingface {
namespace {

struct Role {
  std::optional<int64_t> Vocabulary::*id;
  const char* key;  // in the files
  std::array<std::string_view, 4> names;
};

constexpr std::array kRoles{
    Role{&Vocabulary::pad, "pad_token", {"[PAD]", "<pad>"}},
    Role{&Vocabulary::eos, "eos_token", {"</s>", "<|endoftext|>", "<|end_of_text|>", "<eos>"}},
    Role{&Vocabulary::unk, "unk_token", {"[UNK]", "<unk>"}},
    Role{&Vocabulary::bos, "bos_token", {"<s>", "<|begin_of_text|>", "<bos>"}},
    Role{&Vocabulary::cls, "cls_token", {"[CLS]", "<cls>"}},
    Role{&Vocabulary::sep, "sep_token", {"[SEP]", "<sep>"}},
    Role{&Vocabulary::mask, "mask_token", {"[MASK]", "<mask>"}}};

std::optional<int64_t> id_of_role(const Pipeline& pipeline, std::string_view name) {
  const PieceId id = pipeline.find(name);
  return id == kNoPiece ? std::nullopt : std::optional<int64_t>(id);
}

// Of a frame such as <s> text </s>: the only id before the text, or behind it.
std::optional<int64_t> by_frame(const InputTemplate& frame, const Role& role) {
  const std::vector<int64_t>& before = frame.alone ? frame.alone->before : frame.before;
  const std::vector<int64_t>& after = frame.alone ? frame.alone->after : frame.after;
  if (before.size() != 1 || after.size() != 1) {
    return std::nullopt;
  }
  return role.id == &Vocabulary::cls   ? std::optional(before.front())
         : role.id == &Vocabulary::sep ? std::optional(after.front())
                                       : std::nullopt;
}

std::optional<int64_t> find_role(const Pipeline& pipeline,
                                 const std::vector<NamedToken>& named,
                                 const InputTemplate& frame,
                                 const Role& role) {
  using Source = NamedToken::Source;
  const auto given = std::ranges::find(named, role.key, &NamedToken::key);
  if (given != named.end() && given->source != Source::silent) {
    return given->source == Source::none ? std::nullopt : id_of_role(pipeline, given->token.content);
  }
  for (const std::string_view name : role.names) {
    const auto id = name.empty() ? std::nullopt : id_of_role(pipeline, name);
    const AddedToken* token = id ? pipeline.added().find(static_cast<PieceId>(*id)) : nullptr;
    if (token != nullptr && token->special) {
      return id;
    }
  }
  if (const auto id = by_frame(frame, role)) {
    return id;
  }
  const PieceId unknown = pipeline.model().unknown();
  return role.id == &Vocabulary::unk && unknown != kNoPiece ? std::optional<int64_t>(unknown) : std::nullopt;
}

}  // namespace

SpecialTokens special_tokens_of(const Pipeline& pipeline, const std::vector<NamedToken>& named) {
  SpecialTokens tokens;
  tokens.vocabulary.size = static_cast<int64_t>(pipeline.ids());
  const std::vector<int64_t> word{0};  // any id: only what stands around it counts
  tokens.vocabulary.inputs = input_template(pipeline.frame(word, std::nullopt), pipeline.frame(word, word));
  for (const AddedToken& token : pipeline.added().tokens()) {
    if (token.special) {
      tokens.ids.emplace(token.content, token.id);
      tokens.names.emplace(token.id, token.content);
    }
  }
  for (const Role& role : kRoles) {
    if (const auto id = find_role(pipeline, named, *tokens.vocabulary.inputs, role)) {
      tokens.vocabulary.*role.id = id;
      const std::string name = pipeline.piece(static_cast<PieceId>(*id));
      tokens.ids.emplace(name, *id);
      tokens.names.emplace(*id, name);
    }
  }
  for (int64_t i = 0;; ++i) {
    const auto id = id_of_role(pipeline, sentinel_name(i));
    if (!id) {
      return tokens;
    }
    tokens.vocabulary.sentinels.push_back(*id);
    tokens.ids.emplace(sentinel_name(i), *id);
    tokens.names.emplace(*id, sentinel_name(i));
  }
}

Json config_of(const SpecialTokens& specials, const Pipeline& pipeline) {
  Json config{{"tokenizer_class", "PreTrainedTokenizerFast"}, {"clean_up_tokenization_spaces", false}};
  for (const Role& role : kRoles) {
    const auto id = specials.vocabulary.*role.id;
    // A name makes an added token of a piece, which would change ids.
    if (id && pipeline.added().find(static_cast<PieceId>(*id)) != nullptr) {
      config[role.key] = specials.names.at(*id);
    }
  }
  return config;
}

}  // namespace lmzoo::huggingface
