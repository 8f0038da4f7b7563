#include "tokenizer/published/stages/frame.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/utf8.h"

namespace lmzoo::huggingface {
namespace {

using Kind = FramePart::Kind;

PieceId read_id(const JsonPart& part, size_t ids) {
  return static_cast<PieceId>(part.as_natural(static_cast<int64_t>(ids) - 1));
}

// ["[SEP]", 102]
PieceId read_named_id(const JsonPart& part, size_t ids) {
  const auto items = part.items();
  part.require(items.size() == 2, "must be a token and its id");
  return read_id(items[1], ids);
}

// BERT: [CLS] a [SEP] b [SEP], the second text with its [SEP] of type 1. RoBERTa: <s> a </s></s> b </s>, all
// 0.
Frame read_two_ended(const JsonPart& part, size_t ids, bool is_bert) {
  const PieceId sep = read_named_id(part.at("sep"), ids);
  const PieceId cls = read_named_id(part.at("cls"), ids);
  const FramePart begin{Kind::special, {cls}, 0}, end{Kind::special, {sep}, 0}, first{Kind::first, {}, 0};
  const int64_t other = is_bert ? 1 : 0;
  Frame frame{.single = {begin, first, end}, .pair = {begin, first, end}, .is_given = true};
  if (!is_bert) {
    frame.pair.push_back(end);
  }
  frame.pair.push_back({Kind::second, {}, other});
  frame.pair.push_back({Kind::special, {sep}, other});
  return frame;
}

std::map<std::string, std::vector<PieceId>> read_special_tokens(const JsonPart& part, size_t ids) {
  part.require(part.json().is_object(), "must be an object");
  std::map<std::string, std::vector<PieceId>> tokens;
  for (const auto& [name, value] : part.json().items()) {
    const JsonPart token(
        value, part.file(), fmt::format("post_processor.special_tokens.{}", printable(name)));
    token.only({"id", "ids", "tokens"});
    for (const JsonPart& id : token.at("ids").items()) {
      tokens[name].push_back(read_id(id, ids));
    }
  }
  return tokens;
}

std::vector<FramePart> read_template(const JsonPart& part,
                                     const std::map<std::string, std::vector<PieceId>>& tokens,
                                     bool is_pair) {
  constexpr int64_t kMostTypes = 1'000;
  std::vector<FramePart> parts;
  for (const JsonPart& item : part.items()) {
    item.only({"Sequence", "SpecialToken"});
    const bool is_text = item.has("Sequence");
    const JsonPart piece = item.at(is_text ? "Sequence" : "SpecialToken");
    piece.only({"id", "type_id"});
    const std::string id = piece.text("id");
    FramePart read{.kind = Kind::special, .token_type = piece.natural_or("type_id", 0, kMostTypes)};
    if (is_text) {
      piece.require(id == "A" || (is_pair && id == "B"), "no text is named \"{}\" here", printable(id));
      read.kind = id == "A" ? Kind::first : Kind::second;
    } else {
      const auto found = tokens.find(id);
      piece.require(found != tokens.end(), "\"{}\" is not among the special_tokens", printable(id));
      read.ids = found->second;
    }
    parts.push_back(std::move(read));
  }
  const auto count = [&](Kind kind) {
    return std::count_if(parts.begin(), parts.end(), [&](const FramePart& p) { return p.kind == kind; });
  };
  part.require(count(Kind::first) == 1 && count(Kind::second) == (is_pair ? 1 : 0),
               "each text must stand in it once");
  return parts;
}

Frame read_template_processing(const JsonPart& part, size_t ids) {
  part.only({"type", "single", "pair", "special_tokens"});
  const auto tokens = read_special_tokens(part.at("special_tokens"), ids);
  return {.single = read_template(part.at("single"), tokens, false),
          .pair = read_template(part.at("pair"), tokens, true),
          .is_given = true};
}

Frame read_frame_sequence(const JsonPart& part, size_t ids) {
  part.only({"type", "processors"});
  Frame all;
  for (const JsonPart& item : part.at("processors").items()) {
    Frame next = read_frame(item, ids);
    item.require(!(all.is_given && next.is_given), "a second frame of special tokens is not understood here");
    next.keeps_prefix_space = next.trims_offsets ? next.keeps_prefix_space : all.keeps_prefix_space;
    next.trims_offsets = next.trims_offsets || all.trims_offsets;
    if (all.is_given) {
      next.single = all.single;
      next.pair = all.pair;
      next.is_given = true;
    }
    all = std::move(next);
  }
  return all;
}

}  // namespace

Frame read_frame(const JsonPart& part, size_t ids) {
  const std::string type = part.type();
  if (type == "TemplateProcessing") {
    return read_template_processing(part, ids);
  }
  if (type == "BertProcessing") {
    part.only({"type", "sep", "cls"});
    return read_two_ended(part, ids, true);
  }
  if (type == "RobertaProcessing") {
    part.only({"type", "sep", "cls", "trim_offsets", "add_prefix_space"});
    Frame frame = read_two_ended(part, ids, false);
    frame.trims_offsets = part.flag_or("trim_offsets", true);
    frame.keeps_prefix_space = part.flag_or("add_prefix_space", true);
    return frame;
  }
  if (type == "ByteLevel") {
    part.only({"type", "add_prefix_space", "trim_offsets", "use_regex"});
    Frame frame;
    frame.trims_offsets = part.flag_or("trim_offsets", true);
    frame.keeps_prefix_space = part.flag_or("add_prefix_space", true);
    return frame;
  }
  part.require(type == "Sequence",
               "the post-processor \"{}\" is not known here; known are TemplateProcessing, BertProcessing, "
               "RobertaProcessing, ByteLevel, Sequence",
               printable(type));
  return read_frame_sequence(part, ids);
}

}  // namespace lmzoo::huggingface
