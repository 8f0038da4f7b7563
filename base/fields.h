// Options listed once. An options struct is an aggregate with in-class defaults and one function that names
// its fields; reading YAML, refusing unknown keys, dumping, the JSON schema and the documentation all derive
// from it.
//
//   struct NormOptions {
//     NormKind kind = NormKind::layer;
//     double eps = 1e-5;
//     static constexpr void fields(auto& self, auto& visit) {
//       visit("kind", self.kind, "layer or rms normalization");
//       visit("eps", self.eps, "added to the variance", more_than(0));
//     }
//   };
//
// A field may be bool, int64_t, double, std::string, an enum with EnumNames, another options struct, and
// std::optional or std::vector of these; or a list of its own kind (a ListRef), whose new items need more than their
// type to be made. A field that is forgotten in `fields` does not compile
// (visited_arity). No YAML here: train/yaml/bind.h walks a FieldVisitor over a parsed document.
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/check.h"

namespace lmzoo {

// Legal values of a number.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_open = false;
  bool high_open = false;

  bool contains(double x) const {
    return (low_open ? x > low : x >= low) && (high_open ? x < high : x <= high);
  }
};
constexpr Range at_least(double low) { return {.low = low}; }
constexpr Range more_than(double low) { return {.low = low, .low_open = true}; }
constexpr Range between(double low, double high) { return {.low = low, .high = high}; }  // [low, high]
constexpr Range half_open(double low, double high) { return {.low = low, .high = high, .high_open = true}; }
constexpr Range inside(double low, double high) { return {low, high, true, true}; }  // (low, high)
std::string to_string(const Range& range);  // "at least 1", "in (0, 1)"

struct FieldInfo {
  std::string_view name;
  std::string_view doc;
  Range range{};
};

// Specialize for an enum:  static constexpr std::pair<E, std::string_view> values[] = {...};
template <class E>
struct EnumNames;

template <class E>
std::string_view name_of(E value) {
  for (const auto& [candidate, name] : EnumNames<E>::values) {
    if (candidate == value) {
      return name;
    }
  }
  return "?";
}

class FieldVisitor;

// An enum seen through its names.
class ChoiceRef {
 public:
  virtual ~ChoiceRef() = default;
  virtual std::vector<std::string_view> names() const = 0;
  virtual std::string_view get() const = 0;
  virtual bool set(std::string_view name) = 0;  // false: no such name
};

// A std::optional: reset(), or emplace() and visit its value.
class OptionalRef {
 public:
  virtual ~OptionalRef() = default;
  virtual bool has_value() const = 0;
  virtual void reset() = 0;
  virtual void emplace() = 0;
  virtual void visit(FieldVisitor& visitor, const FieldInfo& info) = 0;  // requires has_value()
};

// A list of texts that may also be written as one: `text: sentence` is `text: [sentence]`.
struct OneOrMore : std::vector<std::string> {
  using std::vector<std::string>::vector;
  OneOrMore(const char* only) : vector{std::string(only)} {}  // NOLINT(google-explicit-constructor)
  OneOrMore(std::string only) : vector{std::move(only)} {}    // NOLINT(google-explicit-constructor)
};

// A std::vector: clear(), append() and visit items. `item` infos carry the list's own name.
class ListRef {
 public:
  virtual ~ListRef() = default;
  virtual bool takes_one() const { return false; }  // a single value stands for a list of one
  virtual size_t size() const = 0;
  virtual void clear() = 0;
  virtual void append() = 0;
  virtual void visit(size_t index, FieldVisitor& visitor, const FieldInfo& info) = 0;
};

// A nested options struct, or a type-erased one.
class GroupRef {
 public:
  virtual ~GroupRef() = default;
  virtual void visit(FieldVisitor& visitor) = 0;
};

// A group whose fields depend on a kind that its own field `type` names (core/nested_choice.h).
class ChosenGroup : public GroupRef {
 public:
  virtual std::vector<std::string> kinds() const = 0;
  virtual void choose(const std::string& kind) = 0;  // one of kinds(), with its defaults
};

// What walks over fields; one implementation each for reading, dumping, schema.
class FieldVisitor {
 public:
  virtual ~FieldVisitor() = default;
  // Whether it sets fields: then those that depend on another one (options on their type) begin anew with their defaults.
  virtual bool reads() const { return false; }
  virtual void boolean(const FieldInfo& info, bool& value) = 0;
  virtual void integer(const FieldInfo& info, int64_t& value) = 0;
  virtual void real(const FieldInfo& info, double& value) = 0;
  virtual void text(const FieldInfo& info, std::string& value) = 0;
  virtual void choice(const FieldInfo& info, ChoiceRef& value) = 0;
  virtual void optional(const FieldInfo& info, OptionalRef& value) = 0;
  virtual void list(const FieldInfo& info, ListRef& value) = 0;
  virtual void group(const FieldInfo& info, GroupRef& value) = 0;
};

namespace fields_detail {

// Converts to anything; used only unevaluated, to count the members of an aggregate.
struct AnyValue {
  template <class T>
  constexpr operator T() const {  // NOLINT(google-explicit-constructor)
    throw "never evaluated";
  }
};

template <class T, size_t... I>
constexpr bool takes(std::index_sequence<I...>) {
  return requires { T{((void)I, AnyValue{})...}; };
}

template <class T, size_t N = 0>
consteval size_t arity() {
  static_assert(N <= 40, "an options struct of over 40 fields: compose it of parts");
  if constexpr (takes<T>(std::make_index_sequence<N>{}) && !takes<T>(std::make_index_sequence<N + 1>{})) {
    return N;
  } else {
    return arity<T, N + 1>();
  }
}

struct CountingVisitor {
  size_t count = 0;
  constexpr void operator()(std::string_view, const auto&, std::string_view, const Range& = {}) { ++count; }
};

// Room for a T that is never made: `fields` only names members. (With strings inside, a T is a constant on
// newer compilers only.)
template <class T>
union Unmade {
  char nothing = 0;
  T value;
  constexpr Unmade() {}
  constexpr ~Unmade() {}
};

template <class T>
consteval size_t visited() {
  CountingVisitor counter;
  Unmade<T> room;
  T::fields(room.value, counter);
  return counter.count;
}

}  // namespace fields_detail

template <class T>
concept Options = std::is_aggregate_v<T> && requires(T& value, fields_detail::CountingVisitor& visit) {
  T::fields(value, visit);
};

template <Options T>
void visit_fields(T& options, FieldVisitor& visitor);

namespace fields_detail {

template <class T>
void visit_value(FieldVisitor& visitor, const FieldInfo& info, T& value);

template <class E>
class EnumRef final : public ChoiceRef {
 public:
  explicit EnumRef(E& value) : value_(value) {}
  std::vector<std::string_view> names() const override {
    std::vector<std::string_view> all;
    for (const auto& entry : EnumNames<E>::values) {
      all.push_back(entry.second);
    }
    return all;
  }
  std::string_view get() const override { return name_of(value_); }
  bool set(std::string_view name) override {
    for (const auto& [candidate, known] : EnumNames<E>::values) {
      if (known == name) {
        value_ = candidate;
        return true;
      }
    }
    return false;
  }

 private:
  E& value_;
};

template <class T>
class StdOptionalRef final : public OptionalRef {
 public:
  explicit StdOptionalRef(std::optional<T>& value) : value_(value) {}
  bool has_value() const override { return value_.has_value(); }
  void reset() override { value_.reset(); }
  void emplace() override { value_.emplace(); }
  void visit(FieldVisitor& visitor, const FieldInfo& info) override { visit_value(visitor, info, *value_); }

 private:
  std::optional<T>& value_;
};

template <class T>
class StdVectorRef final : public ListRef {
 public:
  explicit StdVectorRef(std::vector<T>& value) : value_(value) {}
  size_t size() const override { return value_.size(); }
  void clear() override { value_.clear(); }
  void append() override { value_.emplace_back(); }
  void visit(size_t index, FieldVisitor& visitor, const FieldInfo& info) override {
    visit_value(visitor, info, value_.at(index));
  }

 private:
  std::vector<T>& value_;
};

template <class T>
class StructRef final : public GroupRef {
 public:
  explicit StructRef(T& value) : value_(value) {}
  void visit(FieldVisitor& visitor) override { visit_fields(value_, visitor); }

 private:
  T& value_;
};

class OneOrMoreRef final : public ListRef {
 public:
  explicit OneOrMoreRef(OneOrMore& value) : value_(value) {}
  bool takes_one() const override { return true; }
  size_t size() const override { return value_.size(); }
  void clear() override { value_.clear(); }
  void append() override { value_.emplace_back(); }
  void visit(size_t index, FieldVisitor& visitor, const FieldInfo& info) override {
    visitor.text(info, value_.at(index));
  }

 private:
  OneOrMore& value_;
};

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};

template <class T>
void visit_value(FieldVisitor& visitor, const FieldInfo& info, T& value) {
  if constexpr (std::same_as<T, bool>) {
    visitor.boolean(info, value);
  } else if constexpr (std::same_as<T, int64_t>) {
    visitor.integer(info, value);
  } else if constexpr (std::same_as<T, double>) {
    visitor.real(info, value);
  } else if constexpr (std::same_as<T, std::string>) {
    visitor.text(info, value);
  } else if constexpr (std::is_enum_v<T>) {
    EnumRef<T> ref(value);
    visitor.choice(info, ref);
  } else if constexpr (IsOptional<T>::value) {
    StdOptionalRef ref(value);
    visitor.optional(info, ref);
  } else if constexpr (IsVector<T>::value) {
    StdVectorRef ref(value);
    visitor.list(info, ref);
  } else if constexpr (std::same_as<T, OneOrMore>) {
    OneOrMoreRef ref(value);
    visitor.list(info, ref);
  } else if constexpr (std::derived_from<T, GroupRef>) {
    visitor.group(info, value);
  } else if constexpr (std::derived_from<T, ListRef>) {
    visitor.list(info, value);
  } else {
    static_assert(Options<T>,
                  "a field is bool, int64_t, double, std::string, an enum, options, optional or vector");
    StructRef<T> ref(value);
    visitor.group(info, ref);
  }
}

// Adapts the template interface of `fields` to the type-erased visitor.
struct Forwarder {
  FieldVisitor& visitor;
  void operator()(std::string_view name, auto& value, std::string_view doc, const Range& range = {}) {
    visit_value(visitor, FieldInfo{name, doc, range}, value);
  }
};

}  // namespace fields_detail

template <Options T>
void visit_fields(T& options, FieldVisitor& visitor) {
  static_assert(fields_detail::visited<T>() == fields_detail::arity<T>(),
                "a field of this struct is missing in fields()");
  fields_detail::Forwarder forward{visitor};
  T::fields(options, forward);
}

// Options of a kind that is chosen at run time (which model, which objective). Copies are deep.
class AnyOptions final : public GroupRef {
 public:
  AnyOptions() = default;
  template <Options T>
  explicit AnyOptions(T value) : box_(std::make_unique<Box<T>>(std::move(value))) {}
  AnyOptions(const AnyOptions& other) : box_(other.box_ ? other.box_->clone() : nullptr) {}
  AnyOptions(AnyOptions&&) noexcept = default;
  AnyOptions& operator=(AnyOptions other) noexcept {
    box_ = std::move(other.box_);
    return *this;
  }

  explicit operator bool() const { return box_ != nullptr; }
  void visit(FieldVisitor& visitor) override {
    if (box_) {
      box_->visit(visitor);
    }
  }

  // The value; throws std::logic_error when it is of another type (a mistake in a registration).
  template <Options T>
  const T& as() const {
    const auto* box = dynamic_cast<const Box<T>*>(box_.get());
    if (box == nullptr) {
      throw std::logic_error("AnyOptions holds another type of options");
    }
    return box->value;
  }

 private:
  struct Holder {
    virtual ~Holder() = default;
    virtual std::unique_ptr<Holder> clone() const = 0;
    virtual void visit(FieldVisitor& visitor) = 0;
  };
  template <class T>
  struct Box final : Holder {
    explicit Box(T v) : value(std::move(v)) {}
    std::unique_ptr<Holder> clone() const override { return std::make_unique<Box>(value); }
    void visit(FieldVisitor& visitor) override { visit_fields(value, visitor); }
    T value;
  };

  std::unique_ptr<Holder> box_;
};

}  // namespace lmzoo
