#include "train/loop/progress.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <thread>

#include "support/catch.h"
#include "support/files.h"
#include "train/loop/stop_signal.h"

using namespace lmzoo;
using namespace lmzoo::test;
using Catch::Matchers::Contains;

namespace {

// What `use` prints with a bar of this style.
template <class Use>
std::string printed(ProgressBar::Style style, const Use& use) {
  const TempDir folder;
  std::FILE* file = std::fopen((folder / "out").c_str(), "w");
  {
    ProgressBar bar("train", "step", style, file);
    use(bar);
  }
  std::fclose(file);
  return read_file(folder / "out");
}

void some_steps(ProgressBar& bar) {
  bar.start(0, 200);
  for (int64_t step = 1; step <= 50; ++step) {
    bar.update(step, "loss 2.5");
  }
  bar.note("evaluated");
}

}  // namespace

TEST_CASE("a bar shows what is done, and notes stand on lines of their own") {
  const std::string text = printed(ProgressBar::Style::bar, some_steps);
  // Of 80 columns so much is there for the text however long the rate is.
  CHECK_THAT(text,
             Contains("train [####            ]  25%  loss ") && Contains(" left  50/200") &&
                 Contains("\r\033[Kevaluated\n"));
  CHECK(text.back() == '\n');
}

TEST_CASE("80 columns have room for the loss, whatever stands behind it") {
  const std::string text = printed(ProgressBar::Style::bar, [](ProgressBar& bar) {
    bar.start(0, 1'000'000);
    bar.update(250'000, "loss 2.7690  lr 1.00e-03  43.7k tokens/s");
  });
  CHECK_THAT(text, Contains("%  loss 2.7690  0:"));
}

TEST_CASE("the time that is left follows the recent rate, whatever pause there was") {
  const auto rest = [](int milliseconds) {
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
  };
  const std::string text = printed(ProgressBar::Style::lines, [&](ProgressBar& bar) {
    bar.start(0, 1000);
    for (int64_t step = 1; step <= 10; ++step) {
      rest(step == 6 ? 1500 : 2);  // of the average, 1000 steps would take minutes
      bar.update(step);
    }
  });
  const size_t left = text.rfind(" left");
  REQUIRE(left != std::string::npos);
  const std::string time = text.substr(text.rfind(' ', left - 1) + 1, left - text.rfind(' ', left - 1) - 1);
  INFO(text);
  CHECK(time.size() == 4);
  CHECK(time < "0:40");
}

TEST_CASE("without a terminal there are plain lines, few of them") {
  const std::string text = printed(ProgressBar::Style::automatic, some_steps);
  CHECK_THAT(
      text,
      Contains("evaluated\n") && Contains("train  25%  loss 2.5  ") && !Contains("\033") && !Contains("\r"));
  CHECK(std::count(text.begin(), text.end(), '\n') == 2);
}

TEST_CASE("silent is silent, and a bar that never started prints only its notes") {
  CHECK(printed(ProgressBar::Style::silent, some_steps).empty());
  CHECK(printed(ProgressBar::Style::lines, [](ProgressBar& bar) { bar.note("x"); }) == "x\n");
}

TEST_CASE("a callback shows shares and throws when a stop signal has come") {
  const std::string text = printed(ProgressBar::Style::lines, [](ProgressBar& bar) {
    const Progress progress = bar.callback();
    progress("tokenizing", 0.25);
    progress("tokenizing", 0.5);
    const StopSignal handlers;
    std::raise(SIGTERM);
    CHECK_THROWS_AS(progress("tokenizing", 0.75), Interrupted);
  });
  CHECK_THAT(text, Contains("50%") && Contains("tokenizing"));
}

TEST_CASE("short forms") {
  CHECK(short_count(7) == "7");
  CHECK(short_count(999) == "999");
  CHECK(short_count(1234) == "1.23k");
  CHECK(short_count(45'600'000) == "45.6M");
  CHECK(short_count(0.5) == "0.50");
  CHECK(short_time(7) == "0:07");
  CHECK(short_time(125) == "2:05");
  CHECK(short_time(3723) == "1:02:03");
  CHECK(short_bytes(512) == "512 B");
  CHECK(short_bytes(1536 * 1024) == "1.50 MiB");
}
