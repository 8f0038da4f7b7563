#include "io/sentencepiece_model.h"

#include <limits>

#include "io/charsmap.h"
#include "io/files.h"
#include "support/catch.h"
#include "support/mutants.h"
#include "support/sentencepiece_builder.h"

using namespace lmzoo;
using test::CharsmapBuilder;
using test::ModelParts;
using test::piece_message;

namespace {

SentencePieceModel read_model(const std::string& bytes) {
  return validate_sentencepiece_model(as_bytes(bytes), "m");
}

std::string model_refusal(const std::string& bytes) {
  try {
    read_model(bytes);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

std::string refusal_with_piece(const std::string& piece) {
  ModelParts parts;
  parts.pieces.push_back(piece);
  return model_refusal(parts.bytes());
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// What libsentencepiece does with the rules, with every access checked.
void follow(std::string_view charsmap, const std::string& input) {
  uint32_t trie_bytes = 0;
  std::memcpy(&trie_bytes, charsmap.data(), 4);
  std::vector<uint32_t> units(trie_bytes / 4);
  std::memcpy(units.data(), charsmap.data() + 4, units.size() * 4);
  const std::string outputs(charsmap.substr(4 + trie_bytes));
  const auto offset = [](uint32_t unit) { return (unit >> 10) << ((unit & (1u << 9)) >> 6); };
  for (size_t start = 0; start < input.size(); ++start) {
    uint32_t node = offset(units.at(0));
    int matches = 0;
    for (size_t i = start; i < input.size(); ++i) {
      const auto byte = static_cast<unsigned char>(input[i]);
      node ^= byte;
      const uint32_t unit = units.at(node);
      if ((unit & 0x800000FF) != byte) {
        break;
      }
      node ^= offset(unit);
      if ((unit >> 8 & 1) != 0) {
        REQUIRE(++matches <= 32);
        REQUIRE(outputs.find('\0', (units.at(node) & 0x7FFFFFFF)) != std::string::npos);
      }
    }
  }
}

}  // namespace

TEST_CASE("a model is read: pieces by id, algorithm, special pieces") {
  const SentencePieceModel model = read_model(ModelParts().bytes());
  CHECK(model.algorithm == SentencePieceModel::Algorithm::unigram);
  CHECK(model.pieces.size() == 6);
  CHECK(model.pieces[3].text == "\xE2\x96\x81the");
  CHECK(model.pieces[3].score == -1.5f);
  CHECK(model.pieces[3].type == PieceType::normal);
  CHECK(model.pieces[5].type == PieceType::user_defined);
  CHECK(model.unknown_id == 0);
  CHECK_FALSE(model.byte_fallback);
  CHECK(model.bos_piece == "<s>");
  CHECK(model.pad_piece == "<pad>");
}

TEST_CASE("bytes that are no model are refused with the byte where they stop to be one") {
  CHECK(model_refusal("") == "m: has no unknown piece");
  CHECK(model_refusal("not a model") == "m: byte 0: wire type 6 is not used by this format");
  CHECK(model_refusal("\x0A\x05"
                      "ab") == "m: byte 2: a field runs past the end of its message");
  CHECK(model_refusal("\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01") ==
        "m: byte 11: a field runs past the end of its message");
  CHECK(model_refusal("\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F") ==
        "m: byte 11: a number is longer than 64 bits");
  CHECK(model_refusal(std::string("\x02\x00", 2)) == "m: byte 0: not a protobuf field");    // number 0
  CHECK(model_refusal("\x0B\x0C") == "m: byte 0: wire type 3 is not used by this format");  // a group
  CHECK(model_refusal("\x08\x01") == "m: byte 0: field 1 has wire type 0 but must have 2");
  const std::string good = ModelParts().bytes();
  for (size_t size = 0; size < good.size(); ++size) {
    REQUIRE_NOTHROW(model_refusal(good.substr(0, size)));
  }
  ModelParts unknown_field;
  append_bytes_field(unknown_field.rest, 6, "x");
  CHECK(has(model_refusal(unknown_field.bytes()), ": a SentencePiece model has no field 6"));
}

TEST_CASE("a field that protobuf would merge or overwrite is refused") {
  ModelParts twice;
  append_bytes_field(twice.rest, 2, twice.trainer);
  CHECK(has(model_refusal(twice.bytes()), ": field 2 is given twice"));
  ModelParts rules_twice;
  append_bytes_field(rules_twice.rest, 3, "");
  CHECK(has(model_refusal(rules_twice.bytes()), ": field 3 is given twice"));
  std::string piece = piece_message("b", 0, 1);
  append_bytes_field(piece, 1, std::string(100'000, 'x'));
  CHECK(has(refusal_with_piece(piece), ": field 1 is given twice"));
  ModelParts algorithm;
  append_varint_field(algorithm.trainer, 3, 2);
  CHECK(has(model_refusal(algorithm.bytes()), ": field 3 is given twice"));
}

TEST_CASE("a piece that libsentencepiece could not bear is refused") {
  CHECK(refusal_with_piece(piece_message("b", -3, 1)) == "accepted");
  CHECK(has(refusal_with_piece(piece_message(std::string(100'000, 'x'), 0, 1)),
            "a piece of 100000 bytes; the limit is 512"));
  CHECK(has(refusal_with_piece(piece_message("", 0, 1)), "a piece is empty"));
  CHECK(has(refusal_with_piece(""), "a piece is empty"));
  CHECK(has(refusal_with_piece(piece_message("\xFF", 0, 1)), "a piece is not UTF-8 or has a NUL: \"\\xff\""));
  CHECK(has(refusal_with_piece(piece_message(std::string("a\0", 2), 0, 1)),
            "a piece is not UTF-8 or has a NUL: \"a\\x00\""));
  CHECK(has(refusal_with_piece(piece_message("b", std::numeric_limits<float>::quiet_NaN(), 1)),
            "the score of piece \"b\" is not finite"));
  CHECK(has(refusal_with_piece(piece_message("b", -std::numeric_limits<float>::infinity(), 1)),
            "is not finite"));
  CHECK(has(refusal_with_piece(piece_message("b", 0, 0)), "unknown piece type 0"));
  CHECK(has(refusal_with_piece(piece_message("b", 0, 7)), "unknown piece type 7"));
  CHECK(refusal_with_piece(piece_message("a", 0, 1)) == "m: piece 6 \"a\" is the same as piece 4");
  CHECK(refusal_with_piece(piece_message("u", 0, 2)) ==
        "m: piece 6 \"u\" is a second unknown piece; piece 0 is the first");
  CHECK(refusal_with_piece(piece_message("<0x00>", 0, 6)) ==
        "m: piece 6 \"<0x00>\" is a byte, but the model does not fall back to bytes");
  CHECK(refusal_with_piece(piece_message("<0x0>", 0, 6)) ==
        "m: piece 6 \"<0x0>\" is not a byte <0x00> .. <0xFF>");
}

TEST_CASE("a model without what encoding needs is refused") {
  ModelParts parts;
  SECTION("no unknown piece") {
    parts.pieces.erase(parts.pieces.begin());
    CHECK(model_refusal(parts.bytes()) == "m: has no unknown piece");
  }
  SECTION("no normal piece") {
    parts.pieces.resize(3);
    CHECK(model_refusal(parts.bytes()) == "m: has no normal piece");
  }
  SECTION("an unknown algorithm") {
    parts.trainer.clear();
    append_varint_field(parts.trainer, 3, 9);
    CHECK(has(model_refusal(parts.bytes()), "unknown model type 9"));
  }
  SECTION("byte fallback with a byte missing") {
    append_varint_field(parts.trainer, 35, 1);
    for (int byte = 0; byte < 255; ++byte) {
      char text[8];
      std::snprintf(text, sizeof text, "<0x%02X>", static_cast<unsigned>(byte));
      parts.pieces.push_back(piece_message(text, 0, 6));
    }
    CHECK(model_refusal(parts.bytes()) == "m: falls back to bytes but has only 255 of the 256 byte pieces");
    parts.pieces.push_back(piece_message("<0xFF>", 0, 6));
    CHECK(read_model(parts.bytes()).byte_fallback);
  }
}

TEST_CASE("rules that lead out of their trie, at the root or anywhere, are refused") {
  CharsmapBuilder rules(CharsmapBuilder::Rules{{"A", "a"}, {"AB", "ab"}});
  CHECK(charsmap_fault(rules.bytes()).empty());
  CHECK(charsmap_fault("").empty());
  const auto far = static_cast<uint32_t>(rules.units().size());
  SECTION("root") {
    rules.set_base(0, far);
    CHECK(charsmap_fault(rules.bytes()) == "unit 0 of the trie leads out of it");
  }
  SECTION("inner node") {
    const uint32_t node = rules.node_of("A");
    rules.set_base(node, far);
    CHECK(charsmap_fault(rules.bytes()) == "unit " + std::to_string(node) + " of the trie leads out of it");
  }
  SECTION("extended offset") {
    rules.units()[rules.node_of("A")] |= 1u << 9;
    CHECK(has(charsmap_fault(rules.bytes()), "of the trie leads out of it"));
  }
  SECTION("a last block that is not whole") {
    rules.units().pop_back();
    CHECK(has(charsmap_fault(rules.bytes()), "of the trie leads out of it"));
  }
}

TEST_CASE("rules whose outputs are not there are refused") {
  CharsmapBuilder rules(CharsmapBuilder::Rules{{"A", "a\xCC\x88"}});
  const uint32_t node = rules.node_of("A");
  uint32_t& value = rules.units()[rules.base_of(node)];
  const std::string unit = "unit " + std::to_string(node) + " names an output ";
  SECTION("beyond the end") {
    value = 0x80000000u | 4;
    CHECK(charsmap_fault(rules.bytes()) == unit + "beyond the end");
  }
  SECTION("inside a character") {
    value = 0x80000000u | 2;
    CHECK(charsmap_fault(rules.bytes()) == unit + "in the middle of a character");
  }
  SECTION("without an end") {
    rules.outputs().pop_back();
    CHECK(charsmap_fault(rules.bytes()) == "the outputs do not end with NUL");
  }
  SECTION("of a length that multiplies every text") {
    rules.outputs() = std::string(257, 'x') + '\0';
    CHECK(charsmap_fault(rules.bytes()) == unit + "of over 256 bytes");
  }
  SECTION("not UTF-8") {
    rules.outputs()[1] = '\xFF';
    CHECK(charsmap_fault(rules.bytes()) == "the outputs are not UTF-8");
  }
}

TEST_CASE("rules with a cycle or with more matches than there is room for are refused") {
  std::map<std::string, std::string> nested;
  for (size_t length = 1; length <= 32; ++length) {
    nested[std::string(length, 'x')] = "y";
  }
  CHECK(charsmap_fault(CharsmapBuilder(nested).bytes()).empty());
  nested[std::string(33, 'x')] = "y";
  CHECK(charsmap_fault(CharsmapBuilder(nested).bytes()) == "over 32 inputs begin one another");
  CharsmapBuilder rules(CharsmapBuilder::Rules{{"AB", "ab"}});
  rules.set_base(rules.node_of("AB"), rules.base_of(0));  // after AB as at the start
  CHECK(charsmap_fault(rules.bytes()) == "the trie has a cycle");
}

TEST_CASE("tries that share their ends, as real ones do, are followed through them") {
  CharsmapBuilder::Rules nested{{"ab", "c"}};
  for (size_t length = 1; length <= 32; ++length) {
    nested[std::string(length, 'x')] = "y";
  }
  // "ab" goes on as "x" does: 31 more matches on the way.
  CharsmapBuilder rules(nested);
  rules.set_base(rules.node_of("ab"), rules.base_of(rules.node_of("x")));
  CHECK(charsmap_fault(rules.bytes()).empty());
  nested["a"] = "d";
  CharsmapBuilder one_more(nested);
  one_more.set_base(one_more.node_of("ab"), one_more.base_of(one_more.node_of("x")));
  CHECK(charsmap_fault(one_more.bytes()) == "over 32 inputs begin one another");
}

TEST_CASE("rules whose sizes do not add up are refused") {
  const std::string good = CharsmapBuilder(CharsmapBuilder::Rules{{"A", "a"}}).bytes();
  const auto with_length = [&](uint32_t length) {
    std::string bytes = good;
    std::memcpy(bytes.data(), &length, 4);
    return charsmap_fault(bytes);
  };
  CHECK(charsmap_fault("abcd") == "it is truncated");
  CHECK(has(with_length(UINT32_MAX), "its trie of 4294967295 bytes does not fit in the "));
  CHECK(has(with_length(static_cast<uint32_t>(good.size() - 4)), "does not fit"));
  CHECK(with_length(0) == "its trie of 0 bytes is not a number of units");
  CHECK(with_length(1023) == "its trie of 1023 bytes is not a number of units");
}

TEST_CASE("the rules for decoding are held to the same") {
  ModelParts parts;
  std::string denormalizer;
  append_bytes_field(denormalizer, 2, "broken rules");
  append_bytes_field(parts.rest, 5, denormalizer);
  CHECK(has(model_refusal(parts.bytes()), "the normalization rules are damaged: "));
}

TEST_CASE("a damaged model is refused or safe to use") {
  ModelParts parts;
  const std::string inputs = "AB \xC3\x84 the xxABAB \xC3\xC3\x84\xFF\x01\x02";
  const test::MutantCount count =
      test::read_mutants(parts.bytes(), 20'000, [&](const std::string& bytes) { read_model(bytes); });
  CHECK(count.refused > 5'000);
  // Damage to the rules alone, much of which stays acceptable.
  const test::MutantCount rules = test::read_mutants(parts.charsmap, 20'000, [&](const std::string& bytes) {
    if (!charsmap_fault(bytes).empty()) {
      throw InputError("refused");
    }
    if (!bytes.empty()) {
      follow(bytes, inputs);
    }
  });
  CHECK(rules.accepted > 500);
  CHECK(rules.refused > 500);
}
