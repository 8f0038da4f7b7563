// How a text becomes what a model reads. (Frames of tasks: tests/objectives/task_forms_test.cpp.)
#include "core/input_frame.h"

#include "support/catch.h"

using namespace lmzoo;

namespace {

using Ids = std::vector<int64_t>;
const Ids kText{10, 11};

Ids framed(Architecture architecture, const Vocabulary& vocabulary) {
  return InputFrame::of_text(architecture, vocabulary).one(kText).ids;
}

}  // namespace

TEST_CASE("a text alone is framed by its architecture and the tokenizer") {
  Vocabulary none;
  none.size = 20;
  Vocabulary own = none;
  own.eos = 1;
  own.cls = 2;
  own.sep = 3;
  Vocabulary published = own;
  published.inputs = InputTemplate{.before = {5}, .between = {6, 6}, .after = {6}, .second_type = false};
  CHECK(framed(Architecture::encoder_only, none) == kText);
  CHECK(framed(Architecture::encoder_only, own) == Ids{2, 10, 11, 3});
  CHECK(framed(Architecture::encoder_only, published) == Ids{5, 10, 11, 6});
  CHECK(framed(Architecture::encoder_decoder, none) == kText);
  CHECK(framed(Architecture::encoder_decoder, own) == Ids{10, 11, 1});
  CHECK(framed(Architecture::decoder_only, own) == kText);
  CHECK(InputFrame::of_text(Architecture::encoder_only, own).one(kText).first == 1);
}

TEST_CASE("a source ends in eos, and a decoder begins with pad, else bos, else eos") {
  Vocabulary vocabulary;
  vocabulary.size = 20;
  vocabulary.pad = 0;
  vocabulary.bos = 4;
  vocabulary.eos = 1;
  CHECK(InputFrame::of_source(vocabulary).one(kText).ids == Ids{10, 11, 1});
  CHECK(start_symbol(vocabulary) == 0);
  vocabulary.pad.reset();
  CHECK(start_symbol(vocabulary) == 4);
  vocabulary.bos.reset();
  CHECK(start_symbol(vocabulary) == 1);
  vocabulary.eos.reset();
  CHECK_THROWS_WITH(InputFrame::of_source(vocabulary),
                    "a source text needs a tokenizer with eos, and this one has none");
  CHECK_THROWS_AS(start_symbol(vocabulary), InputError);
}
