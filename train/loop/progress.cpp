#include "train/loop/progress.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <sys/ioctl.h>
#include <unistd.h>

#include "base/check.h"
#include "base/visible.h"
#include "train/loop/stop_signal.h"

namespace lmzoo {
namespace {

constexpr double kBarInterval = 0.1;    // seconds
constexpr double kLineInterval = 10.0;  // seconds
constexpr int kBarWidth = 16;
constexpr size_t kTitleShare = 4;
constexpr size_t kRecent = 63;     // updates whose median is the rate
constexpr int64_t kShares = 1000;  // steps of a bar that is only told shares

bool can_show_a_bar(std::FILE* out) {
  const char* terminal = std::getenv("TERM");
  return isatty(fileno(out)) != 0 && terminal != nullptr && std::strcmp(terminal, "dumb") != 0;
}

size_t columns_of(std::FILE* out) {
  winsize size{};
  return ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

double seconds_between(std::chrono::steady_clock::time_point from, std::chrono::steady_clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

std::string formatted(const char* format, double value) {
  char text[32];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

// Three digits and the unit in which they are at least 1.
std::string scaled(double value, double base, std::initializer_list<const char*> units) {
  auto unit = units.begin();
  while (std::abs(value) >= base && unit + 1 != units.end()) {
    value /= base;
    ++unit;
  }
  const bool whole = unit == units.begin() && value == std::floor(value);
  return formatted(whole || value >= 99.95 ? "%.0f" : value >= 9.995 ? "%.1f" : "%.2f", value) + *unit;
}

}  // namespace

Progress when_long(const Progress& progress) {
  using Clock = std::chrono::steady_clock;
  return [progress, began = Clock::now()](std::string_view stage, double share) {
    if (Clock::now() - began > std::chrono::seconds(1)) {
      progress(stage, share);
    }
  };
}

std::string short_count(double value) { return scaled(value, 1000, {"", "k", "M", "G", "T", "P"}); }

std::string short_bytes(double bytes) { return scaled(bytes, 1024, {" B", " KiB", " MiB", " GiB", " TiB"}); }

std::string short_time(double seconds) {
  const int64_t whole = std::llround(std::max(seconds, 0.0));
  char text[32];
  if (whole < 3600) {
    std::snprintf(text, sizeof text, "%d:%02d", static_cast<int>(whole / 60), static_cast<int>(whole % 60));
  } else {
    std::snprintf(text,
                  sizeof text,
                  "%lld:%02d:%02d",
                  static_cast<long long>(whole / 3600),
                  static_cast<int>(whole / 60 % 60),
                  static_cast<int>(whole % 60));
  }
  return text;
}

ProgressBar::ProgressBar(const std::string& title, std::string unit, Style style, std::FILE* out)
    : title_(visible(title)), unit_(std::move(unit)), style_(style), out_(out) {
  if (style_ == Style::automatic) {
    style_ = can_show_a_bar(out_) ? Style::bar : Style::lines;
  }
}

ProgressBar::~ProgressBar() { finish(); }

void ProgressBar::start(int64_t done, int64_t total) {
  first_ = done_ = done;
  total_ = total;
  text_.clear();
  recent_.clear();
  next_recent_ = 0;
  began_ = drawn_ = updated_ = Clock::now();
  started_ = true;
  if (style_ == Style::bar) {
    draw();
  }
}

void ProgressBar::update(int64_t done, const std::string& text) {
  remember(done);
  done_ = done;
  text_ = visible(text);
  const double since = seconds_between(drawn_, Clock::now());
  if (since >= (style_ == Style::bar ? kBarInterval : kLineInterval)) {
    draw();
  }
}

void ProgressBar::note(const std::string& line) {
  if (style_ == Style::silent) {
    return;
  }
  clear_bar();
  std::fprintf(out_, "%s\n", visible(line).c_str());
  std::fflush(out_);
  if (started_ && style_ == Style::bar) {
    draw();
  }
}

void ProgressBar::finish() {
  if (!started_) {
    return;
  }
  draw();
  if (bar_visible_) {
    std::fputc('\n', out_);
    bar_visible_ = false;
  }
  started_ = false;
}

Progress ProgressBar::callback() {
  return [this](std::string_view stage, double share) {
    throw_if_stopped();
    if (!started_) {
      start(0, share < 0 ? 0 : kShares);
    }
    total_ = share < 0 ? 0 : kShares;
    update(share < 0 ? 0 : std::llround(share * kShares), std::string(stage));
  };
}

void ProgressBar::remember(int64_t done) {
  const Clock::time_point now = Clock::now();
  if (done > done_) {
    const double each = seconds_between(updated_, now) / static_cast<double>(done - done_);
    if (recent_.size() < kRecent) {
      recent_.push_back(each);
    } else {
      recent_[next_recent_++ % kRecent] = each;
    }
  }
  updated_ = now;
}

// The median of the last updates: a pause (an evaluation, a suspended machine) is one of them and changes nothing.
double ProgressBar::seconds_each() const {
  if (recent_.empty()) {
    return 0;
  }
  std::vector<double> sorted = recent_;
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  return *middle;
}

// "  52%  loss 4.3210  0:31 left  52/100  lr 1.0e-3  12.0 step/s": of the text, what stands before two spaces comes first.
std::string ProgressBar::status() const {
  const double seconds = seconds_between(began_, Clock::now());
  const double each = seconds_each(), rate = each > 0 ? 1 / each : 0;
  const size_t end = std::min(text_.find("  "), text_.size());
  std::string line;
  const auto add = [&](const std::string& field) { line += field.empty() ? "" : "  " + field; };
  if (total_ > 0) {
    line += formatted(" %3.0f%%", 100.0 * static_cast<double>(done_) / static_cast<double>(total_));
  }
  add(text_.substr(0, end));
  if (total_ > done_ && rate > 0) {
    add(short_time(static_cast<double>(total_ - done_) / rate) + " left");
  } else {
    add(short_time(seconds));
  }
  if (!unit_.empty() && total_ > 0) {
    add(fmt::format("{}/{}", done_, total_));
  }
  line += text_.substr(end);
  if (!unit_.empty() && rate > 0) {
    add(rate >= 1 ? short_count(rate) + " " + unit_ + "/s" : formatted("%.2f s/", 1 / rate) + unit_);
  }
  return line;
}

void ProgressBar::draw() {
  drawn_ = Clock::now();
  if (style_ == Style::silent) {
    return;
  }
  if (style_ == Style::lines) {
    std::fprintf(out_, "%s%s\n", title_.c_str(), status().c_str());
    std::fflush(out_);
    return;
  }
  const size_t columns = columns_of(out_);
  std::string line = title_;
  if (line.size() > columns / kTitleShare) {  // a long name must not push the numbers off the line
    line.resize(columns / kTitleShare);
  }
  if (total_ > 0) {
    const int full = static_cast<int>(std::clamp<int64_t>(kBarWidth * done_ / total_, 0, kBarWidth));
    line += " [" + std::string(full, '#') + std::string(kBarWidth - full, ' ') + "]";
  }
  line += status();
  line.resize(std::min(line.size(), columns - 1));
  std::fprintf(out_, "\r\033[K%s", line.c_str());
  std::fflush(out_);
  bar_visible_ = true;
}

void ProgressBar::clear_bar() {
  if (bar_visible_) {
    std::fputs("\r\033[K", out_);
    bar_visible_ = false;
  }
}

}  // namespace lmzoo
