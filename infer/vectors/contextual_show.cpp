// to_json, to_text and to_html of contextual.h.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <sstream>

#include "infer/vectors/contextual.h"
#include "io/html_escape.h"

namespace lmzoo {
namespace {

constexpr double kMapWidth = 640, kMostHeight = 420, kMargin = 40, kDot = 5;

std::string decimals(double value, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

// Puts labels beside points where they hide nothing, if there is such a place.
class Labels {
 public:
  void keep_free(double x, double y) { taken_.push_back({x - kDot, y - kDot, x + kDot, y + kDot}); }

  std::string beside(double x, double y, const std::string& label) {
    constexpr double kLetter = 7.5, kAbove = 10, kGap = 9;  // of a 12 px font
    const double width = kLetter * static_cast<double>(label.size());
    struct Place {
      double dx, dy, left;  // of the text's anchor and its left edge, from the point
      const char* anchor;
    };
    const Place places[] = {{kGap, 4, kGap, "start"},
                            {-kGap, 4, -kGap - width, "end"},
                            {0, -kGap, -width / 2, "middle"},
                            {0, kGap + kAbove, -width / 2, "middle"}};
    const auto box_of = [&](const Place& place) {
      return Box{x + place.left, y + place.dy - kAbove, x + place.left + width, y + place.dy + 1};
    };
    const Place* found = std::find_if(
        std::begin(places), std::end(places), [&](const Place& place) { return is_free(box_of(place)); });
    const Place& place = found == std::end(places) ? places[0] : *found;
    taken_.push_back(box_of(place));
    return "<text x=\"" + decimals(x + place.dx, 1) + "\" y=\"" + decimals(y + place.dy, 1) +
           "\" text-anchor=\"" + place.anchor + "\">" + label + "</text>";
  }

 private:
  struct Box {
    double left, top, right, bottom;
  };
  bool is_free(const Box& box) const {
    return box.left >= 0 && box.right <= kMapWidth &&
           std::none_of(taken_.begin(), taken_.end(), [&](const Box& other) {
             return box.left < other.right && other.left < box.right && box.top < other.bottom &&
                    other.top < box.bottom;
           });
  }
  std::vector<Box> taken_;
};

// Points of equal scale on both axes, so that distances can be compared; as high as they need.
class Picture {
 public:
  explicit Picture(const Contextual& points) : points_(points) {
    add(points.static_x, points.static_y);
    for (const Occurrence& occurrence : points.occurrences) {
      add(occurrence.x, occurrence.y);
    }
    const double wide = std::max(high_x_ - low_x_, 1e-9), high = std::max(high_y_ - low_y_, 1e-9);
    scale_ = std::min((kMapWidth - 2 * kMargin) / wide, (kMostHeight - 2 * kMargin) / high);
    height_ = (high_y_ - low_y_) * scale_ + 2 * kMargin;
  }

  std::string svg() const {
    std::ostringstream out;
    const std::string name = "'" + points_.word + "' in context, layer " + std::to_string(points_.layer);
    out << "<figure><svg viewBox=\"0 0 " << kMapWidth << ' ' << decimals(height_, 0)
        << "\" role=\"img\" aria-label=\"" << html_escape(name) << "\">";
    Labels labels;
    labels.keep_free(px(points_.static_x), py(points_.static_y));
    for (const Occurrence& occurrence : points_.occurrences) {
      labels.keep_free(px(occurrence.x), py(occurrence.y));
    }
    const double x = px(points_.static_x), y = py(points_.static_y);
    out << "<g><title>static vector</title><path d=\"M" << decimals(x, 1) << ' ' << decimals(y, 1)
        << "m-7 0h14m-7 -7v14\" stroke=\"#d55e00\" stroke-width=\"3\"/>" << labels.beside(x, y, "static")
        << "</g>";
    for (size_t i = 0; i < points_.occurrences.size(); ++i) {
      const Occurrence& occurrence = points_.occurrences[i];
      out << dot(occurrence, labels.beside(px(occurrence.x), py(occurrence.y), std::to_string(i + 1)));
    }
    out << "</svg><figcaption>" << html_escape(name)
        << ": numbers are sentences, the cross is the static vector. The two directions are those in which "
           "the "
           "sentences differ most; they show "
        << decimals(100 * points_.explained, 0) << " % of these differences.</figcaption></figure>";
    return out.str();
  }

 private:
  void add(double x, double y) {
    low_x_ = std::min(low_x_, x);
    high_x_ = std::max(high_x_, x);
    low_y_ = std::min(low_y_, y);
    high_y_ = std::max(high_y_, y);
  }
  std::string dot(const Occurrence& occurrence, const std::string& label) const {
    return "<g><title>" + html_escape(points_.sentences[occurrence.sentence]) + "</title><circle cx=\"" +
           decimals(px(occurrence.x), 1) + "\" cy=\"" + decimals(py(occurrence.y), 1) + "\" r=\"" +
           decimals(kDot, 0) + "\" fill=\"#0072b2\"/>" + label + "</g>";
  }
  double px(double x) const { return kMapWidth / 2 + (x - (low_x_ + high_x_) / 2) * scale_; }
  double py(double y) const { return height_ / 2 - (y - (low_y_ + high_y_) / 2) * scale_; }

  const Contextual& points_;
  double low_x_ = INFINITY, high_x_ = -INFINITY, low_y_ = INFINITY, high_y_ = -INFINITY;
  double scale_ = 1, height_ = 0;
};

std::string marked(const std::string& sentence, const Occurrence& occurrence) {
  return html_escape(sentence.substr(0, occurrence.begin)) + "<mark>" +
         html_escape(sentence.substr(occurrence.begin, occurrence.end - occurrence.begin)) + "</mark>" +
         html_escape(sentence.substr(occurrence.end));
}

}  // namespace

Json to_json(const Contextual& points) {
  Json occurrences = Json::array();
  for (const Occurrence& occurrence : points.occurrences) {
    occurrences.push_back({{"sentence", points.sentences[occurrence.sentence]},
                           {"begin", occurrence.begin},
                           {"end", occurrence.end},
                           {"x", occurrence.x},
                           {"y", occurrence.y},
                           {"cosine_to_static", occurrence.cosine_to_static}});
  }
  return {{"word", points.word},
          {"layer", points.layer},
          {"explained", points.explained},
          {"static", {{"x", points.static_x}, {"y", points.static_y}}},
          {"occurrences", occurrences},
          {"self_similarity", points.self_similarity}};
}

std::string to_text(const Contextual& points) {
  std::string text = "'" + points.word + "', layer " + std::to_string(points.layer) + "\n\n" +
                     "       x       y   cosine to static\n";
  const auto line = [](double x, double y) {
    char numbers[40];
    std::snprintf(numbers, sizeof numbers, "%8.3f%8.3f", x, y);
    return std::string(numbers);
  };
  text += line(points.static_x, points.static_y) + "   1.000   (static vector)\n";
  for (const Occurrence& occurrence : points.occurrences) {
    text += line(occurrence.x, occurrence.y) + "   " + decimals(occurrence.cosine_to_static, 3) + "   " +
            points.sentences[occurrence.sentence] + "\n";
  }
  text += "\nmean cosine between occurrences, by layer (a static vector has 1):\n";
  for (size_t layer = 0; layer < points.self_similarity.size(); ++layer) {
    text += "  " + std::to_string(layer) + "  " + decimals(points.self_similarity[layer], 3) + "\n";
  }
  return text;
}

html::Fragment to_section(const Contextual& points) {
  html::Table sentences{.head = {"", "sentence", "cosine to the static vector"}, .rows = {}};
  for (size_t i = 0; i < points.occurrences.size(); ++i) {
    const Occurrence& occurrence = points.occurrences[i];
    sentences.rows.push_back({std::to_string(i + 1),
                              marked(points.sentences[occurrence.sentence], occurrence),
                              decimals(occurrence.cosine_to_static, 3)});
  }
  html::Table layers{.head = {"layer", "mean cosine between occurrences"}, .rows = {}};
  for (size_t layer = 0; layer < points.self_similarity.size(); ++layer) {
    layers.rows.push_back({std::to_string(layer), decimals(points.self_similarity[layer], 3)});
  }
  return {
      .title = "One word in context: " + points.word,
      .body =
          "<p>A static vector is one point, whatever the sentence says; the vectors in context are not.</p>" +
          Picture(points).svg() + html::table(sentences) +
          "<h3>Every layer</h3><p class=\"note\">A vector that does not depend on its context has 1.</p>" +
          html::table(layers)};
}

std::string to_html(const Contextual& points) {
  const html::Fragment section = to_section(points);
  return html::page(section.title, "<h1>" + html_escape(section.title) + "</h1>" + section.body);
}

}  // namespace lmzoo
