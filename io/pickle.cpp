#include "io/pickle.h"

#include <array>
#include <bit>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "base/utf8.h"
#include "io/pickle_opcodes.h"

namespace lmzoo {
namespace {

using Kind = PickleValue::Kind;

constexpr size_t kMaxGlobalBytes = 256;

// Refusals of the machine and of the host alike get the file and the offset in Machine::run.
[[noreturn]] void refuse(const std::string& why) { throw InputError(why); }

class Machine {
 public:
  Machine(std::string_view bytes, PickleHost& host, const PickleLimits& limits)
      : bytes_(bytes), host_(host), limits_(limits) {}

  Pickle run(const std::string& name) {
    try {
      read();
      return std::move(pickle_);
    } catch (const InputError& error) {
      throw InputError(Location{name}, "at byte " + std::to_string(start_) + ": " + error.what());
    }
  }

 private:
  void read() {
    if (static_cast<Opcode>(byte()) != Opcode::proto) {
      refuse("a pickle of protocol 0 or 1, or none at all; torch.save writes protocol 2");
    }
    if (const uint8_t protocol = byte(); protocol < 2 || protocol > 5) {
      refuse("pickle protocol " + std::to_string(protocol) + "; known are 2 to 5");
    }
    for (;;) {
      start_ = position_;
      limit_ = start_ < frame_end_ ? frame_end_ : bytes_.size();
      const uint8_t opcode = byte();
      if (static_cast<Opcode>(opcode) == Opcode::stop) {
        break;
      }
      if (!atom(static_cast<Opcode>(opcode)) && !container(static_cast<Opcode>(opcode)) &&
          !reference(static_cast<Opcode>(opcode))) {
        refuse("the pickle opcode " + opcode_name(opcode) + " is not allowed in a file of tensors");
      }
    }
    pickle_.root = pop();
    if (!stack_.empty() || !marks_.empty()) {
      refuse("STOP leaves values on the stack");
    }
    if (position_ != bytes_.size()) {
      refuse(std::to_string(bytes_.size() - position_) + " bytes after STOP");
    }
  }

  // The values that hold no others. The three functions return whether the opcode was theirs.
  bool atom(Opcode opcode) {
    switch (opcode) {
      case Opcode::none:
        push({});
        return true;
      case Opcode::newtrue:
      case Opcode::newfalse:
        push({.kind = Kind::boolean, .number = opcode == Opcode::newtrue ? 1 : 0});
        return true;
      case Opcode::binint1:
        push({.kind = Kind::integer, .number = number<uint8_t>()});
        return true;
      case Opcode::binint2:
        push({.kind = Kind::integer, .number = number<uint16_t>()});
        return true;
      case Opcode::binint:
        push({.kind = Kind::integer, .number = number<int32_t>()});
        return true;
      case Opcode::long1:
        push({.kind = Kind::integer, .number = long_integer(byte())});
        return true;
      case Opcode::binfloat:
        take(8);  // no tensor depends on one
        push({.kind = Kind::real});
        return true;
      case Opcode::binunicode:
        push(text(number<uint32_t>()));
        return true;
      case Opcode::short_binunicode:
        push(text(byte()));
        return true;
      default:
        return false;
    }
  }

  bool container(Opcode opcode) {
    switch (opcode) {
      case Opcode::mark:
        if (marks_.size() >= limits_.stack) {
          refuse("over " + std::to_string(limits_.stack) + " marks");
        }
        marks_.push_back(stack_.size());
        return true;
      case Opcode::empty_tuple:
        push(make(Kind::tuple, {}));
        return true;
      case Opcode::tuple1:
      case Opcode::tuple2:
      case Opcode::tuple3:
        push(make(Kind::tuple, top(1 + static_cast<size_t>(opcode) - static_cast<size_t>(Opcode::tuple1))));
        return true;
      case Opcode::tuple:
        push(make(Kind::tuple, to_mark()));
        return true;
      case Opcode::empty_list:
        push(make(Kind::list, {}));
        return true;
      case Opcode::empty_dict:
        push(make(Kind::dict, {}));
        return true;
      case Opcode::append:
        extend(Kind::list, top(1));
        return true;
      case Opcode::appends:
        extend(Kind::list, to_mark());
        return true;
      case Opcode::setitem:
        extend(Kind::dict, top(2));
        return true;
      case Opcode::setitems:
        extend(Kind::dict, to_mark());
        return true;
      default:
        return false;
    }
  }

  bool reference(Opcode opcode) {
    switch (opcode) {
      case Opcode::frame:
        begin_frame(number<uint64_t>());
        return true;
      case Opcode::binput:
        remember(byte());
        return true;
      case Opcode::long_binput:
        remember(number<uint32_t>());
        return true;
      case Opcode::memoize:
        remember(memo_.size());
        return true;
      case Opcode::binget:
        push(recall(byte()));
        return true;
      case Opcode::long_binget:
        push(recall(number<uint32_t>()));
        return true;
      case Opcode::global: {
        const std::string_view module = line();
        push_global(module, line());
        return true;
      }
      case Opcode::stack_global: {
        const std::vector<PickleValue> names = top(2);
        if (names[0].kind != Kind::text || names[1].kind != Kind::text) {
          refuse("STACK_GLOBAL needs two texts");
        }
        push_global(names[0].text, names[1].text);
        return true;
      }
      case Opcode::reduce:
        call();
        return true;
      case Opcode::binpersid:
        push(host_.persistent(pop(), pickle_));
        return true;
      case Opcode::build: {
        const std::vector<PickleValue> pair = top(2);
        if (pair[0].kind != Kind::dict || pair[1].kind != Kind::dict) {
          refuse("BUILD sets attributes of a " + std::string(name_of(pair[0].kind)) +
                 "; allowed are those of an OrderedDict");
        }
        push(pair[0]);
        return true;
      }
      default:
        return false;
    }
  }

  void push_global(std::string_view module, std::string_view name) {
    push({.kind = Kind::global, .number = host_.global(module, name)});
  }

  void call() {
    const std::vector<PickleValue> pair = top(2);
    if (pair[0].kind != Kind::global || pair[1].kind != Kind::tuple) {
      refuse("REDUCE calls a " + std::string(name_of(pair[0].kind)) + " with a " +
             std::string(name_of(pair[1].kind)) + "; it needs a name and a tuple");
    }
    push(host_.call(pair[0].number, pickle_.items(pair[1]), pickle_));
    check_containers();
  }

  // Readers differ in how far they follow an opcode out of its frame, and so in what they see.
  void begin_frame(uint64_t size) {
    if (start_ < frame_end_ || size > bytes_.size() - position_) {
      refuse("a frame within a frame, or longer than the pickle");
    }
    frame_end_ = position_ + size;
  }

  // Bytes.
  std::string_view take(uint64_t count) {
    if (count > limit_ - position_) {
      refuse(limit_ == bytes_.size() ? "the pickle ends within an opcode"
                                     : "the frame ends within an opcode");
    }
    const std::string_view taken = bytes_.substr(position_, count);
    position_ += count;
    return taken;
  }
  uint8_t byte() { return static_cast<uint8_t>(take(1)[0]); }
  template <class T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  int64_t long_integer(size_t size) {
    if (size > sizeof(uint64_t)) {
      refuse("an integer of " + std::to_string(size) + " bytes");
    }
    const std::string_view digits = take(size);
    uint64_t value = size > 0 && (digits.back() & 0x80) != 0 ? ~uint64_t{0} : 0;
    std::memcpy(&value, digits.data(), size);
    return static_cast<int64_t>(value);
  }
  PickleValue text(uint64_t size) {
    if (size > limits_.text_bytes) {
      refuse("a text of " + std::to_string(size) + " bytes; the limit is " +
             std::to_string(limits_.text_bytes));
    }
    const std::string_view value = take(size);
    if (!is_utf8(value)) {
      refuse("a text that is not UTF-8");
    }
    return {.kind = Kind::text, .text = value};
  }
  std::string_view line() {
    const size_t end = bytes_.substr(position_, kMaxGlobalBytes + 1).find('\n');
    if (end == std::string_view::npos) {
      refuse("a name without an end in " + std::to_string(kMaxGlobalBytes) + " bytes");
    }
    return take(end + 1).substr(0, end);
  }

  // Stack. Opcodes see only what lies above the last mark.
  void push(PickleValue value) {
    if (stack_.size() >= limits_.stack) {
      refuse("over " + std::to_string(limits_.stack) + " values on the stack");
    }
    stack_.push_back(value);
  }
  size_t above_mark() const { return stack_.size() - (marks_.empty() ? 0 : marks_.back()); }
  std::vector<PickleValue> top(size_t count) {
    if (above_mark() < count) {
      refuse("the stack is empty");
    }
    std::vector<PickleValue> values(stack_.end() - static_cast<ptrdiff_t>(count), stack_.end());
    stack_.resize(stack_.size() - count);
    return values;
  }
  PickleValue pop() { return top(1)[0]; }
  std::vector<PickleValue> to_mark() {
    if (marks_.empty()) {
      refuse("no mark on the stack");
    }
    std::vector<PickleValue> values = top(above_mark());
    marks_.pop_back();
    return values;
  }

  // Memo. Picklers number its entries one after the other; an index beyond would only cost memory.
  void remember(uint64_t index) {
    if (index != memo_.size() || index >= limits_.memo) {
      refuse("memo entry " + std::to_string(index) + " after " + std::to_string(memo_.size()) + " entries");
    }
    if (above_mark() == 0) {
      refuse("the stack is empty");
    }
    memo_.push_back(stack_.back());
  }
  const PickleValue& recall(uint64_t index) const {
    if (index >= memo_.size()) {
      refuse("memo entry " + std::to_string(index) + " is not there");
    }
    return memo_[index];
  }

  // Containers.
  PickleValue make(Kind kind, std::vector<PickleValue> items) {
    count_items(items.size());
    pickle_.containers.push_back(std::move(items));
    check_containers();
    return {.kind = kind, .number = static_cast<int64_t>(pickle_.containers.size()) - 1};
  }
  void extend(Kind kind, const std::vector<PickleValue>& items) {
    if (above_mark() == 0 || stack_.back().kind != kind) {
      refuse("items for something that is no " + std::string(name_of(kind)));
    }
    if (kind == Kind::dict) {
      check_pairs(items);
    }
    count_items(items.size());
    std::vector<PickleValue>& all = pickle_.containers[static_cast<size_t>(stack_.back().number)];
    all.insert(all.end(), items.begin(), items.end());
  }
  static void check_pairs(const std::vector<PickleValue>& items) {
    if (items.size() % 2 != 0) {
      refuse("a key without a value");
    }
    for (size_t i = 0; i < items.size(); i += 2) {
      const Kind key = items[i].kind;
      if (key == Kind::dict || key == Kind::list) {
        refuse("a " + std::string(name_of(key)) + " as a key");
      }
    }
  }
  void count_items(size_t more) {
    items_ += more;
    if (items_ > limits_.items) {
      refuse("over " + std::to_string(limits_.items) + " items");
    }
  }
  void check_containers() const {
    if (pickle_.containers.size() > limits_.containers) {
      refuse("over " + std::to_string(limits_.containers) + " tuples, lists and dicts");
    }
  }

  std::string_view bytes_;
  PickleHost& host_;
  const PickleLimits& limits_;
  size_t position_ = 0;
  size_t start_ = 0;              // of the opcode at work
  size_t limit_ = bytes_.size();  // where its bytes must end
  size_t frame_end_ = 0;
  size_t items_ = 0;
  std::vector<PickleValue> stack_;
  std::vector<size_t> marks_;
  std::vector<PickleValue> memo_;
  Pickle pickle_;
};

}  // namespace

std::string_view name_of(Kind kind) {
  static constexpr std::array<std::string_view, 10> kNames = {
      "None", "truth value", "integer", "float", "text", "tuple", "list", "dict", "name", "tensor"};
  return kNames.at(static_cast<size_t>(kind));
}

Pickle read_pickle(std::string_view bytes,
                   const std::string& name,
                   PickleHost& host,
                   const PickleLimits& limits) {
  return Machine(bytes, host, limits).run(name);
}

PickleValue add_dict(Pickle& pickle) {
  pickle.containers.emplace_back();
  return {.kind = Kind::dict, .number = static_cast<int64_t>(pickle.containers.size()) - 1};
}

}  // namespace lmzoo
