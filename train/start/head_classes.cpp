#include "train/start/head_classes.h"

#include <algorithm>
#include <filesystem>

#include "base/check.h"
#include "base/strings.h"
#include "base/utf8.h"
#include "text/class_order.h"
#include "train/exchange/huggingface/config.h"
#include "train/saved/checkpoint.h"
#include "train/saved/run_files.h"

namespace lmzoo {
namespace {

std::string some(std::vector<std::string> names) {
  constexpr size_t kShown = 10;
  const size_t count = names.size();
  names.resize(std::min(count, kShown));
  return printable(joined(names), 400) + (count > kShown ? ", ..." : "");
}

// The row that a label names by its number.
bool is_row(const std::string& label, size_t rows) {
  const std::optional<double> number = number_of(label);
  return number && *number >= 0 && *number < static_cast<double>(rows) &&
         label == std::to_string(static_cast<int64_t>(*number));
}

bool are_among(const std::vector<std::string>& some, const std::vector<std::string>& all) {
  return std::all_of(some.begin(), some.end(), [&](const std::string& name) {
    return std::find(all.begin(), all.end(), name) != all.end();
  });
}

}  // namespace

std::optional<HeadClasses> head_classes(const WarmStartOptions& options) {
  if (!options.objective || options.from.empty()) {
    return std::nullopt;
  }
  if (is_huggingface_folder(options.from)) {
    const TaskHead task = read_huggingface_config(options.from).task;
    return task.architecture.empty() ? std::nullopt : std::optional(HeadClasses{options.from, task.labels});
  }
  if (std::filesystem::is_regular_file(options.from)) {
    return HeadClasses{options.from, {}};
  }
  std::vector<std::string> names = read_classes(run_of(options.from));
  return names.empty() ? std::nullopt : std::optional(HeadClasses{options.from, std::move(names)});
}

std::vector<std::string> classes_of_rows(const HeadClasses& head, const std::vector<std::string>& found) {
  check(!head.names.empty(),
        "warm_start.from: {} does not say which row of its head is which class; name the run or the folder "
        "that it is of",
        printable(head.from));
  if (are_among(found, head.names)) {
    return head.names;
  }
  const size_t rows = head.names.size();
  check(
      std::all_of(found.begin(), found.end(), [&](const std::string& label) { return is_row(label, rows); }),
      "the head of {} has the classes {}, but the data has {}; write the labels as the head does or as the "
      "numbers of "
      "its rows, 0 to {}, or begin with a fresh head (warm_start.objective: false)",
      printable(head.from),
      some(head.names),
      some(found),
      rows - 1);
  std::vector<std::string> numbers;
  for (size_t row = 0; row < rows; ++row) {
    numbers.push_back(std::to_string(row));
  }
  return numbers;
}

std::vector<std::string> run_classes(const WarmStartOptions& options, const std::vector<std::string>& found) {
  const std::optional<HeadClasses> head = head_classes(options);
  return head ? classes_of_rows(*head, found) : found;
}

}  // namespace lmzoo
