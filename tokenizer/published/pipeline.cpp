#include "tokenizer/published/pipeline.h"

#include <algorithm>
#include <utility>

#include "tokenizer/published/stages/byte_level.h"

namespace lmzoo::huggingface {
namespace {

constexpr std::string_view kByteSpace = "\xC4\xA0";  // "Ġ"

// Characters of white space, or of the byte-level space, that a token begins or ends with.
size_t spaces_first(std::string_view token) {
  size_t count = 0;
  for (size_t at = 0; at < token.size(); ++count) {
    const bool byte_space = token.substr(at).starts_with(kByteSpace);
    if (!byte_space && !is_space(next_code_point(token, at))) {
      break;
    }
    at += byte_space ? kByteSpace.size() : 0;
  }
  return count;
}

size_t spaces_last(std::string_view token) {
  size_t count = 0;
  for (size_t at = token.size(); at > 0; ++count) {
    at = previous(token, at);
    if (!token.substr(at).starts_with(kByteSpace) && !is_space(code_point_of(token, at))) {
      break;
    }
  }
  return count;
}

}  // namespace

// A workspace of the pipeline's, for one call.
class Pipeline::Lease {
 public:
  explicit Lease(const Pipeline& pipeline) : pipeline_(pipeline) {
    const std::lock_guard lock(pipeline.mutex_);
    if (pipeline.free_.empty()) {
      work_ = std::make_unique<Workspace>();
    } else {
      work_ = std::move(pipeline.free_.back());
      pipeline.free_.pop_back();
    }
  }
  ~Lease() {
    const std::lock_guard lock(pipeline_.mutex_);
    pipeline_.free_.push_back(std::move(work_));
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  Workspace& work() { return *work_; }

 private:
  const Pipeline& pipeline_;
  std::unique_ptr<Workspace> work_;
};

// Collects ids and, if wanted, their places.
class Pipeline::Output {
 public:
  Output(const Frame& frame, std::string_view text, Workspace& work, bool tracked)
      : frame_(frame), text_(text), work_(work), tracked_(tracked) {}

  Workspace& work() { return work_; }
  bool tracked() const { return tracked_; }
  std::string_view text() const { return text_; }
  Encoding take() { return std::move(result_); }

  void add(PieceId id) { result_.ids.push_back(id); }

  // `token`: as it is written, for the spaces at its ends.
  void add(PieceId id, Origin origin, std::string_view token) {
    if (frame_.trims_offsets) {
      trim(origin, token);
    }
    result_.ids.push_back(id);
    result_.begin.push_back(origin.begin);
    result_.end.push_back(origin.end);
  }

 private:
  void trim(Origin& origin, std::string_view token) {
    size_t first = spaces_first(token);
    const size_t last = spaces_last(token);
    const bool at_start = result_.ids.empty() || origin.begin == 0;
    if (first == 1 && at_start && frame_.keeps_prefix_space) {
      first = 0;  // that one was put there and is not in the text
    }
    size_t begin = origin.begin, end = origin.end;
    for (; first > 0 && begin < end; --first) {
      next_code_point(text_, begin);
    }
    const bool has_so_many = count_code_points(text_.substr(0, end)) >= last;
    for (size_t i = 0; i < last && has_so_many && end > begin; ++i) {
      end = previous(text_, end);
    }
    origin = {static_cast<uint32_t>(begin), static_cast<uint32_t>(end)};
  }

  const Frame& frame_;
  std::string_view text_;
  Workspace& work_;
  bool tracked_;
  Encoding result_;
};

Pipeline::Pipeline(PipelineParts parts) : parts_(std::move(parts)) {
  added_ = AddedTokens(std::move(parts_.added), [this](const std::string& text) { return normalized(text); });
  ids_ = parts_.model->pieces().ids();
  for (const AddedToken& token : added_.tokens()) {
    ids_ = std::max(ids_, size_t{token.id} + 1);
    // Where it counts as special it is cut out before the model sees it; elsewhere its name is text.
    const bool is_piece = parts_.model->pieces().has(token.id);
    if (is_piece && token.special && !token.single_word && token.id != parts_.model->unknown()) {
      parts_.model->hide(token.id);
    }
  }
}

std::string Pipeline::normalized(std::string_view text) const {
  AlignedText result(text, 0, false);
  if (parts_.normalizer) {
    parts_.normalizer->apply(result);
  }
  return result.text();
}

std::vector<int64_t> Pipeline::encode(std::string_view text, bool specials) const {
  Lease lease(*this);
  Output out(parts_.frame, text, lease.work(), false);
  run(text, specials, out);
  return out.take().ids;
}

Encoding Pipeline::encode_with_offsets(std::string_view text, bool specials) const {
  Lease lease(*this);
  Output out(parts_.frame, text, lease.work(), true);
  run(text, specials, out);
  return out.take();
}

void Pipeline::run(std::string_view text, bool specials, Output& out) const {
  Workspace& work = out.work();
  work.raw.clear();
  added_.find_raw(text, specials, work.raw);
  for (const Found& found : work.raw) {
    const auto [begin, end] = found.range;
    const std::string_view part = text.substr(begin, end - begin);
    if (found.id != kNoPiece) {
      out.tracked() ? out.add(found.id, {static_cast<uint32_t>(begin), static_cast<uint32_t>(end)}, part)
                    : out.add(found.id);
      continue;
    }
    AlignedText stretch(part, begin, out.tracked());
    if (parts_.normalizer) {
      parts_.normalizer->apply(stretch);
    }
    work.normalized.clear();
    added_.find_normalized(stretch.text(), specials, work.normalized);
    if (work.normalized.size() == 1 && work.normalized[0].id == kNoPiece) {
      run_stretch(std::move(stretch), out);
      continue;
    }
    for (const Found& inner : work.normalized) {
      const auto [first, last] = inner.range;
      if (inner.id == kNoPiece) {
        run_stretch(stretch.slice(inner.range), out);
      } else if (out.tracked() && first < last) {
        out.add(inner.id,
                stretch.origin(first, last),
                std::string_view(stretch.text()).substr(first, last - first));
      } else {
        out.add(inner.id);
      }
    }
  }
}

void Pipeline::run_stretch(AlignedText text, Output& out) const {
  Words words{.text = std::move(text), .words = {}};
  if (words.text.text().empty()) {
    return;
  }
  words.words.push_back({0, words.text.text().size()});
  if (parts_.pre_tokenizer.cut) {
    parts_.pre_tokenizer.cut->apply(words);
  }
  Workspace& work = out.work();
  const std::string_view all = words.text.text();
  for (const Range& word : words.words) {
    work.tokens.clear();
    encode_word(all.substr(word.begin, word.end - word.begin), work);
    for (const Token& token : work.tokens) {
      if (!out.tracked()) {
        out.add(token.id);
      } else if (token.begin < token.end) {
        out.add(token.id,
                words.text.origin(word.begin + token.begin, word.begin + token.end),
                parts_.model->pieces().text(token.id));
      }
    }
  }
}

void Pipeline::encode_word(std::string_view word, Workspace& work) const {
  const bool is_cached = word.size() <= WordCache::kLongestWord;
  const uint64_t hash = is_cached ? WordCache::hash(word) : 0;
  if (is_cached && work.cache.find(word, hash, work.tokens)) {
    return;
  }
  if (parts_.pre_tokenizer.byte_level) {
    encode_bytes(word, work);
  } else {
    parts_.model->encode(word, work.scratch, work.tokens);
  }
  if (is_cached) {
    work.cache.put(word, hash, work.tokens);
  }
}

// The model sees the word in the byte-level alphabet; the places of its tokens are counted in the word again.
void Pipeline::encode_bytes(std::string_view word, Workspace& work) const {
  work.word.clear();
  work.places.clear();
  for (size_t at = 0; at < word.size(); ++at) {
    const size_t before = work.word.size();
    append_byte_level(word.substr(at, 1), work.word);
    work.places.insert(work.places.end(), work.word.size() - before, static_cast<uint32_t>(at));
  }
  parts_.model->encode(work.word, work.scratch, work.tokens);
  for (Token& token : work.tokens) {
    if (token.begin < token.end) {
      token = {token.id, work.places[token.begin], work.places[token.end - 1] + 1};
    }
  }
}

FramedText Pipeline::frame(std::span<const int64_t> first,
                           std::optional<std::span<const int64_t>> second) const {
  FramedText framed;
  for (const FramePart& part : second ? parts_.frame.pair : parts_.frame.single) {
    const auto add = [&](const auto& ids) {
      framed.ids.insert(framed.ids.end(), ids.begin(), ids.end());
      framed.token_types.resize(framed.ids.size(), part.token_type);
    };
    if (part.kind == FramePart::Kind::special) {
      add(part.ids);
    } else if (part.kind == FramePart::Kind::first) {
      framed.first = std::ssize(framed.ids);
      add(first);
    } else {
      framed.second = std::ssize(framed.ids);
      add(*second);
    }
  }
  framed.second = second ? framed.second : std::ssize(framed.ids);
  return framed;
}

std::string Pipeline::decode(std::span<const int64_t> ids, bool specials) const {
  std::vector<std::string> pieces;
  for (const int64_t id : ids) {
    const AddedToken* token = added_.find(static_cast<PieceId>(id));
    if (token == nullptr) {
      pieces.emplace_back(parts_.model->pieces().text(static_cast<PieceId>(id)));
      continue;
    }
    // Hugging Face's tokenizers look what they would show up among the special names: one that the normalizer changes is
    // shown.
    std::string shown = token->normalized ? normalized(token->content) : token->content;
    if (specials || !token->special || shown != token->content) {
      pieces.push_back(std::move(shown));
    }
  }
  if (parts_.decoder) {
    parts_.decoder->apply(pieces);
  }
  std::string text;
  for (size_t i = 0; i < pieces.size(); ++i) {
    text += parts_.decoder || i == 0 ? "" : " ";
    text += pieces[i];
  }
  return text;
}

std::string Pipeline::piece(PieceId id) const {
  const AddedToken* token = added_.find(id);
  return token != nullptr ? token->content : std::string(parts_.model->pieces().text(id));
}

PieceId Pipeline::find(std::string_view piece) const {
  for (const AddedToken& token : added_.tokens()) {
    if (token.content == piece) {
      return token.id;
    }
  }
  return parts_.model->pieces().find(piece);
}

std::vector<std::string> Pipeline::words(std::string_view text) const {
  return words_of(parts_.normalizer.get(), parts_.pre_tokenizer, text);
}

std::vector<std::string> words_of(const Normalizer* normalizer,
                                  const PreTokenization& pre_tokenizer,
                                  std::string_view text) {
  AlignedText normalized(text, 0, false);
  if (normalizer != nullptr) {
    normalizer->apply(normalized);
  }
  Words words{.text = std::move(normalized), .words = {}};
  std::vector<std::string> out;
  if (words.text.text().empty()) {
    return out;
  }
  words.words.push_back({0, words.text.text().size()});
  if (pre_tokenizer.cut) {
    pre_tokenizer.cut->apply(words);
  }
  for (const Range& word : words.words) {
    std::string bytes = words.text.text().substr(word.begin, word.end - word.begin);
    if (pre_tokenizer.byte_level) {
      append_byte_level(bytes, out.emplace_back());
    } else {
      out.push_back(std::move(bytes));
    }
  }
  return out;
}

std::unique_ptr<const Pipeline> read_pipeline(const Json& json, const std::string& file) {
  const JsonPart part(json, file);
  // Truncation and padding are a batch's affair here.
  part.only({"version",
             "truncation",
             "padding",
             "added_tokens",
             "normalizer",
             "pre_tokenizer",
             "post_processor",
             "decoder",
             "model"});
  part.require(part.text_or("version", "1.0") == "1.0", "version is not 1.0, the only one known here");
  PipelineParts parts;
  parts.model = read_model(part.at("model"));
  size_t ids = parts.model->pieces().ids();
  if (const auto added = part.find("added_tokens")) {
    parts.added = read_added_tokens(*added, parts.model->pieces());
    for (const AddedToken& token : parts.added) {
      ids = std::max(ids, size_t{token.id} + 1);
    }
  }
  if (const auto normalizer = part.find("normalizer")) {
    parts.normalizer = read_normalizer(*normalizer);
  }
  if (const auto pre_tokenizer = part.find("pre_tokenizer")) {
    parts.pre_tokenizer = read_pre_tokenizer(*pre_tokenizer);
  }
  if (const auto frame = part.find("post_processor")) {
    parts.frame = read_frame(*frame, ids);
  }
  if (const auto decoder = part.find("decoder")) {
    parts.decoder = read_decoder(*decoder);
  }
  return std::make_unique<Pipeline>(std::move(parts));
}

}  // namespace lmzoo::huggingface
