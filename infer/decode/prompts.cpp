#include "infer/decode/prompts.h"

#include "base/check.h"
#include "base/utf8.h"
#include "io/foreign_format.h"
#include "io/lines.h"

namespace lmzoo {
namespace {

bool is_blank(const std::string& line) { return line.find_first_not_of(" \t\r") == std::string::npos; }

std::vector<std::string> lines_of(std::istream& in) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    if (lines.empty() && line.starts_with(kMark)) {
      line.erase(0, kMark.size());
    }
    if (line.ends_with('\r')) {
      line.pop_back();
    }
    const auto foreign = lines.empty() ? foreign_format(line) : std::nullopt;
    check(!foreign, "standard input is {}; text is read in UTF-8", foreign.value_or(""));
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace

std::vector<std::string> without_blanks(std::vector<std::string> texts) {
  std::erase_if(texts, is_blank);
  return texts;
}

std::vector<std::string> read_prompts(const std::string& text,
                                      const std::string& file,
                                      std::istream& standard_input) {
  check(text.empty() || file.empty(), "a text and a file are given; give one of them");
  std::vector<std::string> prompts;
  if (!text.empty()) {
    prompts.push_back(text);
  } else if (!file.empty()) {
    LineReader lines(file);
    for (std::string line; lines.next(line);) {
      prompts.push_back(line);
    }
  } else {
    prompts = lines_of(standard_input);
  }
  for (std::string& prompt : prompts) {
    if (is_blank(prompt)) {
      prompt.clear();
    }
  }
  while (!prompts.empty() && prompts.back().empty()) {
    prompts.pop_back();
  }
  check(!prompts.empty(),
        "{}",
        file.empty() ? "no text is given: use a flag, a file or standard input" : file + " holds no text");
  for (std::string& prompt : prompts) {
    replace_invalid_utf8(prompt);
  }
  return prompts;
}

}  // namespace lmzoo
