#include "io/json.h"

#include <iterator>
#include <stdexcept>
#include <unordered_set>

#include "base/utf8.h"
#include "io/files.h"
#include "io/keyed_hash.h"

namespace lmzoo {
namespace {

// Walks over the text and tells, through `read`, how far the parser has come: its events carry no position.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, const char** read) : at_(at), read_(read) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    *read_ = ++at_;
    return *this;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }
  bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  const char** read_;
};

// "[json.exception.parse_error.101] parse error at line 1, column 2: REASON" -> REASON
std::string reason_of(const std::string& what) {
  size_t start = what.find("] ");
  start = start == std::string::npos ? 0 : start + 2;
  const size_t column = what.find(", column ", start);
  const size_t colon = column == std::string::npos ? column : what.find(": ", column);
  return printable(std::string_view(what).substr(colon == std::string::npos ? start : colon + 2), 200);
}

// Applies the limits, then hands on.
class LimitingSax final : public nlohmann::json_sax<Json> {
 public:
  LimitingSax(JsonHandler& handler, const JsonLimits& limits) : handler_(handler), limits_(limits) {}

  bool null() override { return count(), handler_.null(), true; }
  bool boolean(bool value) override { return count(), handler_.boolean(value), true; }
  bool number_integer(int64_t value) override { return count(), handler_.integer(value), true; }
  bool number_unsigned(uint64_t value) override { return count(), handler_.natural(value), true; }
  bool number_float(double value, const std::string&) override { return count(), handler_.real(value), true; }
  bool string(std::string& value) override { return count(), handler_.text(value), true; }
  bool binary(Json::binary_t&) override { throw std::logic_error("JSON has no binary values"); }

  bool start_object(size_t) override {
    open();
    handler_.begin_object();
    return true;
  }
  bool key(std::string& value) override {
    if (!open_.back().insert(value).second) {
      throw InputError("duplicate key \"" + printable(value) + "\"");
    }
    handler_.key(value);
    return true;
  }
  bool end_object() override {
    open_.pop_back();
    handler_.end_object();
    return true;
  }
  bool start_array(size_t) override {
    open();
    handler_.begin_array();
    return true;
  }
  bool end_array() override {
    open_.pop_back();
    handler_.end_array();
    return true;
  }
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception& error) override {
    throw InputError("not valid JSON: " + reason_of(error.what()));
  }

 private:
  void count() {
    if (++values_ > limits_.values) {
      throw InputError("over " + std::to_string(limits_.values) + " values");
    }
  }
  void open() {
    count();
    if (open_.size() >= limits_.depth) {
      throw InputError("nested over " + std::to_string(limits_.depth) + " deep");
    }
    open_.emplace_back();
  }

  JsonHandler& handler_;
  const JsonLimits& limits_;
  std::vector<std::unordered_set<std::string, KeyedHash>> open_;  // the keys seen in each open object
  size_t values_ = 0;
};

// Builds the tree. Json's own insertion searches the object for the key first, which is quadratic.
class TreeHandler final : public JsonHandler {
 public:
  Json take() { return std::move(root_); }

  void null() override { add(nullptr); }
  void boolean(bool value) override { add(value); }
  void integer(int64_t value) override { add(value); }
  void natural(uint64_t value) override { add(value); }
  void real(double value) override { add(value); }
  void text(std::string& value) override { add(std::move(value)); }
  void begin_object() override { open_.push_back(&add(Json::object())); }
  void key(std::string& value) override { key_ = std::move(value); }
  void end_object() override { open_.pop_back(); }
  void begin_array() override { open_.push_back(&add(Json::array())); }
  void end_array() override { open_.pop_back(); }

 private:
  // An open value is the last of its parent, which does not grow meanwhile: pointers stay valid.
  Json& add(Json value) {
    if (open_.empty()) {
      return root_ = std::move(value);
    }
    Json& parent = *open_.back();
    if (parent.is_array()) {
      auto& items = parent.get_ref<Json::array_t&>();
      return items.emplace_back(std::move(value));
    }
    Json::object_t::Container& entries = parent.get_ref<Json::object_t&>();
    return entries.emplace_back(std::move(key_), std::move(value)).second;
  }

  Json root_;
  std::vector<Json*> open_;
  std::string key_;
};

void check_bytes(std::string_view text, const std::string& file, const JsonLimits& limits) {
  if (text.size() > limits.bytes) {
    throw InputError(
        Location{file},
        "has " + human_bytes(text.size()) + " of JSON; the limit is " + human_bytes(limits.bytes));
  }
  // The parser takes a NUL for the end and would not look at what follows.
  const size_t nul = text.find('\0');
  if (nul != std::string_view::npos) {
    throw InputError(locate(text, nul, file), "a NUL byte");
  }
}

}  // namespace

void parse_json(std::string_view text,
                const std::string& file,
                JsonHandler& handler,
                const JsonLimits& limits) {
  check_bytes(text, file, limits);
  const char* begin = text.data();
  const char* end = begin + text.size();
  const char* read = begin;
  LimitingSax sax(handler, limits);
  try {
    Json::sax_parse(CountingIterator(begin, &read), CountingIterator(end, &read), &sax);
  } catch (const InputError& error) {
    const size_t offset = read - begin;
    throw InputError(locate(text, offset > 0 ? offset - 1 : 0, file), error.what());
  }
}

Json parse_json(std::string_view text, const std::string& file, const JsonLimits& limits) {
  TreeHandler tree;
  parse_json(text, file, tree, limits);
  return tree.take();
}

Json parse_json_line(std::string_view text, const Location& line, const JsonLimits& limits) {
  try {
    TreeHandler tree;
    parse_json(text, "", tree, limits);
    return tree.take();
  } catch (const InputError& error) {
    throw InputError(Location{line.file, line.line, error.where().column}, error.what());
  }
}

Json read_json(const std::string& path, const JsonLimits& limits) {
  return parse_json(read_text_file(path, limits.bytes), path, limits);
}

}  // namespace lmzoo
