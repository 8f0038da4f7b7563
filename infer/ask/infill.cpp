#include "infer/ask/infill.h"

#include <algorithm>
#include <string_view>

#include "base/check.h"
#include "objectives/parts/middle.h"

namespace lmzoo {
namespace {

constexpr std::string_view kGap = "<extra_id_0>";

struct AroundGap {
  std::vector<int64_t> before, behind;
};

// Text behind a token of the tokenizer goes on a word, as a suffix does in training; where it has no token for the gap,
// both parts are texts.
AroundGap around_gap(const Tokenizer& tokenizer, const std::string& text) {
  const size_t at = text.find(kGap);
  check(at != std::string::npos, "the text has no {} to fill", kGap);
  const std::string behind = text.substr(at + kGap.size());
  check(behind.find("<extra_id_") == std::string::npos,
        "the text has several gaps, but fill_in_the_middle fills one, {}",
        kGap);
  const std::vector<int64_t>& sentinels = tokenizer.vocabulary().sentinels;
  if (sentinels.empty()) {
    return {tokenizer.encode_marked(text.substr(0, at)), tokenizer.encode_marked(behind)};
  }
  const std::vector<int64_t> whole = tokenizer.encode_marked(text);
  const auto gap = std::ranges::find(whole, sentinels.front());
  check(gap != whole.end(), "the text has no {} to fill", kGap);
  return {{whole.begin(), gap}, {gap + 1, whole.end()}};
}

Infilling fill_middle(const LoadedRun& run,
                      const AroundGap& around,
                      const MiddleTokens& tokens,
                      const GenerateOptions& options,
                      Stream& stream) {
  GenerateOptions middle_only = options;
  middle_only.forbidden.insert(middle_only.forbidden.end(), {tokens.prefix, tokens.suffix, tokens.middle});
  Infilling result;
  result.target = generate(*run.parts.model,
                           {.context = before_middle(around.before, around.behind, tokens)},
                           middle_only,
                           stream);
  result.spans = {run.tokenizer->decode(result.target)};
  std::vector<int64_t> whole = around.before;
  whole.insert(whole.end(), result.target.begin(), result.target.end());
  whole.insert(whole.end(), around.behind.begin(), around.behind.end());
  result.text = run.tokenizer->decode(whole);
  return result;
}

}  // namespace

Infilling infill(const LoadedRun& run,
                 const std::string& text,
                 const GenerateOptions& options,
                 Stream& stream) {
  if (const auto tokens = run.parts.objective->fills_in()) {
    return fill_middle(
        run, around_gap(*run.tokenizer, run.parts.reading.text(text)), *tokens, options, stream);
  }
  return infill_spans(run, text, options, stream);
}

}  // namespace lmzoo
