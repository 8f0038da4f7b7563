#include "infer/report/html.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <sstream>

#include "io/html_escape.h"

namespace lmzoo::html {
namespace {

constexpr std::string_view kStyle = R"(
:root{color-scheme:light dark;--ink:#1c1c1e;--paper:#fff;--soft:#6b6b70;--line:#d8d8dc;--band:#f5f5f7}
@media(prefers-color-scheme:dark){:root{--ink:#ececee;--paper:#18181a;--soft:#a0a0a6;--line:#3a3a3e;--band:#222225}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:72rem;padding:1.2rem;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
h1{font-size:1.6rem;margin:.2em 0}h2{font-size:1.2rem;margin:1.6em 0 .4em}h3{font-size:1rem;margin:1.2em 0 .3em}
p.note,figcaption,summary{color:var(--soft)}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;width:100%;font-size:.9rem}
th,td{padding:.3em .6em;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
th{border-bottom-width:2px}td.n,th.n{text-align:right;white-space:nowrap}tbody tr:nth-child(even){background:var(--band)}
pre{overflow-x:auto;background:var(--band);padding:.8em;border-radius:6px;font-size:.85rem}
figure{margin:.6em 0}svg{width:100%;height:auto;max-width:52rem}svg text{fill:var(--ink);font:12px system-ui,sans-serif}
svg .grid{stroke:var(--line)}mark{background:#ffe28a;color:#1c1c1e;border-radius:3px;padding:0 .15em}
@media print{details>*{display:block}body{max-width:none;font-size:11pt}.wide{overflow:visible}table{font-size:8pt}th,td{padding:.2em .35em}h2,figure,table{break-inside:avoid}}
)";

// Distinguishable with color blindness (Okabe & Ito 2008).
constexpr std::string_view kColors[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"};

constexpr double kWidth = 760, kHeight = 300, kLeft = 58, kRight = 24, kTop = 34, kBottom = 42,
                 kLegendStep = 170;

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
      low -= 0.5;
      high += 0.5;
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
    for (size_t i = 0; i < content_.series.size(); ++i) {
      line(content_.series[i], kColors[i % std::size(kColors)]);
    }
    legend();
    out_ << "</svg><figcaption>" << html_escape(content_.title) << "</figcaption></figure>";
    return out_.str();
  }

 private:
  double px(double x) const { return kLeft + (x - x_.low) / (x_.high - x_.low) * (kWidth - kLeft - kRight); }
  double py(double y) const {
    return kHeight - kBottom - (y - y_.low) / (y_.high - y_.low) * (kHeight - kTop - kBottom);
  }

  void axes() {
    for (const double tick : ticks(y_.low, y_.high, 6)) {
      out_ << "<path class=\"grid\" d=\"M" << kLeft << ' ' << fixed(py(tick)) << 'H' << kWidth - kRight
           << "\"/>"
           << "<text x=\"" << kLeft - 6 << "\" y=\"" << fixed(py(tick) + 4) << "\" text-anchor=\"end\">"
           << number(tick) << "</text>";
    }
    for (const double tick : ticks(x_.low, x_.high, 7)) {
      out_ << "<text x=\"" << fixed(px(tick)) << "\" y=\"" << kHeight - kBottom + 18
           << "\" text-anchor=\"middle\">" << number(tick) << "</text>";
    }
    out_ << "<text x=\"" << (kWidth + kLeft) / 2 << "\" y=\"" << kHeight - 6 << "\" text-anchor=\"middle\">"
         << html_escape(content_.x_label) << "</text>";
  }

  void line(const Series& series, std::string_view color) {
    out_ << "<path fill=\"none\" stroke=\"" << color << "\" stroke-width=\"1.8\" d=\"";
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

  // In a row above the plot, where no curve runs.
  void legend() {
    double x = kLeft;
    for (size_t i = 0; i < content_.series.size(); ++i, x += kLegendStep) {
      out_ << "<path stroke-width=\"3\" stroke=\"" << kColors[i % std::size(kColors)] << "\" d=\"M" << x
           << ' ' << kTop - 16 << "h18\"/><text x=\"" << x + 24 << "\" y=\"" << kTop - 12 << "\">"
           << html_escape(content_.series[i].name) << "</text>";
    }
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
      out += (column < right.size() && right[column] ? "<td class=\"n\">" : "<td>") + row[column] + "</td>";
    }
    out += "</tr>";
  }
  return out + "</tbody></table></div>";
}

std::string chart(const Chart& content) { return Plot(content).svg(); }

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
    values.push_back(index * step);
  }
  return values;
}

std::string number(double value) {
  if (!std::isfinite(value)) {
    return "–";
  }
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
