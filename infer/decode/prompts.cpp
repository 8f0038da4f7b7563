#include "infer/decode/prompts.h"

#include "base/check.h"
#include "base/utf8.h"
#include "io/lines.h"

namespace lmzoo {

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
    for (std::string line; std::getline(standard_input, line);) {
      prompts.push_back(line);
    }
  }
  std::erase_if(prompts,
                [](const std::string& line) { return line.find_first_not_of(" \t\r") == std::string::npos; });
  check(!prompts.empty(),
        "{}",
        file.empty() ? "no text is given: use a flag, a file or standard input" : file + " holds no text");
  for (std::string& prompt : prompts) {
    replace_invalid_utf8(prompt);
  }
  return prompts;
}

}  // namespace lmzoo
