// How a finished run is asked, as far as its training does not say it: what published folders name beside their weights
// (`generation_config.json`, `modules.json` of sentence-transformers), and what a run of one's own may set.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fields.h"

namespace lmzoo {

// The vector of a text, of the states h_1 ... h_T of its positions; [CLS], [SEP] and </s> are such, too.
//   mean      1/T Σ h_t, as most sentence encoders are trained        sqrt_mean   1/√T Σ h_t
//   own       the mean of the text's own tokens only                  weighted    Σ t h_t / Σ t
//   first     h_1, so that it is [CLS] in an encoder                  max         the largest of each component
//   last      h_T
// (Reimers and Gurevych, EMNLP 2019, section 3; weighted: Muennighoff 2022, section 3.1.1)
enum class TextPooling { mean, own, first, last, max, sqrt_mean, weighted };
template <>
struct EnumNames<TextPooling> {
  static constexpr std::pair<TextPooling, std::string_view> values[] = {{TextPooling::mean, "mean"},
                                                                        {TextPooling::own, "own"},
                                                                        {TextPooling::first, "first"},
                                                                        {TextPooling::last, "last"},
                                                                        {TextPooling::max, "max"},
                                                                        {TextPooling::sqrt_mean, "sqrt_mean"},
                                                                        {TextPooling::weighted, "weighted"}};
};

struct AskOptions {
  std::vector<int64_t> ends{};
  TextPooling pooling = TextPooling::mean;
  bool normalize = false;
  std::optional<int64_t> max_length{};

  static constexpr void fields(auto& self, auto& visit) {
    visit("ends",
          self.ends,
          "ids that end what is written, beside the tokenizer's own end symbol",
          at_least(0));
    visit("pooling", self.pooling, "of the positions of a text to its vector");
    visit("normalize", self.normalize, "the vectors of texts get length 1");
    visit("max_length",
          self.max_length,
          "positions to which a text is cut for its vector; absent: none is cut",
          at_least(1));
  }
  bool operator==(const AskOptions&) const = default;
};

// The same with what is written before every text.
struct TextsAsked {
  AskOptions ask{};
  std::string prompt{};  // empty: nothing
};

}  // namespace lmzoo
