// Published attacks by pickle on loaders of PyTorch files, and on pickle itself. Each must be refused by
// name, with nothing run, in an instant.
#include <ctime>

#include "io/torch_file.h"
#include "support/catch.h"
#include "support/files.h"
#include "support/zip_builder.h"

using namespace lmzoo;
using namespace lmzoo::test::pickle;

namespace {

struct PickleAttack {
  const char* source;
  std::string pickle;
  std::string refusal;  // a part of it
};

const std::string kHello = text("echo hello");

// The refusal of a file with this data.pkl and one storage of 16 bytes, "0".
std::string pickle_refusal(const std::string& data_pkl) {
  const test::TempDir dir;
  test::write_file(dir / "m.bin", test::torch_file(data_pkl, {{"0", std::string(16, '\1')}}));
  const std::clock_t start = std::clock();
  std::string why = "accepted";
  try {
    const TorchFile file(dir / "m.bin");
  } catch (const InputError& error) {
    why = error.what();
    CHECK(why.find('\n') == std::string::npos);
  }
  CHECK(std::clock() - start < CLOCKS_PER_SEC);  // of the processor: tests run beside others
  return why;
}

void check_pickles(const std::vector<PickleAttack>& attacks) {
  for (const PickleAttack& attack : attacks) {
    INFO(attack.source);
    CHECK_THAT(pickle_refusal(attack.pickle), Catch::Contains(attack.refusal));
  }
}

std::string calls(const std::string& module,
                  const std::string& function,
                  const std::string& argument = kHello) {
  return file(call(name(module, function), {argument}));
}

std::string one(const Tensor& value) { return file(dict({{"w", tensor(value)}})); }

const std::string kFour = storage("FloatStorage", "0", 4);

}  // namespace

TEST_CASE("the file that the attacks are made from is accepted") {
  CHECK(pickle_refusal(one({.storage = kFour, .sizes = {2, 2}, .strides = {2, 1}})) == "accepted");
}

TEST_CASE("a pickle that names a function is refused with the name, before anything is called") {
  check_pickles({
      {"Python's documentation of pickle, the warning's example",
       file("cos\nsystem\n" + tuple({kHello}) + "R"),
       "os.system"},
      {"Slaviero, Sour Pickles, Black Hat 2011", calls("__builtin__", "eval"), "__builtin__.eval"},
      {"JFrog 2024, malicious models on Hugging Face (baller423)",
       calls("builtins", "exec"),
       "builtins.exec"},
      {"ReversingLabs 2025, nullifAI: runs, then breaks", calls("posix", "system") + "\xFF", "posix.system"},
      {"CVE-2025-1716, picklescan: pip.main", calls("pip", "main"), "pip.main"},
      {"CVE-2025-10157, picklescan: a submodule of what is denied",
       calls("asyncio.unix_events", "_UnixSubprocessTransport._start"),
       "asyncio.unix_events._UnixSubprocessTransport._start"},
      {"CVE-2026-56304, picklescan: a file made by a logger",
       calls("logging", "FileHandler"),
       "logging.FileHandler"},
      {"CVE-2026-56315, picklescan: commands run by the standard library",
       calls("uuid", "_get_command_stdout"),
       "uuid._get_command_stdout"},
      {"fickling GHSA-565g-hwwr-4pp3 (#186): marshal", calls("marshal", "loads"), "marshal.loads"},
      {"fickling GHSA-565g-hwwr-4pp3 (#186): types", calls("types", "FunctionType"), "types.FunctionType"},
      {"CVE-2026-22612, fickling: imports of builtins",
       calls("builtins", "__import__"),
       "builtins.__import__"},
      {"CVE-2022-45907, torch.jit", calls("torch.jit.annotations", "parse_type_line"), "parse_type_line"},
      {"CVE-2024-5480, torch.distributed.rpc",
       calls("torch.distributed.rpc.internal", "PythonUDF"),
       "PythonUDF"},
      {"CVE-2024-48063, RemoteModule",
       calls("torch.distributed.nn.api.remote_module", "RemoteModule"),
       "RemoteModule"},
      {"CVE-2025-32434: a second, unsafe load",
       calls("torch.storage", "_load_from_bytes"),
       "torch.storage._load_from_bytes"},
      {"PEP 3154: a dotted name below an allowed one",
       file("\x8C\x0B"
            "collections\x8C\x14OrderedDict.__init__\x93"),
       "the name collections."},
      {"picklescan GHSA-9gvj-pp9x-gcfr: STACK_GLOBAL of remembered texts",
       "\x80\x04(" + text("system") + "\x94" + text("os") + "\x94" + std::string("h\1h\0", 4) + "\x93" + "t.",
       "os.system"},
      {"a look-alike letter",
       calls("c\xD0\xBEllections", "OrderedDict"),
       "does not belong into a file of tensors"},
  });
}

TEST_CASE("opcodes that make or change objects are refused by name and offset") {
  const std::string good = tensor({.storage = kFour, .sizes = {4}, .strides = {1}});
  check_pickles({
      {"fickling #108: OBJ", file("(cos\nsystem\n" + kHello + "o"), "os.system"},
      {"Slaviero 2011: INST", file("(S'echo'\nios\nsystem\n"), "at byte 3: the pickle opcode STRING"},
      {"protocol 0, as in most proofs of concept",
       "cos\nsystem\n(S'echo'\ntR.",
       "a pickle of protocol 0 or 1"},
      {"CPython's pickletools: NEWOBJ",
       file(name("collections", "OrderedDict") + ")\x81"),
       "the pickle opcode NEWOBJ"},
      {"PEP 307: EXT1 of copyreg's registry", file("\x82\1"), "the pickle opcode EXT1"},
      {"Slaviero 2011: BUILD calls __setstate__", file(good + "}b"), "BUILD sets attributes of a tensor"},
      {"CVE-2026-24747: SETITEM on what is no dict",
       file(good + text("k") + "Ns"),
       "items for something that is no dict"},
      {"CVE-2026-24747: SETITEMS",
       file(good + "(" + text("k") + "Nu"),
       "items for something that is no dict"},
      {"CVE-2026-24747: APPEND", file(good + "Na"), "items for something that is no list"},
      {"a storage type called",
       file(call(name("torch", "FloatStorage"), {integer(1 << 30)})),
       "is no function"},
      {"a text called", file(call(text("os.system"), {kHello})), "REDUCE calls a text"},
      {"PERSID as text", file("Pstorage\n"), "the pickle opcode PERSID"},
      {"PEP 574: buffers from elsewhere", "\x80\x05\x97.", "the pickle opcode NEXT_BUFFER"},
      {"nullifAI: bytes after STOP", file("}") + "cos\nsystem\n", "bytes after STOP"},
      {"protocol 6", "\x80\x06}.", "pickle protocol 6"},
  });
}

TEST_CASE("a pickle that asks for memory or time is refused before it gets any") {
  std::string laughs = "]q" + std::string(1, '\0');
  for (char i = 1; i < 64; ++i) {
    laughs += "(" + std::string("h") + char(i - 1) + "h" + char(i - 1) + "lq" + i;
  }
  std::string wide = "](";
  for (int i = 0; i < 70'000; ++i) {
    wide += "N";
  }
  std::string nested(600'000, ']');
  check_pickles({
      {"CVE-2018-20406: LONG_BINPUT", file("}r" + test::le32(0xFFFFFFFF)), "memo entry 4294967295 after 0"},
      {"CPython gh-115952: sparse memo", file("}q\xC8"), "memo entry 200 after 0"},
      {"CPython gh-115952: BINUNICODE",
       "\x80\x02X" + test::le32(0x7FFFFFFF) + "a.",
       "a text of 2147483647 bytes"},
      {"CPython gh-115952: BINUNICODE8",
       "\x80\x04\x8D" + test::le64(~0ull) + "a.",
       "the pickle opcode BINUNICODE8"},
      {"CPython gh-115952: BINBYTES8",
       "\x80\x04\x8E" + test::le64(1ull << 40) + "a.",
       "the pickle opcode BINBYTES8"},
      {"CPython gh-115952: FRAME", "\x80\x04\x95" + test::le64(1ull << 40) + "}.", "longer than the pickle"},
      {"CPython gh-154848: an opcode out of its frame",
       "\x80\x04\x95" + test::le64(2) + "}X" + test::le32(0) + ".",
       "the frame ends within an opcode"},
      {"CPython gh-154848: a frame within a frame",
       "\x80\x04\x95" + test::le64(12) + "\x95" + test::le64(1) + "}..",
       "a frame within a frame"},
      {"LONG1 of 255 bytes", file("\x8A\xFF" + std::string(255, '\1')), "an integer of 255 bytes"},
      {"billion laughs by the memo", file(laughs), "the pickle opcode LIST"},
      {"a wide stack", file(wide + "e"), "values on the stack"},
      {"CPython 80875: many small objects", file(nested), "values on the stack"},
      {"marks only", file(std::string(100'000, '(')), "marks"},
      {"a name without an end", file("c" + std::string(100'000, 'a')), "a name without an end"},
  });
}

TEST_CASE("a pickle that ends too soon or finds nothing on its stack is refused") {
  check_pickles({
      {"pytorch#127525: TUPLE3 on an empty stack", file("N\x87"), "the stack is empty"},
      {"pytorch#127525: REDUCE on an empty stack", file("R"), "the stack is empty"},
      {"pytorch#127525: an entry that the memo has not", file("h\7"), "memo entry 7 is not there"},
      {"pytorch#127525: a truncated field", "\x80\x02J\1", "the pickle ends within an opcode"},
      {"pytorch#127525: a name that is no UTF-8", calls("\xFF\xFE", "x"), "\\xff\\xfe.x does not belong"},
      {"no STOP", "\x80\x02}", "the pickle ends within an opcode"},
      {"STOP on an empty stack", "\x80\x02.", "the stack is empty"},
      {"two values at STOP", file("}}"), "STOP leaves values on the stack"},
      {"a mark at STOP", file("(}"), "STOP leaves values on the stack"},
      {"an opcode that reaches below the mark", file("N(\x85"), "the stack is empty"},
      {"TUPLE without a mark", file("t"), "no mark on the stack"},
      {"a key without a value", file("}(" + text("a") + "u"), "a key without a value"},
      {"a dict as a key", file("}(}Nu"), "a dict as a key"},
      {"no pickle", "", "the pickle ends within an opcode"},
      {"an opcode that is none", file("\xFE"), "the pickle opcode 0xFE"},
  });
}

TEST_CASE("a tensor that leaves its storage is refused by its name") {
  const std::string w = "tensor \"w\" ";
  const int64_t huge = int64_t{1} << 62;
  check_pickles({
      {"CVE-2026-24747: more values than the entry has",
       one({.storage = storage("FloatStorage", "0", 1 << 20), .sizes = {4}, .strides = {1}}),
       w + "has a storage of 4194304 bytes, but data/0 has 16"},
      {"CVE-2026-24747: fewer",
       one({.storage = storage("FloatStorage", "0", 3), .sizes = {3}, .strides = {1}}),
       w + "has a storage of 12 bytes"},
      {"the same entry by another type",
       one({.storage = storage("DoubleStorage", "0", 4), .sizes = {4}, .strides = {1}}),
       w + "has a storage of 32 bytes"},
      {"pytorch#127525: an entry that is missing",
       one({.storage = storage("FloatStorage", "1", 4), .sizes = {4}, .strides = {1}}),
       w + "has its bytes in data/1, which is missing"},
      {"CVE-2023-5245: a path for a key",
       one({.storage = storage("FloatStorage", "../data.pkl", 4), .sizes = {4}, .strides = {1}}),
       "data/../data.pkl, which is missing"},
      {"mlx#3363: a shape beyond the bytes",
       one({.storage = kFour, .sizes = {1000, 1000}, .strides = {1000, 1}}),
       w + "leaves its storage of 4 values"},
      {"an offset beyond the bytes",
       one({.storage = kFour, .offset = 4, .sizes = {1}, .strides = {1}}),
       w + "leaves its storage"},
      {"mlx#4136: an offset of 2^40",
       one({.storage = kFour, .offset = int64_t{1} << 40, .sizes = {1}, .strides = {1}}),
       w + "leaves its storage"},
      {"a negative offset",
       one({.storage = kFour, .offset = -1, .sizes = {1}, .strides = {1}}),
       w + "leaves its storage"},
      {"a negative stride",
       one({.storage = kFour, .offset = 3, .sizes = {4}, .strides = {-1}}),
       w + "leaves its storage"},
      {"a stride beyond the bytes",
       one({.storage = kFour, .sizes = {2}, .strides = {4}}),
       w + "leaves its storage"},
      {"CVE-2024-21802 (GGUF): sizes whose product wraps to 0",
       one({.storage = kFour, .sizes = {huge, 4}, .strides = {0, 0}}),
       w + "has a shape whose bytes are over 2^60"},
      {"CVE-2025-53630 (GGUF): wraps to a small number",
       one({.storage = kFour, .sizes = {huge + 1, 4}, .strides = {0, 0}}),
       w + "has a shape whose bytes are over 2^60"},
      {"CVE-2026-27940 (GGUF): an offset that wraps with the last step",
       one({.storage = kFour, .offset = huge, .sizes = {4}, .strides = {huge}}),
       w + "leaves its storage"},
      {"a negative size",
       one({.storage = kFour, .sizes = {-4}, .strides = {1}}),
       w + "has a shape whose bytes"},
      {"zero sizes beside ones that overflow",
       one({.storage = kFour, .sizes = {0, huge, huge}, .strides = {1, 1, 1}}),
       w + "has a shape whose bytes"},
      {"pytorch#185443: 226 GB by an expanded view",
       one({.storage = kFour, .sizes = {int64_t{1} << 38}, .strides = {0}}),
       w + "repeats values by its strides"},
      {"a storage of negative length",
       one({.storage = storage("FloatStorage", "0", -4), .sizes = {4}, .strides = {1}}),
       "a storage of -4 values"},
      {"a storage whose bytes wrap",
       one({.storage = storage("DoubleStorage", "0", huge), .sizes = {4}, .strides = {1}}),
       "a storage of 4611686018427387904 values"},
      {"more strides than sizes",
       one({.storage = kFour, .sizes = {4}, .strides = {1, 1}}),
       "a tensor with 1 sizes and 2 strides"},
      {"many dimensions",
       one({.storage = kFour, .sizes = std::vector<int64_t>(17, 1), .strides = std::vector<int64_t>(17, 1)}),
       "over 16 dimensions"},
      {"a tensor without data",
       one({.storage = storage("FloatStorage", "0", 4, "meta"), .sizes = {4}, .strides = {1}}),
       "it has no data"},
      {"an unknown dtype",
       one({.storage = storage("QInt8Storage", "0", 16), .sizes = {4}, .strides = {1}}),
       "torch.QInt8Storage does not belong"},
      {"an id that is no storage",
       file(tuple({text("module"), text("x")}) + "Q"),
       "a persistent id that is not (\"storage\", "},
  });
}

TEST_CASE("a root that is no mapping of names to tensors is refused") {
  const std::string good = tensor({.storage = kFour, .sizes = {4}, .strides = {1}});
  check_pickles({
      {"a list of tensors", file("]" + good + "a"), "holds a list, not a state_dict"},
      {"a number among the tensors",
       file(dict({{"w", good}, {"step", integer(3)}})),
       "the value of \"step\" is a integer, not a tensor"},
      {"a storage among the tensors", file(dict({{"w", kFour}})), "the value of \"w\" is a storage"},
      {"a name twice (CVE-2017-12635's kind)",
       file(dict({{"w", good}, {"w", good}})),
       "tensor \"w\" is there twice"},
      {"a number for a name", file("}(" + integer(1) + good + "u"), "a tensor whose name is no text"},
      {"a name of 2000 bytes",
       file(dict({{std::string(2000, 'n'), good}})),
       "a tensor whose name is no text of at most 1024 bytes"},
      {"a dict that holds itself",
       file(std::string("}q\0(", 4) + text("w") + std::string("h\0u", 3)),
       "the value of \"w\" is a dict"},
      {"hooks",
       file(dict(
           {{"w", call(name("torch._utils", "_rebuild_parameter"), {good, "\x88", dict({{"hook", "N"}})})}})),
       "a tensor with backward hooks"},
  });
}
