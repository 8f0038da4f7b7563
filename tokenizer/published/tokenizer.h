// A pipeline as a Tokenizer.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tokenizer/published/pipeline.h"
#include "tokenizer/published/read/kinds.h"
#include "tokenizer/tokenizer.h"

namespace lmzoo::huggingface {

class PipelineTokenizer final : public Tokenizer {
 public:
  // `json`: the bytes of the tokenizer.json that the pipeline was read from; `config`: of a
  // tokenizer_config.json, made from the special tokens when it is empty.
  PipelineTokenizer(std::unique_ptr<const Pipeline> pipeline,
                    SpecialTokens specials,
                    std::string json,
                    std::string config);

  const Pipeline& pipeline() const { return *pipeline_; }
  FramedText with_specials(std::span<const int64_t> first,
                           std::optional<std::span<const int64_t>> second) const override;

 protected:
  std::map<std::string, std::string> files() const override;
  std::vector<int64_t> encode_text(std::string_view text) const override;
  Encoding encode_text_with_offsets(std::string_view text) const override;
  std::vector<int64_t> encode_marked_text(std::string_view text) const override;
  Encoding encode_marked_text_with_offsets(std::string_view text) const override;
  std::string decode_ids(std::span<const int64_t> ids, Specials specials) const override;
  std::string decode_text(std::span<const int64_t> ids) const override;
  std::string text_piece(int64_t id) const override;
  std::optional<int64_t> text_id(std::string_view piece) const override;

 private:
  std::unique_ptr<const Pipeline> pipeline_;
  std::string json_;
  std::string config_;
};

inline constexpr const char* kPipelineFile = "tokenizer.json";
inline constexpr const char* kConfigFile = "tokenizer_config.json";

// `bytes`: of the tokenizer.json. `config`: of a tokenizer_config.json; empty: made of the special tokens. `file` is for
// messages.
struct PipelineFiles {
  std::string bytes;
  Json config = Json::object();
  std::string file;
};
std::shared_ptr<const Tokenizer> make_pipeline_tokenizer(const Json& json,
                                                         const std::vector<NamedToken>& named,
                                                         PipelineFiles files);

}  // namespace lmzoo::huggingface
