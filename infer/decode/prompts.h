// Where the texts of a query come from: a flag, a file with one text a line, or standard input.
#pragma once

#include <istream>
#include <string>
#include <vector>

namespace lmzoo {

// `text` if it is given (--text), else the lines of `file` (--file), else those of `standard_input`, which is read as a
// file is: without a byte order mark, LF or CRLF. So that answers stand in the lines of their questions, a blank line is
// an empty text; those at the end are left out. Both given, and no text at all, are InputErrors. Invalid UTF-8 is
// replaced.
std::vector<std::string> read_prompts(const std::string& text,
                                      const std::string& file,
                                      std::istream& standard_input);

// For questions that cannot be empty.
std::vector<std::string> without_blanks(std::vector<std::string> texts);

}  // namespace lmzoo
