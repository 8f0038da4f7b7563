// Progress of anything long: a bar with rate and time left on a terminal, a plain line now and then
// elsewhere. (base/progress.h has the type of the callbacks, Progress.)
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "base/progress.h"

namespace lmzoo {

class ProgressBar {
 public:
  // automatic: a bar if the stream is a terminal that can show one, else lines.
  enum class Style { automatic, bar, lines, silent };

  // "title [#####     ]  52%  loss 4.3  0:31 left  52/100  lr 1e-3  1.2k step/s": what matters most stands first, for a
  // line that is too long is cut. `unit` names what is counted, as in "step"; empty: no rate is shown.
  ProgressBar(const std::string& title,
              std::string unit,
              Style style = Style::automatic,
              std::FILE* out = stderr);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // Begins (again) with `done` of `total` behind it; the rate counts from here. total 0: unknown.
  void start(int64_t done, int64_t total);
  // Redraws at most ten times a second (lines: every ten seconds and at the end). `text` stands at the right.
  void update(int64_t done, const std::string& text = "");
  // A line of its own, above the bar.
  void note(const std::string& line);
  void finish();

  // For builders that tell what share is done (give the bar an empty unit: there is no rate). Throws
  // Interrupted when a stop signal has come.
  Progress callback();

 private:
  void draw();
  void clear_bar();
  std::string status() const;
  void remember(int64_t done);
  double seconds_each() const;

  using Clock = std::chrono::steady_clock;
  std::string title_, unit_, text_;
  Style style_;
  std::FILE* out_;
  int64_t first_ = 0, done_ = 0, total_ = 0;
  Clock::time_point began_, drawn_, updated_;
  std::vector<double> recent_;  // seconds of one unit in the last updates
  size_t next_recent_ = 0;      // which of them is replaced next
  bool started_ = false;
  bool bar_visible_ = false;
};

// Passes on what takes longer than a second: answers that come at once need no bar.
Progress when_long(const Progress& progress);

// "1.2k", "3.4M"; "0:07", "1:02:03"; "1.5 GB": short forms for people.
std::string short_count(double value);
std::string short_time(double seconds);
std::string short_bytes(double bytes);

}  // namespace lmzoo
