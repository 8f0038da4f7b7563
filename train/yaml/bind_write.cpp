// Options to YAML, and their JSON Schema.
#include <charconv>
#include <cmath>

#include "base/number_or_group.h"
#include "train/yaml/bind.h"

namespace lmzoo {
namespace {

std::string shortest(double value) {
  char text[32];
  const auto result = std::to_chars(text, text + sizeof text, value);
  return {text, result.ptr};
}

class Dumper final : public FieldVisitor {
 public:
  YamlNode out = YamlNode::mapping();

  void boolean(const FieldInfo& info, bool& value) override {
    put(info, YamlNode::plain(value ? "true" : "false"));
  }
  void integer(const FieldInfo& info, int64_t& value) override {
    put(info, YamlNode::plain(std::to_string(value)));
  }
  void real(const FieldInfo& info, double& value) override { put(info, YamlNode::plain(shortest(value))); }
  void text(const FieldInfo& info, std::string& value) override { put(info, YamlNode::text(value)); }
  void choice(const FieldInfo& info, ChoiceRef& value) override {
    put(info, YamlNode::text(std::string(value.get())));
  }
  void optional(const FieldInfo& info, OptionalRef& value) override {
    if (value.has_value()) {
      value.visit(*this, info);
    } else {
      put(info, YamlNode{});
    }
  }
  void list(const FieldInfo& info, ListRef& value) override {
    Dumper items;
    for (size_t i = 0; i < value.size(); ++i) {
      value.visit(i, items, info);
    }
    YamlNode list = YamlNode::sequence();
    for (YamlEntry& entry : items.out.entries) {
      list.items.push_back(std::move(entry.value));
    }
    put(info, std::move(list));
  }
  void group(const FieldInfo& info, GroupRef& value) override {
    auto* short_form = dynamic_cast<NumberOrGroup*>(&value);
    double* number = short_form != nullptr ? short_form->number() : nullptr;
    if (number != nullptr) {
      real(info, *number);
    } else {
      put(info, dump_fields(value));
    }
  }

 private:
  void put(const FieldInfo& info, YamlNode value) {
    out.entries.push_back({std::string(info.name), {}, std::move(value)});
  }
};

// `depth`: choices of kinds around what is described.
class SchemaMaker final : public FieldVisitor {
 public:
  explicit SchemaMaker(int depth = 0) : depth_(depth) {}

  static Json described(GroupRef& group, int depth) {
    SchemaMaker maker(depth);
    group.visit(maker);
    return {{"type", "object"}, {"properties", std::move(maker.properties)}, {"additionalProperties", false}};
  }

  Json properties = Json::object();

  void boolean(const FieldInfo& info, bool& value) override {
    put(info, {{"type", "boolean"}, {"default", value}});
  }
  void integer(const FieldInfo& info, int64_t& value) override {
    put(info, with_range(info.range, {{"type", "integer"}, {"default", value}}));
  }
  void real(const FieldInfo& info, double& value) override {
    put(info, with_range(info.range, {{"type", "number"}, {"default", value}}));
  }
  void text(const FieldInfo& info, std::string& value) override {
    // A bare number or truth value is text too where text is wanted.
    put(info, {{"type", Json::array({"string", "number", "boolean"})}, {"default", value}});
  }
  void choice(const FieldInfo& info, ChoiceRef& value) override {
    Json names = Json::array();
    for (const std::string_view name : value.names()) {
      names.push_back(name);
    }
    put(info, {{"enum", std::move(names)}, {"default", value.get()}});
  }
  void optional(const FieldInfo& info, OptionalRef& value) override {
    const bool absent = !value.has_value();
    if (absent) {
      value.emplace();
    }
    value.visit(*this, info);
    Json inner = std::move(properties[std::string(info.name)]);
    if (absent) {
      value.reset();
      inner.erase("default");
    }
    inner.erase("description");
    put(info, {{"anyOf", Json::array({std::move(inner), {{"type", "null"}}})}});
  }
  void list(const FieldInfo& info, ListRef& value) override {
    value.append();
    SchemaMaker item(depth_);
    value.visit(value.size() - 1, item, info);
    Json inner = std::move(item.properties[std::string(info.name)]);
    inner.erase("description");
    inner.erase("default");
    Json list{{"type", "array"}, {"items", inner}};
    if (value.takes_one()) {
      list = {{"anyOf", Json::array({std::move(inner), std::move(list)})}};
    }
    put(info, std::move(list));
  }
  void group(const FieldInfo& info, GroupRef& value) override {
    auto* short_form = dynamic_cast<NumberOrGroup*>(&value);
    if (short_form != nullptr) {
      return put_number_or_group(info, *short_form);
    }
    auto* chosen = dynamic_cast<ChosenGroup*>(&value);
    put(info, chosen != nullptr ? schema_of_kinds(*chosen) : described(value, depth_));
  }

 private:
  void put(const FieldInfo& info, Json schema) {
    schema["description"] = info.doc;
    properties[std::string(info.name)] = std::move(schema);
  }

  void put_number_or_group(const FieldInfo& info, NumberOrGroup& value) {
    Json any = Json::array();
    if (double* number = value.number()) {
      any.push_back(with_range(info.range, {{"type", "number"}, {"default", *number}}));
      any.push_back(described(value, depth_));
      value.become_number() = any[0]["default"].get<double>();
    } else {
      any.push_back(with_range(info.range, {{"type", "number"}}));
      any.push_back(described(value, depth_));
    }
    put(info, {{"anyOf", std::move(any)}});
  }

  // Any of the kinds, each with its own fields; kinds within kinds, which may hold each other, by their names.
  Json schema_of_kinds(ChosenGroup& group) const {
    if (depth_ > 0) {
      return {{"type", "object"}, {"properties", {{"type", {{"enum", group.kinds()}}}}}};
    }
    Json any = Json::array();
    for (const std::string& kind : group.kinds()) {
      group.choose(kind);
      Json one = described(group, depth_ + 1);
      one["properties"]["type"] = {{"const", kind}};
      any.push_back(std::move(one));
    }
    return {{"anyOf", std::move(any)}};
  }

  static Json with_range(const Range& range, Json schema) {
    if (std::isfinite(range.low)) {
      schema[range.low_open ? "exclusiveMinimum" : "minimum"] = range.low;
    }
    if (std::isfinite(range.high)) {
      schema[range.high_open ? "exclusiveMaximum" : "maximum"] = range.high;
    }
    return schema;
  }

  int depth_;
};

}  // namespace

YamlNode dump_fields(GroupRef& group) {
  Dumper dumper;
  group.visit(dumper);
  return std::move(dumper.out);
}

Json schema_of(GroupRef& group) { return SchemaMaker::described(group, 0); }

}  // namespace lmzoo
