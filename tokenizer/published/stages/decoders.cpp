#include "tokenizer/published/stages/decoders.h"

#include <charconv>
#include <optional>
#include <utility>

#include "base/utf8.h"
#include "tokenizer/published/stages/byte_level.h"
#include "tokenizer/published/unicode/unicode.h"

namespace lmzoo::huggingface {
namespace {

using Pieces = std::vector<std::string>;

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

// What stays of bytes that are no UTF-8: U+FFFD for every broken sequence.
std::string as_utf8(std::string_view bytes) {
  std::string text;
  for (size_t at = 0; at < bytes.size();) {
    const CodePoint point = code_point_at(bytes, at);
    append_utf8(text, point.valid ? point.value : kReplacement);
    at += static_cast<size_t>(point.length);
  }
  return text;
}

class ByteLevelDecoder final : public Decoder {
 public:
  void apply(Pieces& pieces) const override {
    std::string bytes;
    for (const std::string& piece : pieces) {
      const size_t before = bytes.size();
      for (size_t at = 0; at < piece.size();) {
        const auto byte = byte_of_character(next_code_point(piece, at));
        if (!byte) {  // a token that is not written in the alphabet
          bytes.resize(before);
          bytes += piece;
          break;
        }
        bytes += static_cast<char>(*byte);
      }
    }
    pieces.assign(1, as_utf8(bytes));
  }
};

class WordPieceDecoder final : public Decoder {
 public:
  WordPieceDecoder(std::string prefix, bool cleanup) : prefix_(std::move(prefix)), cleanup_(cleanup) {}

  void apply(Pieces& pieces) const override {
    for (size_t i = 0; i < pieces.size(); ++i) {
      std::string& piece = pieces[i];
      if (i > 0 && piece.starts_with(prefix_)) {
        piece.erase(0, prefix_.size());
      } else if (i > 0) {
        piece.insert(0, 1, ' ');
      }
      if (cleanup_) {
        clean(piece);
      }
    }
  }

 private:
  static void clean(std::string& piece) {
    static constexpr std::pair<std::string_view, std::string_view> kRules[] = {{" .", "."},
                                                                               {" ?", "?"},
                                                                               {" !", "!"},
                                                                               {" ,", ","},
                                                                               {" ' ", "'"},
                                                                               {" n't", "n't"},
                                                                               {" 'm", "'m"},
                                                                               {" do not", " don't"},
                                                                               {" 's", "'s"},
                                                                               {" 've", "'ve"},
                                                                               {" 're", "'re"}};
    for (const auto& [from, to] : kRules) {
      replace_all(piece, from, to);
    }
  }

  std::string prefix_;
  bool cleanup_;
};

class MetaspaceDecoder final : public Decoder {
 public:
  MetaspaceDecoder(std::string replacement, bool drops_first)
      : replacement_(std::move(replacement)), drops_first_(drops_first) {}
  void apply(Pieces& pieces) const override {
    for (size_t i = 0; i < pieces.size(); ++i) {
      replace_all(pieces[i], replacement_, i == 0 && drops_first_ ? "" : " ");
    }
  }

 private:
  std::string replacement_;
  bool drops_first_;
};

class BpeDecoder final : public Decoder {
 public:
  explicit BpeDecoder(std::string suffix) : suffix_(std::move(suffix)) {}
  void apply(Pieces& pieces) const override {
    for (size_t i = 0; i < pieces.size(); ++i) {
      replace_all(pieces[i], suffix_, i + 1 == pieces.size() ? "" : " ");
    }
  }

 private:
  std::string suffix_;
};

class ByteFallbackDecoder final : public Decoder {
 public:
  void apply(Pieces& pieces) const override {
    Pieces out;
    std::string bytes;
    const auto flush = [&] {
      if (is_utf8(bytes)) {
        if (!bytes.empty()) {
          out.push_back(bytes);
        }
      } else {
        out.insert(out.end(), bytes.size(), "\xEF\xBF\xBD");
      }
      bytes.clear();
    };
    for (std::string& piece : pieces) {
      if (const auto byte = byte_of(piece)) {
        bytes += static_cast<char>(*byte);
      } else {
        flush();
        out.push_back(std::move(piece));
      }
    }
    flush();
    pieces = std::move(out);
  }

 private:
  // "<0x0A>"
  static std::optional<unsigned> byte_of(const std::string& piece) {
    unsigned value = 0;
    if (piece.size() != 6 || !piece.starts_with("<0x") || piece.back() != '>') {
      return std::nullopt;
    }
    const char* begin = piece.data() + 3;
    const auto [end, error] = std::from_chars(begin, begin + 2, value, 16);
    return error == std::errc{} && end == begin + 2 ? std::optional(value) : std::nullopt;
  }
};

class FuseDecoder final : public Decoder {
 public:
  void apply(Pieces& pieces) const override {
    std::string all;
    for (const std::string& piece : pieces) {
      all += piece;
    }
    pieces.assign(1, all);
  }
};

class StripDecoder final : public Decoder {
 public:
  StripDecoder(std::string content, size_t start, size_t stop)
      : content_(std::move(content)), start_(start), stop_(stop) {}
  void apply(Pieces& pieces) const override {
    for (std::string& piece : pieces) {
      for (size_t i = 0; i < start_ && piece.starts_with(content_); ++i) {
        piece.erase(0, content_.size());
      }
      for (size_t i = 0; i < stop_ && piece.ends_with(content_); ++i) {
        piece.resize(piece.size() - content_.size());
      }
    }
  }

 private:
  std::string content_;
  size_t start_, stop_;
};

class ReplaceDecoder final : public Decoder {
 public:
  ReplaceDecoder(std::string from, std::string to) : from_(std::move(from)), to_(std::move(to)) {}
  void apply(Pieces& pieces) const override {
    for (std::string& piece : pieces) {
      replace_all(piece, from_, to_);
    }
  }

 private:
  std::string from_, to_;
};

class SequenceDecoder final : public Decoder {
 public:
  explicit SequenceDecoder(std::vector<DecoderPtr> parts) : parts_(std::move(parts)) {}
  void apply(Pieces& pieces) const override {
    for (const DecoderPtr& part : parts_) {
      part->apply(pieces);
    }
  }

 private:
  std::vector<DecoderPtr> parts_;
};

std::string read_not_empty(const JsonPart& part, const char* key, const std::string& absent) {
  std::string text = part.text_or(key, absent);
  part.require(!text.empty(), "{} must not be empty", key);
  return text;
}

DecoderPtr read_strip(const JsonPart& part) {
  constexpr int64_t kMost = 1'000'000;
  part.only({"type", "content", "start", "stop"});
  return std::make_unique<StripDecoder>(read_not_empty(part, "content", " "),
                                        static_cast<size_t>(part.natural_or("start", 0, kMost)),
                                        static_cast<size_t>(part.natural_or("stop", 0, kMost)));
}

DecoderPtr read_replace_decoder(const JsonPart& part) {
  part.only({"type", "pattern", "content"});
  const JsonPart pattern = part.at("pattern");
  pattern.only({"String"});
  return std::make_unique<ReplaceDecoder>(read_not_empty(pattern, "String", ""), part.text("content"));
}

DecoderPtr read_decoder_sequence(const JsonPart& part) {
  part.only({"type", "decoders"});
  std::vector<DecoderPtr> parts;
  for (const JsonPart& item : part.at("decoders").items()) {
    parts.push_back(read_decoder(item));
  }
  return std::make_unique<SequenceDecoder>(std::move(parts));
}

DecoderPtr read_metaspace_decoder(const JsonPart& part) {
  part.only({"type", "replacement", "prepend_scheme", "add_prefix_space", "split", "str_rep"});
  const std::string scheme =
      part.text_or("prepend_scheme", part.flag_or("add_prefix_space", true) ? "always" : "never");
  return std::make_unique<MetaspaceDecoder>(read_not_empty(part, "replacement", ""), scheme != "never");
}

}  // namespace

DecoderPtr read_decoder(const JsonPart& part) {
  const std::string type = part.type();
  if (type == "ByteLevel") {
    part.only({"type", "add_prefix_space", "trim_offsets", "use_regex"});
    return std::make_unique<ByteLevelDecoder>();
  }
  if (type == "WordPiece") {
    part.only({"type", "prefix", "cleanup"});
    return std::make_unique<WordPieceDecoder>(part.text_or("prefix", "##"), part.flag_or("cleanup", true));
  }
  if (type == "Metaspace") {
    return read_metaspace_decoder(part);
  }
  if (type == "BPEDecoder") {
    part.only({"type", "suffix"});
    return std::make_unique<BpeDecoder>(read_not_empty(part, "suffix", "</w>"));
  }
  if (type == "Strip") {
    return read_strip(part);
  }
  if (type == "Replace") {
    return read_replace_decoder(part);
  }
  if (type == "Sequence") {
    return read_decoder_sequence(part);
  }
  const bool fuse = type == "Fuse";
  part.require(fuse || type == "ByteFallback",
               "the decoder \"{}\" is not known here; known are ByteLevel, WordPiece, Metaspace, BPEDecoder, "
               "ByteFallback, Fuse, Strip, Replace, Sequence",
               printable(type));
  part.only({"type"});
  if (fuse) {
    return std::make_unique<FuseDecoder>();
  }
  return std::make_unique<ByteFallbackDecoder>();
}

}  // namespace lmzoo::huggingface
