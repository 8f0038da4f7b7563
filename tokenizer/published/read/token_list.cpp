#include "tokenizer/published/read/token_list.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/utf8.h"

namespace lmzoo::huggingface {
namespace {

constexpr int64_t kMostIds = 100'000'000;

int64_t id_from(const std::string& key, const JsonPart& list) {
  list.require(!key.empty() && key.size() < 9 && key.find_first_not_of("0123456789") == std::string::npos,
               "\"{}\" must be an id with a token",
               printable(key));
  return std::stoll(key);
}

// A token, and what gave it an id.
struct Numbered {
  AddedToken token;
  std::string place;
};
using ById = std::map<int64_t, Numbered>;

// `names`: of tokens with a role.
ById from_config(const FolderHints& hints, const JsonPart& list, const std::set<std::string>& names) {
  ById tokens;
  list.require(list.json().is_object(), "must be an object of ids and tokens");
  for (const auto& [key, value] : list.json().items()) {
    const JsonPart token(value, list.file(), "added_tokens_decoder." + printable(key));
    token.require(value.is_object(), "must be a token, an object with \"content\"");
    const bool is_special = names.contains(token.text("content"));
    tokens[id_from(key, list)] = {is_special ? read_special_token(token) : read_token(token, false),
                                  hints.path("tokenizer_config.json: added_tokens_decoder")};
  }
  return tokens;
}

// added_tokens.json, and then what tokenizer.json says of the same ids.
ById from_files(const FolderHints& hints, const std::optional<JsonPart>& own) {
  ById tokens;
  std::set<std::string> special;
  for (const char* key : kRoleKeys) {
    if (const Json* token = hints.named(key); token != nullptr && !token->is_null()) {
      special.insert(read_special_token(JsonPart(*token, hints.folder, key)).content);
    }
  }
  for (const JsonPart& extra : hints.find_extras().tokens) {
    special.insert(read_special_token(extra).content);
  }
  const std::string path = hints.path("added_tokens.json");
  for (const auto& [name, id] : hints.added.items()) {
    check(id.is_number_integer() && id >= 0 && id < kMostIds,
          "{}: \"{}\" must have an id",
          path,
          printable(name));
    const bool is_special = special.contains(name);
    tokens[id.get<int64_t>()] = {{.content = name, .normalized = !is_special, .special = is_special}, path};
  }
  if (own) {
    for (const JsonPart& item : own->items()) {
      tokens[item.at("id").as_natural(kMostIds)] = {read_token(item, false), own->file()};
    }
  }
  return tokens;
}

}  // namespace

TokenList::TokenList(const Json& tokenizer, const std::string& file) {
  const JsonPart part(tokenizer, file);
  const JsonPart vocabulary = part.at("model").at("vocab");
  const auto piece = [&](const std::string& text, int64_t id) {
    ++count_;
    pieces_.emplace(text, id);
    ids_.emplace(id, text);
  };
  if (vocabulary.json().is_array()) {
    for (const Json& entry : vocabulary.json()) {
      const bool named = entry.is_array() && !entry.empty() && entry[0].is_string();
      piece(named ? entry[0].get<std::string>() : "", count_);
    }
  } else if (vocabulary.json().is_object()) {
    for (const auto& [text, id] : vocabulary.json().items()) {
      piece(text, id.is_number_integer() ? id.get<int64_t>() : -1);
    }
  }
  const auto added = part.find("added_tokens");
  for (const JsonPart& item : added ? added->items() : std::vector<JsonPart>{}) {
    const int64_t id = item.at("id").as_natural(kMostIds);
    AddedToken token = read_token(item, false);
    // Reading the pipeline says what is wrong with an id that belongs to another piece, or a token that comes twice.
    const auto known = id_of(token.content);
    const bool is_new = !known && !ids_.contains(id);
    if (is_new) {
      add(std::move(token), id, item.file() + ": added_tokens");
    } else {
      token.id = static_cast<PieceId>(id);
      largest_ = std::max(largest_, id);
      places_.emplace(token.content, tokens_.size());
      tokens_.push_back(std::move(token));
    }
  }
}

std::optional<int64_t> TokenList::id_of(const std::string& content) const {
  if (const auto place = places_.find(content); place != places_.end()) {
    return tokens_[place->second].id;
  }
  const auto piece = pieces_.find(content);
  return piece == pieces_.end() ? std::nullopt : std::optional<int64_t>(piece->second);
}

int64_t TokenList::next_id() const { return std::max(largest_ + 1, count_); }

void TokenList::add(AddedToken token, std::optional<int64_t> wanted, const std::string& place) {
  if (token.content.empty()) {
    return;
  }
  const auto known = id_of(token.content);
  const int64_t id = known ? *known : next_id();
  check(!wanted || *wanted == id,
        "{}: \"{}\" has id {}, but Hugging Face's tokenizers give it {}, {}",
        place,
        printable(token.content),
        wanted.value_or(0),
        id,
        known ? "its id in the vocabulary" : "the next one that is free");
  check(known || !ids_.contains(id),
        "{}: \"{}\" would get id {}, which is that of the piece \"{}\": the ids of the vocabulary have holes",
        place.empty() ? "the tokenizer" : place,
        printable(token.content),
        id,
        ids_.contains(id) ? printable(ids_.at(id)) : "");
  token.id = static_cast<PieceId>(id);
  largest_ = std::max(largest_, id);
  if (const auto [found, is_new] = places_.emplace(token.content, tokens_.size()); !is_new) {
    tokens_[found->second] = std::move(token);
  } else {
    tokens_.push_back(std::move(token));
  }
}

Json TokenList::to_json() const {
  std::vector<AddedToken> sorted = tokens_;
  std::ranges::stable_sort(sorted, {}, &AddedToken::id);
  Json list = Json::array();
  for (const AddedToken& token : sorted) {
    list.push_back(Json{{"id", token.id},
                        {"content", token.content},
                        {"single_word", token.single_word},
                        {"lstrip", token.lstrip},
                        {"rstrip", token.rstrip},
                        {"normalized", token.normalized},
                        {"special", token.special}});
  }
  return list;
}

void add_tokens(TokenList& list,
                const FolderHints& hints,
                const std::vector<NamedToken>& named,
                const std::optional<JsonPart>& own) {
  // In transformers a token that is given as a mere name and one with the same flags are two.
  struct Candidate {
    AddedToken token;
    bool is_name;
  };
  std::vector<Candidate> candidates;
  std::set<std::string> names;
  const auto propose = [&](AddedToken token, bool is_name) {
    const auto equal = [&](const Candidate& other) {
      return other.is_name == is_name && other.token == token;
    };
    if (std::ranges::none_of(candidates, equal)) {
      candidates.push_back({std::move(token), is_name});
    }
  };
  for (const NamedToken& token : named) {
    names.insert(token.token.content);
    propose(token.token, token.is_name);
  }
  for (const JsonPart& token : hints.own_named()) {
    names.insert(read_special_token(token).content);
    propose(read_special_token(token), token.json().is_string());
  }
  const FolderHints::Extras extras = hints.find_extras();
  for (const auto* list_of : {&extras.tokens, &extras.late}) {
    for (const JsonPart& extra : *list_of) {
      propose(read_token(extra, true), extra.json().is_string());
    }
  }
  const JsonPart config(hints.config, hints.path("tokenizer_config.json"));
  const auto given = config.find("added_tokens_decoder");
  std::set<std::string> known;
  for (const Candidate& candidate : candidates) {
    if (own && list.has(candidate.token.content)) {
      known.insert(candidate.token.content);
    }
  }
  for (auto& [id, numbered] : given ? from_config(hints, *given, names) : from_files(hints, own)) {
    AddedToken token = std::move(numbered.token);
    token.special = token.special || names.contains(token.content);
    known.insert(token.content);
    list.add(std::move(token), id, numbered.place);
  }
  for (Candidate& candidate : candidates) {
    if (!known.contains(candidate.token.content)) {
      list.add(std::move(candidate.token));
    }
  }
}

}  // namespace lmzoo::huggingface
