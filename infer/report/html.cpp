#include "infer/report/html.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <sstream>

#include "base/check.h"
#include "io/html_escape.h"

namespace lmzoo::html {
namespace {

constexpr std::string_view kStyle = R"(
:root{color-scheme:light dark;--ink:#1c1c1e;--paper:#fff;--soft:#6b6b70;--line:#d8d8dc;--band:#f5f5f7}
@media(prefers-color-scheme:dark){:root{--ink:#ececee;--paper:#18181a;--soft:#a0a0a6;--line:#3a3a3e;--band:#222225}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:76rem;padding:1.2rem;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);overflow-wrap:anywhere}
h1{font-size:1.6rem;margin:.2em 0}h2{font-size:1.2rem;margin:1.6em 0 .4em}h3{font-size:1rem;margin:1.2em 0 .3em}
p.note,figcaption,summary{color:var(--soft)}
.wide{overflow-x:auto}.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));gap:0 1.5rem}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;width:100%;font-size:.9rem}
th,td{padding:.3em .6em;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
th{border-bottom-width:2px}td.n,th.n{text-align:right;white-space:nowrap}tbody tr:nth-child(even){background:var(--band)}
pre{overflow-x:auto;background:var(--band);padding:.8em;border-radius:6px;font-size:.85rem}
figure{margin:.6em 0;max-width:46rem}svg{width:100%;height:auto}svg text{fill:var(--ink);font:14px system-ui,sans-serif}
svg .grid{stroke:var(--line)}mark{background:#ffe28a;color:#1c1c1e;border-radius:3px;padding:0 .15em}
.legend{display:flex;flex-wrap:wrap;gap:0 1.2em;margin:0;font-size:.85rem}.legend svg{width:1.6em;height:.5em;margin-right:.4em}
@media screen and (max-width:38rem){thead{display:none}tr{display:block;padding:.3em 0}td,td.n{display:flex;justify-content:space-between;gap:1em;border:0;padding:.1em .6em;text-align:right;white-space:normal}
td:first-child{font-weight:600;text-align:left}td:first-child::before{content:none}td::before{content:attr(data-head);color:var(--soft);text-align:left}}
@media print{details>*{display:block}body{max-width:none;font-size:11pt}.wide{overflow:visible}table{font-size:8pt}th,td{padding:.2em .35em}h2,figure,table{break-inside:avoid}}
)";

// Distinguishable with color blindness (Okabe & Ito 2008); beyond their number lines are dashed.
constexpr std::string_view kColors[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"};
constexpr std::string_view kDashes[] = {"", "7 3", "2 3"};

// Letters of 14 px in a picture of this width can be read where it is as narrow as a phone.
constexpr double kWidth = 500, kHeight = 290, kLeft = 62, kRight = 18, kTop = 12, kBottom = 46;

struct Bounds {
  double low = INFINITY;
  double high = -INFINITY;
  void add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool empty() const { return low > high; }
  void widen() {
    if (low == high) {
      const double margin = low == 0 ? 0.5 : std::abs(low) / 20;
      low -= margin;
      high += margin;
    }
  }
};

bool is_number_cell(const std::string& cell) {
  return !cell.empty() && (std::isdigit(static_cast<unsigned char>(cell[0])) || cell[0] == '-' ||
                           cell[0] == '+' || cell.starts_with("–"));
}

std::string fixed(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.1f", value);
  return buffer;
}

std::string stroke_of(size_t index) {
  const std::string_view dash = kDashes[index / std::size(kColors) % std::size(kDashes)];
  return fmt::format("stroke=\"{}\"{}",
                     kColors[index % std::size(kColors)],
                     dash.empty() ? "" : fmt::format(" stroke-dasharray=\"{}\"", dash));
}

class Plot {
 public:
  explicit Plot(const Chart& content) : content_(content) {
    for (const Series& series : content.series) {
      for (size_t i = 0; i < series.x.size(); ++i) {
        if (std::isfinite(series.x[i]) && std::isfinite(series.y[i])) {
          x_.add(series.x[i]);
          y_.add(series.y[i]);
        }
      }
    }
  }

  std::string svg() {
    if (x_.empty()) {
      return "<p class=\"note\">" + html_escape(content_.title) + ": nothing was logged.</p>";
    }
    x_.widen();
    y_.widen();
    out_ << "<figure><svg viewBox=\"0 0 " << kWidth << ' ' << kHeight << "\" role=\"img\" aria-label=\""
         << html_escape(content_.title) << "\">";
    axes();
    for (size_t i = 0; i < content_.borders.size(); ++i) {
      const bool hidden = i + 1 < content_.borders.size() && content_.borders[i + 1].x <= x_.low;
      if (!hidden) {
        draw(content_.borders[i]);
      }
    }
    for (size_t i = 0; i < content_.series.size(); ++i) {
      line(content_.series[i], i);
    }
    out_ << "</svg>";
    legend();
    out_ << "<figcaption>" << html_escape(content_.title) << "</figcaption></figure>";
    return out_.str();
  }

 private:
  double px(double x) const { return kLeft + (x - x_.low) / (x_.high - x_.low) * (kWidth - kLeft - kRight); }
  double py(double y) const {
    return kHeight - kBottom - (y - y_.low) / (y_.high - y_.low) * (kHeight - kTop - kBottom);
  }

  void axes() {
    for (const double tick : ticks(y_.low, y_.high, 5)) {
      out_ << "<path class=\"grid\" d=\"M" << kLeft << ' ' << fixed(py(tick)) << 'H' << kWidth - kRight
           << "\"/>"
           << "<text x=\"" << kLeft - 6 << "\" y=\"" << fixed(py(tick) + 4) << "\" text-anchor=\"end\">"
           << number(tick) << "</text>";
    }
    for (const double tick : ticks(x_.low, x_.high, 5)) {
      out_ << "<text x=\"" << fixed(px(tick)) << "\" y=\"" << kHeight - kBottom + 18
           << "\" text-anchor=\"middle\">" << number(tick) << "</text>";
    }
    out_ << "<text x=\"" << (kWidth + kLeft) / 2 << "\" y=\"" << kHeight - 6 << "\" text-anchor=\"middle\">"
         << html_escape(content_.x_label) << "</text>";
  }

  void draw(const Border& border) {
    const double x = px(std::clamp(border.x, x_.low, x_.high));
    out_ << "<path class=\"grid\" stroke-dasharray=\"4 3\" d=\"M" << fixed(x) << ' ' << kTop << 'V'
         << kHeight - kBottom << "\"/><text x=\"" << fixed(x + 4) << "\" y=\"" << kTop + 12 << "\">"
         << html_escape(border.name) << "</text>";
  }

  void line(const Series& series, size_t index) {
    const std::string_view color = kColors[index % std::size(kColors)];
    out_ << "<path fill=\"none\" " << stroke_of(index) << " stroke-width=\"1.8\" d=\"";
    char move = 'M';
    for (size_t i = 0; i < series.x.size(); ++i) {
      if (std::isfinite(series.x[i]) && std::isfinite(series.y[i])) {
        out_ << move << fixed(px(series.x[i])) << ' ' << fixed(py(series.y[i]));
        move = 'L';
      }
    }
    out_ << "\"/>";
    for (size_t i = 0; series.dots && i < series.x.size(); ++i) {
      if (std::isfinite(series.x[i]) && std::isfinite(series.y[i])) {
        out_ << "<circle r=\"3\" fill=\"" << color << "\" cx=\"" << fixed(px(series.x[i])) << "\" cy=\""
             << fixed(py(series.y[i])) << "\"/>";
      }
    }
  }

  // Below the plot as text, so that long names wrap.
  void legend() {
    out_ << "<p class=\"legend\">";
    for (size_t i = 0; i < content_.series.size(); ++i) {
      out_ << "<span><svg viewBox=\"0 0 26 8\" aria-hidden=\"true\"><path stroke-width=\"4\" " << stroke_of(i)
           << " d=\"M0 4h26\"/></svg>" << html_escape(content_.series[i].name) << "</span>";
    }
    out_ << "</p>";
  }

  const Chart& content_;
  Bounds x_, y_;
  std::ostringstream out_;
};

}  // namespace

std::string page(std::string_view title, std::string_view body) {
  std::ostringstream out;
  out << "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      << "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>"
      << html_escape(title) << "</title><style>" << kStyle << "</style></head>\n<body>\n"
      << body << "\n</body></html>\n";
  return out.str();
}

std::string table(const Table& content) {
  std::vector<bool> right(content.head.size());
  for (size_t column = 0; column < content.head.size(); ++column) {
    right[column] = std::all_of(content.rows.begin(), content.rows.end(), [&](const auto& row) {
      return column < row.size() && is_number_cell(row[column]);
    });
  }
  std::string out = "<div class=\"wide\"><table><thead><tr>";
  for (size_t column = 0; column < content.head.size(); ++column) {
    out += (right[column] ? "<th class=\"n\">" : "<th>") + content.head[column] + "</th>";
  }
  out += "</tr></thead><tbody>";
  for (const std::vector<std::string>& row : content.rows) {
    out += "<tr>";
    for (size_t column = 0; column < row.size(); ++column) {
      const std::string head = column < content.head.size() ? content.head[column] : "";
      out += std::string("<td") + (column < right.size() && right[column] ? " class=\"n\"" : "") +
             " data-head=\"" + head + "\">" + row[column] + "</td>";
    }
    out += "</tr>";
  }
  return out + "</tbody></table></div>";
}

std::string chart(const Chart& content) { return Plot(content).svg(); }

std::string charts(const std::vector<Chart>& contents) {
  std::string out = "<div class=\"charts\">";
  for (const Chart& content : contents) {
    out += chart(content);
  }
  return out + "</div>";
}

std::string strip(const Strip& content) {
  constexpr double kRow = 46;
  Bounds range;
  for (const StripRow& row : content.rows) {
    for (const double value : row.values) {
      if (std::isfinite(value)) {
        range.add(value);
      }
    }
  }
  if (range.empty()) {
    return "<p class=\"note\">" + html_escape(content.title) + ": nothing was measured.</p>";
  }
  range.widen();
  constexpr double kMargin = 16;
  const double height = kRow * static_cast<double>(content.rows.size()) + 24;
  const auto px = [&](double value) {
    return kMargin + (value - range.low) / (range.high - range.low) * (kWidth - 2 * kMargin);
  };
  std::ostringstream out;
  out << "<figure><svg viewBox=\"0 0 " << kWidth << ' ' << height << "\" role=\"img\" aria-label=\""
      << html_escape(content.title) << "\">";
  for (const double tick : ticks(range.low, range.high, 5)) {
    out << "<path class=\"grid\" d=\"M" << fixed(px(tick)) << " 0V" << height - 22 << "\"/><text x=\""
        << fixed(px(tick)) << "\" y=\"" << height - 5 << "\" text-anchor=\"middle\">" << number(tick)
        << "</text>";
  }
  double y = 16;
  for (const StripRow& row : content.rows) {
    const std::string_view color = kColors[row.color % std::size(kColors)];
    out << "<text x=\"2\" y=\"" << y << "\">" << html_escape(row.name) << "</text>";
    for (const double value : row.values) {
      if (std::isfinite(value)) {
        out << "<circle r=\"5\" fill-opacity=\".75\" fill=\"" << color << "\" cx=\"" << fixed(px(value))
            << "\" cy=\"" << y + 14 << "\"/>";
      }
    }
    y += kRow;
  }
  out << "</svg><figcaption>" << html_escape(content.title) << "</figcaption></figure>";
  return out.str();
}

std::vector<double> ticks(double low, double high, int count) {
  if (!(high > low) || count < 1) {
    return {low};
  }
  const double rough = (high - low) / count;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough) {
      step = factor * power;
      break;
    }
  }
  std::vector<double> values;
  for (double index = std::ceil(low / step); index * step <= high; ++index) {
    values.push_back(index * step + 0.0);  // -0 becomes 0
  }
  return values;
}

std::string number(double value) {
  if (!std::isfinite(value)) {
    return "–";
  }
  value += 0.0;  // -0 becomes 0
  char buffer[64];
  if (value == std::floor(value) && std::abs(value) < 9e15) {
    std::snprintf(buffer, sizeof buffer, "%.0f", value);
    std::string digits = buffer;
    for (int at = static_cast<int>(digits.size()) - 3; at > (value < 0 ? 1 : 0); at -= 3) {
      digits.insert(static_cast<size_t>(at), ",");
    }
    return digits;
  }
  std::snprintf(buffer, sizeof buffer, "%.4g", value);
  return buffer;
}

}  // namespace lmzoo::html
