// YAML into options, and the places of keys.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>

#include "base/check.h"
#include "base/number_or_group.h"
#include "base/strings.h"
#include "base/utf8.h"
#include "train/yaml/bind.h"
#include "train/yaml/other_names.h"

namespace lmzoo {
namespace {

std::string child(const std::string& prefix, std::string_view name) {
  return prefix.empty() ? std::string(name) : prefix + "." + std::string(name);
}

// What was given, for messages: `'abc'`, or its kind.
std::string given(const YamlNode& node) {
  if (node.kind == YamlNode::Kind::null) {
    return "nothing";
  }
  if (node.kind != YamlNode::Kind::scalar) {
    return "a " + std::string(name_of(node.kind));
  }
  const char quote = node.quoted ? '"' : '\'';
  return quote + printable(node.scalar) + quote + (node.quoted ? " (quoted, so it is text)" : "");
}

// Dotted keys of all fields, to tell where a misplaced one belongs. Lists and absent optionals are not
// entered.
class KeyCollector final : public FieldVisitor {
 public:
  explicit KeyCollector(std::string prefix) : prefix_(std::move(prefix)) {}
  std::vector<std::string> keys;

  void boolean(const FieldInfo& info, bool&) override { add(info); }
  void integer(const FieldInfo& info, int64_t&) override { add(info); }
  void real(const FieldInfo& info, double&) override { add(info); }
  void text(const FieldInfo& info, std::string&) override { add(info); }
  void choice(const FieldInfo& info, ChoiceRef&) override { add(info); }
  void optional(const FieldInfo& info, OptionalRef&) override { add(info); }
  void list(const FieldInfo& info, ListRef&) override { add(info); }
  void group(const FieldInfo& info, GroupRef& value) override {
    add(info);
    auto* short_form = dynamic_cast<NumberOrGroup*>(&value);
    if (short_form != nullptr && short_form->number() != nullptr) {
      return;
    }
    KeyCollector inner(child(prefix_, info.name));
    value.visit(inner);
    keys.insert(keys.end(), inner.keys.begin(), inner.keys.end());
  }

 private:
  void add(const FieldInfo& info) { keys.push_back(child(prefix_, info.name)); }
  std::string prefix_;
};

struct ReadContext {
  GroupRef& root;
  KeyPlaces& places;
  ErrorList& errors;
};

// Reads one value. `node` is what stands at `key`.
class ValueReader final : public FieldVisitor {
 public:
  ValueReader(ReadContext& context, const YamlNode& node, std::string key)
      : context_(context), node_(node), key_(std::move(key)) {
    context_.places.add(key_, node_.where);
  }

  void boolean(const FieldInfo&, bool& value) override {
    const std::string& text = bare("true or false");
    if (text != "true" && text != "false") {
      fail("expected true or false, got " + given(node_));
    }
    value = text == "true";
  }

  void integer(const FieldInfo& info, int64_t& value) override {
    const std::string& text = bare("a whole number");
    const bool plus = text.starts_with('+') && text.size() > 1 && text[1] != '-';
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + (plus ? 1 : 0), end, value);
    if (error == std::errc::result_out_of_range && stop == end) {
      fail("the whole number " + given(node_) + " is too large");
    }
    if (error != std::errc{} || stop != end) {
      fail("expected a whole number, got " + given(node_));
    }
    in_range(info, static_cast<double>(value));
  }

  void real(const FieldInfo& info, double& value) override {
    const std::string& text = bare("a number");
    const bool plus = text.starts_with('+') && text.size() > 1 && text[1] != '-';
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + (plus ? 1 : 0), end, value);
    if (error == std::errc::result_out_of_range && stop == end) {
      fail("the number " + given(node_) + " is too large or too close to zero");
    }
    std::string lower = text;
    std::transform(
        lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
    const bool named = lower.ends_with("nan") || lower.ends_with("inf") || lower.ends_with("infinity");
    if (named || (error == std::errc{} && stop == end && !std::isfinite(value))) {
      fail("expected a finite number, got " + given(node_));
    }
    if (error != std::errc{} || stop != end) {
      fail("expected a number, got " + given(node_));
    }
    in_range(info, value);
  }

  void text(const FieldInfo&, std::string& value) override {
    if (node_.kind != YamlNode::Kind::scalar) {
      fail("expected text, got " + given(node_) +
           (node_.kind == YamlNode::Kind::null ? "; write \"\" for an empty text" : ""));
    }
    value = node_.scalar;
  }

  void choice(const FieldInfo&, ChoiceRef& value) override {
    std::vector<std::string> names;
    for (const std::string_view name : value.names()) {
      names.emplace_back(name);
    }
    if (node_.kind != YamlNode::Kind::scalar) {
      fail("expected one of " + joined(names) + ", got " + given(node_));
    }
    if (!value.set(node_.scalar)) {
      fail("no such choice " + given(node_) + "; legal: " + joined(names) + suggestion(node_.scalar, names));
    }
  }

  void optional(const FieldInfo& info, OptionalRef& value) override {
    if (node_.kind == YamlNode::Kind::null) {
      value.reset();
      return;
    }
    if (!value.has_value()) {
      value.emplace();
    }
    value.visit(*this, info);
  }

  void list(const FieldInfo& info, ListRef& value) override {
    value.clear();
    if (node_.kind == YamlNode::Kind::scalar && value.takes_one()) {
      value.append();
      value.visit(0, *this, info);
      return;
    }
    if (node_.kind != YamlNode::Kind::sequence) {
      fail("expected a list, as in [a, b], got " + given(node_));
    }
    for (size_t i = 0; i < node_.items.size(); ++i) {
      value.append();
      ValueReader item(context_, node_.items[i], child(key_, std::to_string(i)));
      value.visit(i, item, info);
    }
  }

  void group(const FieldInfo& info, GroupRef& value) override;

 private:
  [[noreturn]] void fail(const std::string& message) const { context_.places.fail(key_, message); }

  const std::string& bare(const char* expected) const {
    if (node_.kind != YamlNode::Kind::scalar || node_.quoted) {
      fail(fmt::format("expected {}, got {}", expected, given(node_)));
    }
    return node_.scalar;
  }

  void in_range(const FieldInfo& info, double value) const {
    if (!info.range.contains(value)) {
      fail("is " + printable(node_.scalar) + ", but must be " + to_string(info.range));
    }
  }

  ReadContext& context_;
  const YamlNode& node_;
  std::string key_;
};

// Reads the fields of a group from a mapping and remembers which keys were asked for.
class MappingReader final : public FieldVisitor {
 public:
  MappingReader(ReadContext& context, const YamlNode& mapping, std::string prefix)
      : context_(context), mapping_(mapping), prefix_(std::move(prefix)) {}

  bool reads() const override { return true; }
  void boolean(const FieldInfo& info, bool& value) override {
    read(info, [&](ValueReader& reader) { reader.boolean(info, value); });
  }
  void integer(const FieldInfo& info, int64_t& value) override {
    read(info, [&](ValueReader& reader) { reader.integer(info, value); });
  }
  void real(const FieldInfo& info, double& value) override {
    read(info, [&](ValueReader& reader) { reader.real(info, value); });
  }
  void text(const FieldInfo& info, std::string& value) override {
    read(info, [&](ValueReader& reader) { reader.text(info, value); });
  }
  void choice(const FieldInfo& info, ChoiceRef& value) override {
    read(info, [&](ValueReader& reader) { reader.choice(info, value); });
  }
  void optional(const FieldInfo& info, OptionalRef& value) override {
    read(info, [&](ValueReader& reader) { reader.optional(info, value); });
  }
  void list(const FieldInfo& info, ListRef& value) override {
    read(info, [&](ValueReader& reader) { reader.list(info, value); });
  }
  void group(const FieldInfo& info, GroupRef& value) override {
    read(info, [&](ValueReader& reader) { reader.group(info, value); });
  }

  void refuse_unknown() const {
    if (!type_is_known_) {
      return;  // neither are the keys that belong to it
    }
    for (const YamlEntry& entry : mapping_.entries) {
      if (std::find(known_.begin(), known_.end(), entry.key) != known_.end()) {
        continue;
      }
      if (context_.errors.is_full()) {
        context_.errors.add_untold(child(prefix_, entry.key));
        continue;
      }
      context_.errors.collect(child(prefix_, entry.key), [&] { refuse(entry); });
    }
  }

 private:
  template <class Read>
  void read(const FieldInfo& info, const Read& read) {
    known_.emplace_back(info.name);
    const std::string key = child(prefix_, info.name);
    context_.places.know(key);
    const YamlNode* node = mapping_.find(info.name);
    if (node == nullptr) {
      return;
    }
    const bool decides_keys = info.name == "type" || info.name == "preset";
    type_is_known_ = type_is_known_ && !decides_keys;
    context_.errors.collect(key, [&] {
      ValueReader reader(context_, *node, key);
      read(reader);
      type_is_known_ = type_is_known_ || decides_keys;
    });
  }

  [[noreturn]] void refuse(const YamlEntry& entry) const {
    const std::string home = home_of(entry.key);
    const std::string hint = home.empty() ? suggestion(entry.key, known_) : " (did you mean '" + home + "'?)";
    context_.places.add(child(prefix_, entry.key), entry.key_where);
    throw InputError(entry.key_where,
                     printable(context_.places.named(child(prefix_, entry.key))) +
                         ": unknown key; legal: " + joined(known_) + hint);
  }

  // Another section that has a key of this name, or of the name that is meant; empty when none or several have.
  std::string home_of(const std::string& key) const {
    KeyCollector all("");
    context_.root.visit(all);
    const std::string ours = our_name(key);
    if (std::find(all.keys.begin(), all.keys.end(), ours) != all.keys.end()) {
      return ours;
    }
    std::string home;
    for (const std::string& candidate : all.keys) {
      if (candidate == key || candidate.ends_with("." + key)) {
        if (!home.empty()) {
          return "";
        }
        home = candidate;
      }
    }
    return home;
  }

  ReadContext& context_;
  const YamlNode& mapping_;
  std::string prefix_;
  std::vector<std::string> known_;
  bool type_is_known_ = true;  // false: `type` or `preset` is no legal one
};

void read_group(ReadContext& context, GroupRef& group, const YamlNode& node, const std::string& key) {
  if (node.kind != YamlNode::Kind::mapping) {
    throw InputError(node.where,
                     (key.empty() ? "" : context.places.named(key) + ": ") +
                         "expected keys with values, got " + given(node));
  }
  MappingReader reader(context, node, key);
  group.visit(reader);
  reader.refuse_unknown();
}

void ValueReader::group(const FieldInfo& info, GroupRef& value) {
  auto* short_form = dynamic_cast<NumberOrGroup*>(&value);
  if (short_form != nullptr && node_.kind != YamlNode::Kind::mapping) {
    real(info, short_form->become_number());
  } else {
    read_group(context_, value, node_, key_);
  }
}

}  // namespace

Location KeyPlaces::of(std::string key) const {
  while (true) {
    if (const auto found = places_.find(key); found != places_.end()) {
      return found->second;
    }
    if (key.empty()) {
      return {};
    }
    const size_t dot = key.rfind('.');
    key.resize(dot == std::string::npos ? 0 : dot);
  }
}

std::string KeyPlaces::named(const std::string& key) const {
  const bool is_own = std::ranges::any_of(own_, [&](const std::string& own) {
    return own == key || own.starts_with(key + ".") || key.starts_with(own + ".");
  });
  return is_own ? prefix_ + key : key;
}

void KeyPlaces::fail(const std::string& key, const std::string& message) const {
  throw InputError(of(key), printable(named(key)) + ": " + message);
}

void KeyPlaces::fail_near(const std::string& key, const std::string& message) const {
  const size_t end =
      std::min(message.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_."), message.size());
  const std::string word = message.substr(0, end);
  const std::string rest = message.substr(std::min(message.find_first_not_of(": ", end), message.size()));
  if (known_.contains(word)) {
    fail(word, rest);
  }
  if (known_.contains(child(key, word))) {
    fail(child(key, word), rest);
  }
  fail(key, !word.empty() && key.ends_with("." + word) ? rest : message);
}

void read_fields(GroupRef& group, const YamlNode& node, KeyPlaces& places, ErrorList& errors) {
  places.add("", node.where);
  ReadContext context{group, places, errors};
  errors.collect("", [&] { read_group(context, group, node, ""); });
}

void read_fields(GroupRef& group, const YamlNode& node, KeyPlaces& places) {
  ErrorList errors;
  read_fields(group, node, places, errors);
  errors.throw_if_any();
}

}  // namespace lmzoo
