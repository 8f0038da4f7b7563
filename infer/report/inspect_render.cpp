// Inspected examples for a terminal and as a page.
#include <algorithm>

#include "base/check.h"
#include "base/utf8.h"
#include "infer/report/inspect.h"
#include "infer/report/inspect_words.h"
#include "io/html_escape.h"

namespace lmzoo {
namespace {

constexpr const char* kReset = "\033[0m";
constexpr const char* kDim = "\033[2m";
constexpr const char* kSpecial = "\033[35m";  // magenta
constexpr const char* kLabel = "\033[1;32m";  // bold green

// Code points of valid UTF-8; near enough to columns.
size_t width_of(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](unsigned char c) { return (c & 0xC0) != 0x80; }));
}

std::string padded(const std::string& text, size_t width) {
  return text + std::string(width - std::min(width, width_of(text)), ' ');
}

// Pieces hold any bytes of a text; a line break or an escape must not reach the terminal.
std::string shown_token(const std::string& piece) { return printable(piece, 40); }

std::string colored(const std::string& text, const char* code, bool color) {
  return color ? code + text + kReset : text;
}

std::string label_of(const InspectedPosition& position) {
  return position.label ? shown_token(position.label->piece) : "·";
}

// Input above label, in columns, as many as fit a line.
std::string grid(const InspectedSequence& sequence, bool labels, bool color, size_t columns) {
  const std::string margin(10, ' ');
  std::string out, upper, lower;
  size_t used = margin.size();
  const auto flush = [&] {
    if (!upper.empty()) {
      out += padded("  read", 10) + upper + "\n";
      out += labels ? padded("  predict", 10) + lower + "\n" : "";
    }
    upper.clear();
    lower.clear();
    used = margin.size();
  };
  for (const InspectedPosition& position : sequence.positions) {
    const std::string input = shown_token(position.input.piece);
    const std::string label = labels ? label_of(position) : "";
    const size_t width = std::max(width_of(input), width_of(label)) + 1;
    if (used + width > columns) {
      flush();
    }
    used += width;
    upper += colored(padded(input, width), position.special ? kSpecial : "", color && position.special);
    lower += colored(padded(label, width), position.label ? kLabel : kDim, color);
  }
  flush();
  return out;
}

constexpr const char* kPageHead = R"(<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<style>
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
section { margin: 2rem 0; }
h2 { font-size: 1rem; margin: 0 0 .3rem; }
p { margin: .2rem 0; }
.note { opacity: .65; font-size: .85rem; }
.grid { display: flex; flex-wrap: wrap; gap: 2px; margin: .4rem 0 1rem; }
.cell { display: grid; font: 13px/1.4 ui-monospace, monospace; text-align: center; border: 1px solid #8884;
        border-radius: 4px; overflow: hidden; }
.cell span { padding: 1px 5px; white-space: pre; }
.cell small { padding: 0 5px; opacity: .5; font-size: 10px; }
.special { color: #a626a4; }
.prefix { background: #8882; }
.label { background: #2e7d3222; color: #2e7d32; font-weight: 600; border-top: 1px solid #8884; }
@media (prefers-color-scheme: dark) { .special { color: #d787d7; } .label { color: #81c784; } }
@media print { section { break-inside: avoid; } }
</style>
)";

std::string token_cell(const InspectedPosition& position) {
  const std::string classes =
      std::string(position.special ? " special" : "") + (position.sees_all ? " prefix" : "");
  std::string out = "<div class=\"cell\"><span class=\"" + classes + "\">" +
                    html_escape(shown_token(position.input.piece)) + "</span><small>" +
                    std::to_string(position.input.id) + "</small>";
  if (position.label) {
    out += "<span class=\"label\">" + html_escape(shown_token(position.label->piece)) + "</span>";
  }
  return out + "</div>";
}

std::string caption_of(const std::vector<InspectedExample>& examples) {
  const auto is_words = [](const InspectedExample& example) { return !example.groups.empty(); };
  if (std::any_of(examples.begin(), examples.end(), is_words)) {
    return "Each box is a prediction: the words around that are read, in green the word that is predicted "
           "from them, "
           "and what it is told from: random words, or its path in the tree (inner node : branch, from the "
           "root on). "
           "Negatives, windows and dropped words are those of the first pass; each pass draws others.";
  }
  return "Each box is a position: the token that is read, its id and, in green, the token that must be "
         "predicted "
         "there.";
}

bool has_labels(const InspectedSequence& sequence) {
  return std::any_of(sequence.positions.begin(),
                     sequence.positions.end(),
                     [](const InspectedPosition& position) { return position.label.has_value(); });
}

}  // namespace

std::string to_terminal(const InspectedExample& example, bool color, size_t columns) {
  std::string out = colored(fmt::format("window {}", example.window), "\033[1m", color) + "\n";
  out += padded("  text", 10) + printable(example.text, 2000) + "\n";
  out += padded("  ids", 10);
  for (const InspectedToken& token : example.ids) {
    out += shown_token(token.piece) + colored("/" + std::to_string(token.id), kDim, color) + " ";
  }
  out += "\n";
  for (const InspectedSequence& sequence : example.sequences) {
    out +=
        "  " + sequence.name +
        colored(
            fmt::format(" ({} positions; {})", sequence.positions.size(), sequence.attention), kDim, color) +
        "\n";
    out += grid(sequence, has_labels(sequence), color, columns);
  }
  out += to_terminal(example.groups, color);
  if (!example.label.empty()) {
    out += padded("  class", 10) + colored(shown_token(example.label), kLabel, color) + "\n";
  }
  return out + "\n";
}

std::string to_html(const std::vector<InspectedExample>& examples, const std::string& title) {
  std::string out = "<!doctype html><html lang=\"en\"><title>" + html_escape(title) + "</title>" + kPageHead +
                    "<h1>" + html_escape(title) + "</h1>\n<p class=\"note\">" + caption_of(examples) +
                    "</p>\n";
  for (const InspectedExample& example : examples) {
    out += fmt::format(
        "<section><h2>Window {}</h2><p>{}</p>\n", example.window, html_escape(printable(example.text, 4000)));
    for (const InspectedSequence& sequence : example.sequences) {
      out += fmt::format("<p class=\"note\">{}: {} positions; {}</p><div class=\"grid\">",
                         sequence.name,
                         sequence.positions.size(),
                         sequence.attention);
      for (const InspectedPosition& position : sequence.positions) {
        out += token_cell(position);
      }
      out += "</div>\n";
    }
    out += example.groups.empty() ? "" : to_html(example.groups);
    if (!example.label.empty()) {
      out += "<p>class <span class=\"label\">" + html_escape(example.label) + "</span></p>\n";
    }
    out += "</section>\n";
  }
  return out + "</html>\n";
}

}  // namespace lmzoo
