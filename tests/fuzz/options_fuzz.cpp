// YAML bound to options. The first byte chooses the options; behind each NUL stands a --set KEY=VALUE.
#include <algorithm>
#include <cstdlib>
#include <optional>

#include "fuzz/target.h"
#include "text/source.h"
#include "tokenizer/options.h"
#include "train/loop/lr_schedule.h"
#include "train/loop/train_options.h"
#include "train/tune/lora_options.h"
#include "train/yaml/bind.h"

namespace lmzoo::fuzz {
namespace {

struct EveryOption {
  TextOptions text{};
  TokenizerOptions tokenizer{};
  std::optional<LoraOptions> lora{};
  ScheduleOptions schedule{};
  TrainOptions train{};

  static constexpr void fields(auto& self, auto& visit) {
    visit("text", self.text, "");
    visit("tokenizer", self.tokenizer, "");
    visit("lora", self.lora, "");
    visit("schedule", self.schedule, "");
    visit("train", self.train, "");
  }
  bool operator==(const EveryOption&) const = default;
};

template <class T>
void bind(const YamlNode& node) {
  T options;
  KeyPlaces places;
  read_fields(options, node, places);
  // What is dumped, written and read again are the same options.
  T again;
  KeyPlaces other;
  read_fields(again, parse_yaml(to_yaml(dump_fields(options)), "again.yaml"), other);
  if (!(again == options)) {
    std::abort();
  }
}

// Several mistakes are a line each, and of many a few.
void check_lines(std::string_view message) {
  constexpr int64_t kMostLines = 21;
  if (std::count(message.begin(), message.end(), '\n') >= kMostLines) {
    std::abort();
  }
  while (!message.empty()) {
    const std::string_view line = message.substr(0, message.find('\n'));
    message.remove_prefix(std::min(line.size() + 1, message.size()));
    if (line.empty() || line.size() > 4096) {
      std::abort();
    }
  }
}

void bind_as(char kind, const YamlNode& node) {
  switch (kind) {
    case 't':
      return bind<TextOptions>(node);
    case 'k':
      return bind<TokenizerOptions>(node);
    case 'r':
      return bind<TrainOptions>(node);
    default:
      return bind<EveryOption>(node);
  }
}

}  // namespace

void read_input(const Input& input) {
  if (input.bytes.empty()) {
    return;
  }
  std::string_view rest = input.bytes.substr(1);
  const auto next = [&] {
    const std::string_view part = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    return part;
  };
  YamlNode node = parse_yaml(next(), "input.yaml");
  for (int i = 0; i < 20 && !rest.empty(); ++i) {
    apply_override(node, parse_override(std::string(next())));
  }
  try {
    bind_as(input.bytes[0], node);
  } catch (const ConfigErrors& errors) {
    show(errors);
    check_lines(errors.what());
  }
}

}  // namespace lmzoo::fuzz
