#include "tokenizer/published/pieces/scores.h"

#include <charconv>
#include <cmath>
#include <string>
#include <string_view>
#include <system_error>

namespace lmzoo::huggingface {
namespace {

double to_double(std::string_view text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// 10^exponent as the double nearest to it; std::pow promises no such thing.
double power_of_ten(int exponent) { return to_double("1e" + std::to_string(exponent)); }

template <class Change>
void change_scores(Json& tokenizer, const Change& change) {
  const auto model = tokenizer.find("model");
  if (model == tokenizer.end() || !model->is_object() || !model->contains("vocab") ||
      !(*model)["vocab"].is_array()) {
    return;
  }
  for (Json& entry : (*model)["vocab"]) {
    if (entry.is_array() && entry.size() == 2 && entry[1].is_number_float()) {
      entry[1] = change(entry[1].get<double>());
    }
  }
}

}  // namespace

double score_as_read(double score) {
  constexpr int kLargestPower = 308;
  char text[40];
  const std::to_chars_result end =
      std::to_chars(text, text + sizeof text, std::abs(score), std::chars_format::scientific);
  const std::string_view written(text, end.ptr);  // "3.656e-01"
  const size_t mark = written.find('e');
  std::string digits(written.substr(0, mark));
  int exponent = std::stoi(std::string(written.substr(mark + 1)));
  if (digits.size() > 1) {
    digits.erase(1, 1);
    exponent -= static_cast<int>(digits.size()) - 1;
  }
  double value = to_double(digits);
  for (; exponent < -kLargestPower; exponent += kLargestPower) {
    value /= power_of_ten(kLargestPower);
  }
  value = exponent < 0 ? value / power_of_ten(-exponent) : value * power_of_ten(exponent);
  return std::copysign(value, score);
}

void take_scores_as_read(Json& tokenizer) { change_scores(tokenizer, score_as_read); }

void shorten_scores(Json& tokenizer) {
  change_scores(tokenizer, [](double score) {
    char text[40];
    const std::to_chars_result end = std::to_chars(text, text + sizeof text, static_cast<float>(score));
    return to_double(std::string_view(text, end.ptr));
  });
}

}  // namespace lmzoo::huggingface
