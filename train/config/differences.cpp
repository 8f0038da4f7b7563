// identity_differences of run_config.h.
#include <algorithm>

#include "base/utf8.h"
#include "train/config/run_config.h"

namespace lmzoo {
namespace {

// Keys that may change between two parts of one run; `ask` is no part of training.
bool may_change(const std::string& key) {
  static const std::vector<std::string> keys{"data.cache_dir",
                                             "data.workers",
                                             "data.prefetch",
                                             "train.device",
                                             "train.threads",
                                             "train.log_every",
                                             "train.save_every",
                                             "train.save_minutes",
                                             "train.keep_last"};
  return key.starts_with("ask") || key.starts_with("train.save_at") ||
         std::find(keys.begin(), keys.end(), key) != keys.end();
}

std::string one_line(const YamlNode* node) {
  if (node == nullptr) {
    return "absent";
  }
  std::string text = node->kind == YamlNode::Kind::scalar ? node->scalar : to_yaml(*node);
  while (!text.empty() && text.back() == '\n') {
    text.pop_back();
  }
  return printable(text);
}

void compare(const std::string& key,
             const YamlNode* before,
             const YamlNode* now,
             std::vector<ConfigDifference>& out) {
  const auto is_mapping = [](const YamlNode* node) {
    return node != nullptr && node->kind == YamlNode::Kind::mapping;
  };
  if (!is_mapping(before) || !is_mapping(now)) {
    const bool same = before != nullptr && now != nullptr && *before == *now;
    if (!same && !may_change(key)) {
      out.push_back({key, one_line(before), one_line(now)});
    }
    return;
  }
  const auto child = [&](const std::string& name) { return key.empty() ? name : key + "." + name; };
  for (const YamlEntry& entry : now->entries) {
    compare(child(entry.key), before->find(entry.key), &entry.value, out);
  }
  for (const YamlEntry& entry : before->entries) {
    if (now->find(entry.key) == nullptr) {
      compare(child(entry.key), &entry.value, nullptr, out);
    }
  }
}

}  // namespace

std::vector<ConfigDifference> identity_differences(const YamlNode& before, const YamlNode& now) {
  std::vector<ConfigDifference> differences;
  compare("", &before, &now, differences);
  return differences;
}

}  // namespace lmzoo
