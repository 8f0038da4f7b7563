#include "infer/report/verify.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/check.h"
#include "base/strings.h"
#include "nn/parameter.h"
#include "tokenizer/vocabulary_of.h"
#include "train/config/word_settings.h"
#include "train/loop/stop_signal.h"
#include "train/run/assemble.h"

namespace lmzoo {
namespace {

std::string_view name_of_verdict(Verdict verdict) {
  switch (verdict) {
    case Verdict::holds:
      return "yes";
    case Verdict::broken:
      return "NO";
    case Verdict::too_few:
      break;
  }
  return "too few";
}

// "0.1500", and for distributions "19 ± 6" with what was seen in the next column.
std::string expected_text(const WitnessedPromise& promise) {
  const Finding& finding = promise.finding;
  if (promise.kind == "always") {
    return "no exception";
  }
  return promise.kind == "mean"
             ? fmt::format("{:.5g}", finding.expected)
             : fmt::format("{:.0f} ± {:.1f}", finding.expected, std::sqrt(2 * finding.expected));
}

std::string seen_text(const WitnessedPromise& promise) {
  const Finding& finding = promise.finding;
  if (promise.kind == "always") {
    return finding.seen == 0 ? "none" : fmt::format("{:.0f}", finding.seen);
  }
  return promise.kind == "mean" ? fmt::format("{:.5g}", finding.seen)
                                : fmt::format("χ² {:.1f}", finding.seen);
}

using Row = std::array<std::string, 6>;

Row row_of(const WitnessedPromise& promise) {
  return {promise.name,
          expected_text(promise),
          seen_text(promise),
          grouped(promise.finding.cases),
          promise.kind == "always" ? "" : fmt::format("{:.2g}", promise.finding.p_value),
          std::string(name_of_verdict(promise.finding.verdict))};
}

// Characters, of which a few take two bytes.
size_t columns_of(const std::string& text) {
  return static_cast<size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

bool Verification::holds() const {
  return std::ranges::none_of(
      promises, [](const WitnessedPromise& promise) { return promise.finding.verdict == Verdict::broken; });
}

Verification verify_objective(const LoadedConfig& loaded, const Registry& registry, int64_t tokens) {
  const RunConfig& config = loaded.config;
  check(
      !trains_word_vectors(config),
      "--verify counts what an objective draws for a model's loader, but {} is trained by a loop of its own",
      config.objective.type);
  constexpr auto kStyle = ProgressBar::Style::automatic;
  const auto tokenizer = make_run_tokenizer(loaded, kStyle);
  const auto store = open_store(loaded, "data.train", config.data.train, tokenizer, std::nullopt, kStyle);
  const MetaScope no_weights;
  const Parts parts = build_parts(loaded, registry, vocabulary_of(*tokenizer), store->classes());
  const MixedWindows windows = training_windows(loaded, parts, tokenizer, store);
  Witness witness(parts.objective);
  const LoaderSteps steps{.transform =
                              [&](const Sample& sample, const TrainingPlace& place, Stream& stream) {
                                return witness.examples(sample, place, stream);
                              },
                          .collate = [](std::span<const Example>) { return Batch(); }};
  Loader loader(windows,
                steps,
                {.batch_size = 1,
                 .step_windows = config.train.batch_size,
                 .steps = steps_of(loaded, windows),
                 .seed = config.stream_seed(),
                 .workers = 0});
  ProgressBar bar("verify", "token", kStyle);
  bar.start(0, tokens);
  while (witness.tokens() < tokens) {
    loader.next();
    bar.update(std::min(witness.tokens(), tokens));
    throw_if_stopped();
  }
  bar.finish();
  Verification made{.objective = config.objective.type,
                    .tokens = witness.tokens(),
                    .samples = witness.samples(),
                    .promises = witness.findings()};
  check(!witness.draws() || witness.states_promises(),
        "{} draws at random, but states no promises that could be counted",
        made.objective);
  return made;
}

std::string to_text(const Verification& verification) {
  std::string text = fmt::format("{}, {} tokens in {} texts\n",
                                 verification.objective,
                                 grouped(verification.tokens),
                                 grouped(verification.samples));
  if (verification.promises.empty()) {
    return text + "nothing is drawn: another stream gives the same examples\n";
  }
  std::vector<Row> rows{{"promise", "expected", "seen", "cases", "p", "ok"}};
  for (const WitnessedPromise& promise : verification.promises) {
    rows.push_back(row_of(promise));
  }
  std::array<size_t, std::tuple_size_v<Row>> widths{};
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], columns_of(row[i]));
    }
  }
  for (const Row& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += row[i] + std::string(widths[i] - columns_of(row[i]) + 2, ' ');
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text +
         (verification.holds() ? "every promise is kept (broken: p below that of 5 sigma, 5.7e-7)\n" : "");
}

Json to_json(const Verification& verification) {
  Json promises = Json::array();
  for (const WitnessedPromise& promise : verification.promises) {
    const Finding& finding = promise.finding;
    promises.push_back({{"promise", promise.name},
                        {"kind", promise.kind},
                        {"expected", finding.expected},
                        {"seen", finding.seen},
                        {"cases", finding.cases},
                        {"p", finding.p_value},
                        {"verdict",
                         finding.verdict == Verdict::holds    ? "holds"
                         : finding.verdict == Verdict::broken ? "broken"
                                                              : "too few"}});
  }
  return {{"objective", verification.objective},
          {"tokens", verification.tokens},
          {"texts", verification.samples},
          {"draws", !verification.promises.empty()},
          {"holds", verification.holds()},
          {"promises", promises}};
}

}  // namespace lmzoo
