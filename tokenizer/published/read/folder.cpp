#include "tokenizer/published/read/folder.h"

#include <filesystem>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/utf8.h"
#include "io/files.h"
#include "tokenizer/published/pieces/scores.h"
#include "tokenizer/published/read/legacy.h"
#include "tokenizer/published/read/rebuild.h"
#include "tokenizer/published/read/token_list.h"
#include "tokenizer/special_tokens.h"

namespace lmzoo::huggingface {
namespace {

constexpr size_t kMostFileBytes = size_t{64} << 20;
constexpr int64_t kMostExtraIds = 10'000;

// The keys in the order in which tokenizer.json has them.
Json in_order(Json json) {
  Json ordered{{"version", "1.0"}, {"truncation", nullptr}, {"padding", nullptr}};
  for (const char* key :
       {"added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder", "model"}) {
    ordered[key] = json.contains(key) ? std::move(json[key]) : Json();
  }
  return ordered;
}

// `tokenizer`: of older files, or made anew of those parts of a tokenizer.json that count.
Json completed(Json tokenizer, ClassKind kind, const FolderHints& hints, const std::optional<Json>& written) {
  const std::string file = hints.path("tokenizer.json");
  TokenList list(tokenizer, file);
  const bool has_own = written && written->contains("added_tokens") && !(*written)["added_tokens"].is_null();
  add_tokens(
      list,
      hints,
      named_tokens(kind, hints),
      has_own ? std::optional(JsonPart((*written)["added_tokens"], file, "added_tokens")) : std::nullopt);
  if (kind == ClassKind::t5 && !hints.find_extras().is_list) {
    for (int64_t i = 0, sentinels = hints.number("extra_ids", 100, kMostExtraIds); i < sentinels; ++i) {
      if (!list.has(sentinel_name(i))) {
        list.add({.content = sentinel_name(i), .special = true});
      }
    }
  }
  tokenizer["added_tokens"] = list.to_json();
  if (Json frame = frame_of(kind, hints, list, written.has_value()); !frame.is_null()) {
    tokenizer["post_processor"] = std::move(frame);
  } else if (written && kind != ClassKind::as_written) {
    tokenizer["post_processor"] = written->value("post_processor", Json());
  }
  return tokenizer;
}

Json from_tokenizer_json(const Json& written, ClassKind kind, const FolderHints& hints) {
  const std::string file = hints.path("tokenizer.json");
  JsonPart(written, file).at("model").at("vocab");
  return kind == ClassKind::as_written
             ? completed(written, kind, hints, written)
             : in_order(completed(rebuilt(kind, taken_of(written, kind, file), hints), kind, hints, written));
}

// Without the keys whose work is done.
Json settled_config(const FolderHints& hints, ClassKind kind, const std::vector<NamedToken>& named) {
  Json config = hints.config;
  for (const char* key : {"added_tokens_decoder", "add_bos_token", "add_eos_token"}) {
    config.erase(key);
  }
  if (!config.contains("tokenizer_class") || config["tokenizer_class"].is_null()) {
    config["tokenizer_class"] = class_name(kind);
  }
  for (const NamedToken& token : named) {
    if (token.source != NamedToken::Source::silent) {
      const bool is_none = token.source == NamedToken::Source::none;
      config[token.key] = is_none ? Json() : Json(token.token.content);
    }
  }
  const FolderHints::Extras extras = hints.find_extras();
  if (!config.contains("extra_special_tokens") && !config.contains("additional_special_tokens")) {
    Json contents = Json::array();
    for (const auto* list_of : {&extras.tokens, &extras.late}) {
      for (const JsonPart& extra : *list_of) {
        contents.push_back(read_token(extra, true).content);
      }
    }
    if (extras.is_list || !contents.empty()) {
      config["extra_special_tokens"] = std::move(contents);
    }
  }
  return config;
}

// Whether the class makes the same of what it is given when that is saved. The settings of a SentencePiece model would be
// lost, and a class that did not count beside this config.json would count without it.
bool stays_same(const ReadFolder& read, ClassKind kind, const FolderHints& hints) {
  FolderHints saved = hints;
  saved.config = read.config;
  saved.map = Json::object();
  saved.added = Json::object();
  saved.model = Json::object();
  return kind_of(saved, "") == kind && (kind == ClassKind::as_written ||
                                        from_tokenizer_json(read.tokenizer, kind, saved) == read.tokenizer);
}

}  // namespace

ReadFolder read_folder(const FolderHints& hints) {
  check(!hints.flag("split_special_tokens", false),
        "{}: split_special_tokens: true is not understood here",
        hints.path("tokenizer_config.json"));
  ReadFolder read;
  ClassKind kind = ClassKind::as_written;
  const std::string path = hints.path("tokenizer.json");
  if (std::filesystem::exists(path)) {
    std::string bytes = read_text_file(path, kMostFileBytes);
    Json written = parse_json(bytes, path);
    take_scores_as_read(written);
    kind = kind_of(hints, bytes);
    read.tokenizer = from_tokenizer_json(written, kind, hints);
    read.bytes = read.tokenizer == written ? std::move(bytes) : "";
  } else {
    Legacy legacy = from_legacy_files(hints);
    kind = legacy.kind;
    read.tokenizer = in_order(completed(std::move(legacy.tokenizer), kind, hints, std::nullopt));
  }
  if (read.bytes.empty()) {
    read.bytes = read.tokenizer.dump(1) + "\n";
  }
  read.named = named_tokens(kind, hints);
  read.config = settled_config(hints, kind, read.named);
  if (!stays_same(read, kind, hints)) {
    read.config["tokenizer_class"] = class_name(ClassKind::as_written);
  }
  return read;
}

}  // namespace lmzoo::huggingface
