#include "train/run/run_texts.h"

#include <cmath>

#include <fmt/format.h>

#include "train/run/assemble.h"

namespace lmzoo {

std::vector<RunText> run_texts(const RunConfig& config) {
  const DataOptions& data = config.data;
  std::vector<RunText> all{{.name = "train", .key = "data.train", .options = data.train}};
  if (data.valid) {
    all.push_back({.name = "valid", .key = "data.valid", .options = *data.valid, .use = TextUse::evaluate});
  }
  if (data.test) {
    all.push_back({.name = "test", .key = "data.test", .options = *data.test, .use = TextUse::test});
  }
  int64_t corpus = 0;
  for (const CorpusOptions& further : config.further_corpora()) {
    const std::string key = fmt::format("data.mixture.corpora.{}.", corpus++);
    all.push_back(
        {.name = "train." + further.name, .key = key + "train", .options = further.train, .corpus = corpus});
    if (further.valid) {
      all.push_back({.name = "valid." + further.name,
                     .key = key + "valid",
                     .options = *further.valid,
                     .use = TextUse::evaluate,
                     .corpus = corpus});
    }
  }
  return all;
}

std::vector<CorpusShape> corpus_shapes(const RunConfig& config) {
  std::vector<CorpusShape> shapes;
  for (const RunText& text : run_texts(config)) {
    if (text.use == TextUse::train) {
      const bool main = text.is_main();
      shapes.push_back({.name = main ? "train" : text.name.substr(text.name.find('.') + 1),
                        .record = shape_of(text.options)});
    }
  }
  return shapes;
}

MixedWindows mixed_windows(const LoadedConfig& loaded, std::span<const Windows> windows) {
  const RunConfig& config = loaded.config;
  if (!config.data.mixture) {
    return windows.front();
  }
  const CorpusMixOptions& mixture = *config.data.mixture;
  const std::vector<CorpusShape> shapes = corpus_shapes(config);
  std::vector<MixedText> texts;
  for (size_t i = 0; i < windows.size(); ++i) {
    const double weight = i == 0 ? mixture.weight : mixture.corpora[i - 1].weight;
    const double size = static_cast<double>(windows[i].size());
    const double share =
        mixture.shares == CorpusShares::size ? weight * std::pow(size, 1 / mixture.temperature) : weight;
    texts.push_back({.name = shapes[i].name, .windows = windows[i], .share = share});
  }
  return loaded.places.locate("data.mixture",
                              [&] { return MixedWindows(std::move(texts), config.stream_seed()); });
}

MixedWindows training_windows(const LoadedConfig& loaded,
                              const Parts& parts,
                              const std::shared_ptr<const Tokenizer>& tokenizer,
                              const std::shared_ptr<const TokenStore>& train) {
  std::vector<Windows> windows;
  for (const RunText& text : run_texts(loaded.config)) {
    if (text.use == TextUse::train) {
      const auto store =
          text.is_main()
              ? train
              : open_store(
                    loaded, text.key, text.options, tokenizer, std::nullopt, ProgressBar::Style::automatic);
      windows.push_back(make_windows(loaded, *parts.objective, parts.vocabulary, store));
    }
  }
  return mixed_windows(loaded, windows);
}

std::vector<double> known_shares(const RunConfig& config) {
  if (!config.data.mixture || config.data.mixture->shares == CorpusShares::size) {
    return {};
  }
  double all = config.data.mixture->weight;
  std::vector<double> shares{all};
  for (const CorpusOptions& corpus : config.further_corpora()) {
    shares.push_back(corpus.weight);
    all += corpus.weight;
  }
  for (double& share : shares) {
    share /= all;
  }
  return shares;
}

}  // namespace lmzoo
