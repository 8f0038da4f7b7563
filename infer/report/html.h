// Pieces of a self-contained HTML page: no script, no network, readable on a phone, in the dark and in print.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lmzoo::html {

// A whole document around `body`; `title` is plain text.
std::string page(std::string_view title, std::string_view body);

// A part of a page under a heading of its own.
struct Fragment {
  std::string title;  // plain text
  std::string body;   // HTML
};

// `cells` are HTML; a column whose body cells all begin with a digit, sign or "–" is aligned right.
struct Table {
  std::vector<std::string> head;
  std::vector<std::vector<std::string>> rows;
};
std::string table(const Table& content);

// A numbers' line chart as inline SVG. Points with x that is not finite or y that is not finite are left out.
struct Series {
  std::string name;
  std::vector<double> x, y;
  bool dots = false;  // mark each point (few points, e.g. evaluations)
};
// A line at an x, and what begins there.
struct Border {
  double x = 0;
  std::string name;
};
struct Chart {
  std::string title;  // also the accessible name
  std::string x_label;
  std::vector<Series> series;
  std::vector<Border> borders{};
};
std::string chart(const Chart& content);
// Side by side where there is room.
std::string charts(const std::vector<Chart>& contents);

// One axis, a row a group, a point a value (a seed). Values that are not finite are left out.
struct StripRow {
  std::string name;
  std::vector<double> values;
  size_t color = 0;  // rows of one kind share it
};
struct Strip {
  std::string title;  // also the accessible name
  std::vector<StripRow> rows;
};
std::string strip(const Strip& content);

// At most `count` round tick values that cover [low, high]: steps of 1, 2 or 5 times a power of ten.
std::vector<double> ticks(double low, double high, int count);

// "1,234,567", "3.142", "1.2e-05": short, exact for integers up to 2^53.
std::string number(double value);

}  // namespace lmzoo::html
