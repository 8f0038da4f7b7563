#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstring>

#include "base/check.h"
#include "cli/config_flags.h"
#include "train/loop/stop_signal.h"
#include "train/run/assemble.h"
#include "train/run/run_folder.h"
#include "train/run/train_run.h"

namespace lmzoo {
namespace {

std::string summary(const std::string& run, const TrainResult& result) {
  std::string text = fmt::format("{}: {} steps, {} tokens", run, result.state.step, result.state.tokens);
  if (result.valid) {
    for (const auto& [name, value] : result.valid->values()) {
      text += fmt::format(", valid {} {:g}", name, value);
    }
  }
  return text + (result.reason == StopReason::early ? " (stopped early)" : "") + "\n";
}

// Which command asks a run that was trained so.
std::string question(const std::string& objective) {
  struct Asked {
    std::string_view objective, command;
  };
  static constexpr Asked kAsked[] = {
      {"masked_lm", "fill-mask {} --text \"... [MASK] ...\""},
      {"next_sentence", "fill-mask {} --text \"... [MASK] ...\""},
      {"sentence_order", "fill-mask {} --text \"... [MASK] ...\""},
      {"causal_lm", "generate {} --text \"...\""},
      {"text_to_text", "generate {} --text \"...\""},
      {"spanbert", "fill-mask {} --text \"... [MASK] ...\""},
      {"masked_diffusion", "generate {} --text \"...\""},
      {"masked_next_token", "embed {} --text \"...\""},
      {"prefix_lm", "generate {} --text \"...\""},
      {"ul2", "generate {} --text \"[S2S] ...\""},
      {"bart", "generate {} --text \"...\""},
      {"span_corruption", "infill {} --text \"... <extra_id_0> ...\""},
      {"fill_in_the_middle", "infill {} --text \"... <extra_id_0> ...\""},
      {"skipgram", "neighbors {} WORD"},
      {"cbow", "neighbors {} WORD"},
      {"token_classification", "tag {} --text \"...\""},
      {"question_answering", "answer {} --question \"...\" --passage \"...\""}};
  const auto* found = std::find_if(
      std::begin(kAsked), std::end(kAsked), [&](const Asked& asked) { return asked.objective == objective; });
  return std::string(found == std::end(kAsked) ? "classify {} --text \"...\"" : found->command);
}

// As a shell takes it for one word.
std::string for_shell(const std::string& word) {
  const bool plain = std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || std::strchr("_./=,:+-@%", c) != nullptr;
  });
  std::string quoted;
  for (const char c : word) {
    quoted += c == '\'' ? "'\\''" : std::string{c};
  }
  return plain ? word : "'" + quoted + "'";
}

// On standard error: standard output is the result.
void tell_what_is_next(const std::string& run, const LoadedConfig& loaded) {
  const std::string shown = for_shell(run);
  std::string ask = question(asked_objective(loaded));
  ask.replace(ask.find("{}"), 2, shown);
  std::fprintf(stderr,
               "next:\n  lmzoo %s\n%s  lmzoo report %s\n",
               ask.c_str(),
               last_phase(loaded).config.data.valid ? ("  lmzoo eval " + shown + "\n").c_str() : "",
               shown.c_str());
}

int report(const std::string& run, const TrainResult& result) {
  if (result.reason == StopReason::signal) {
    std::fprintf(stderr,
                 "stopped by signal %d after step %lld, which is saved; go on with --resume\n",
                 result.signal,
                 static_cast<long long>(result.state.step));
    return 128 + result.signal;
  }
  print(summary(run, result));
  return 0;
}

}  // namespace

int run_train(const Command& self, const Strings& arguments) {
  const StopSignal signals;  // before anything is made
  Flags flags(self);
  add_config_flags(flags);
  flags.value("out", "DIR", "the run's folder; default runs/NAME");
  flags.toggle("resume", "go on with the run that is there (also if none is there yet)");
  flags.toggle("allow-other-data",
               "with --resume: also when the text or the tokenizer is another than before");
  flags.value(
      "extend", "STEPS", "go on with the run that is there for so many steps more than it was planned for");
  if (!flags.parse(arguments)) {
    return 0;
  }
  const Registry registry = make_registry();
  LoadedConfig loaded = read_config(flags, registry);
  const std::string run = flags.text("out", "runs/" + loaded.config.name);
  const bool extends = flags.has("extend");
  if (extends) {
    loaded = extend_run(
        run, std::move(loaded), flags.integer("extend", 0, between(0, 1e12)), [](const std::string& line) {
          std::fprintf(stderr, "%s\n", line.c_str());
        });
  }
  const GoOn go_on{.resume = flags.has("resume") || extends, .other_inputs = flags.has("allow-other-data")};
  const int code = report(run, train_run(loaded, registry, run, go_on));
  if (code == 0) {
    tell_what_is_next(run, loaded);
  }
  return code;
}

}  // namespace lmzoo
