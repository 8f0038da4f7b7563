#include "tokenizer/published/tokenizer.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/check.h"
#include "tokenizer/published/published.h"
#include "tokenizer/published/read/folder.h"
#include "tokenizer/published/read/legacy.h"
#include "tokenizer/published/read/roles.h"

namespace lmzoo {
namespace huggingface {

PipelineTokenizer::PipelineTokenizer(std::unique_ptr<const Pipeline> pipeline,
                                     SpecialTokens specials,
                                     std::string json,
                                     std::string config)
    : Tokenizer(std::move(specials)),
      pipeline_(std::move(pipeline)),
      json_(std::move(json)),
      config_(std::move(config)) {}

std::map<std::string, std::string> PipelineTokenizer::files() const {
  return {{kPipelineFile, json_}, {kConfigFile, config_}};
}

std::vector<int64_t> PipelineTokenizer::encode_text(std::string_view text) const {
  return pipeline_->encode(text, false);
}

Encoding PipelineTokenizer::encode_text_with_offsets(std::string_view text) const {
  return pipeline_->encode_with_offsets(text, false);
}

std::vector<int64_t> PipelineTokenizer::encode_marked_text(std::string_view text) const {
  return pipeline_->encode(text, true);
}

Encoding PipelineTokenizer::encode_marked_text_with_offsets(std::string_view text) const {
  return pipeline_->encode_with_offsets(text, true);
}

std::string PipelineTokenizer::decode_ids(std::span<const int64_t> ids, Specials specials) const {
  return pipeline_->decode(ids, specials == Specials::show);
}

std::string PipelineTokenizer::decode_text(std::span<const int64_t> ids) const {
  return pipeline_->decode(ids, true);
}

FramedText PipelineTokenizer::with_specials(std::span<const int64_t> first,
                                            std::optional<std::span<const int64_t>> second) const {
  return pipeline_->frame(first, second);
}

std::string PipelineTokenizer::text_piece(int64_t id) const {
  return pipeline_->piece(static_cast<PieceId>(id));
}

std::optional<int64_t> PipelineTokenizer::text_id(std::string_view piece) const {
  const PieceId id = pipeline_->find(piece);
  return id == kNoPiece ? std::nullopt : std::optional<int64_t>(id);
}

std::shared_ptr<const Tokenizer> make_pipeline_tokenizer(const Json& json,
                                                         const std::vector<NamedToken>& named,
                                                         PipelineFiles files) {
  auto pipeline = read_pipeline(json, files.file);
  SpecialTokens specials = special_tokens_of(*pipeline, named);
  const Json config = files.config.empty() ? config_of(specials, *pipeline) : std::move(files.config);
  return std::make_shared<PipelineTokenizer>(
      std::move(pipeline), std::move(specials), std::move(files.bytes), config.dump(2) + "\n");
}

}  // namespace huggingface

bool has_huggingface_tokenizer(const std::string& folder) {
  return std::filesystem::exists(folder + "/" + huggingface::kPipelineFile) ||
         huggingface::has_legacy_files(folder);
}

std::shared_ptr<const Tokenizer> load_huggingface_tokenizer(const std::string& folder) {
  check(has_huggingface_tokenizer(folder),
        "{}: has no tokenizer: none of tokenizer.json, vocab.txt, vocab.json with merges.txt, spiece.model, "
        "tokenizer.model, sentencepiece.bpe.model",
        folder);
  const huggingface::FolderHints hints(folder);
  huggingface::ReadFolder read = huggingface::read_folder(hints);
  const bool says_nothing = hints.config.empty() && hints.map.empty() &&
                            std::ranges::all_of(read.named, [](const huggingface::NamedToken& token) {
                              return token.source == huggingface::NamedToken::Source::silent;
                            });
  return huggingface::make_pipeline_tokenizer(
      read.tokenizer,
      read.named,
      {.bytes = std::move(read.bytes),
       .config = says_nothing ? Json::object() : std::move(read.config),
       .file = folder + "/" + huggingface::kPipelineFile});
}

}  // namespace lmzoo
