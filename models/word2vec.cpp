// Word vectors (Mikolov et al., "Efficient estimation of word representations in vector space", 2013, and
// "Distributed representations of words and phrases", 2013): two tables and nothing between them. A word's
// state is its row of `tokens`; a prediction is its product with a row of `outputs`, which stands for a word
// (negative sampling) or for an inner node of the tree (hierarchical softmax).
//
// With `ngrams` a word's state is the mean of its row and of the rows of its n-grams (base/words/ngrams.h).
//
// Rows of all tables lie on cache lines: they are views of tables that are padded to whole vectors, which
// the kernels of models/word2vec update in place. Ids behind the words (<unk>, [CLS], ...) have no row; their
// state is zero.
//
// Legend: N positions, K wanted rows, D width, V words.
#include <limits>

#include <ATen/ops/tensor.h>
#include <sys/mman.h>

#include "base/check.h"
#include "core/registry.h"
#include "nn/parameter.h"
#include "nn/words/kernels.h"
#include "nn/words/options.h"

namespace lmzoo {
namespace {

// Rows are read at random: with pages of 2 MiB instead of 4 KiB their addresses are found in the TLB. Before
// the memory is first written; whether the system grants it is no matter.
void ask_for_huge_pages(const Tensor& table) {
#if defined(MADV_HUGEPAGE)
  constexpr uintptr_t kPage = uintptr_t{2} << 20;
  const auto begin = (reinterpret_cast<uintptr_t>(table.data_ptr()) + kPage - 1) / kPage * kPage;
  const auto end = (reinterpret_cast<uintptr_t>(table.data_ptr()) + table.nbytes()) / kPage * kPage;
  if (begin < end) {
    madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
  }
#endif
}

// A [V, D] table of zeros whose rows are padded.
class PaddedTable : public Module {
 public:
  PaddedTable(int64_t rows, int64_t width) {
    const Tensor whole = new_parameter({rows, padded_width(width)});
    if (!whole.is_meta()) {
      ask_for_huge_pages(whole);
    }
    whole.zero_();
    weight = register_parameter("weight", whole.narrow(1, 0, width));
  }

  void fill_uniform() {
    if (!weight.is_meta()) {
      const at::NoGradGuard no_gradient;
      const double bound = 0.5 / static_cast<double>(weight.size(1));
      weight.uniform_(-bound, bound);
    }
  }

  Tensor weight;
};

class Word2vec final : public Model {
 public:
  Word2vec(const Word2vecOptions& options, const ModelContext& context)
      : width_(options.width), ids_(context.vocabulary.size) {
    check(context.vocabulary.counts != nullptr,
          "type word2vec needs the counts of words: set tokenizer.type to words");
    words_ = std::ssize(*context.vocabulary.counts);
    tokens_ = register_module("tokens", std::make_shared<PaddedTable>(words_, width_));
    outputs_ = register_module("outputs", std::make_shared<PaddedTable>(words_, width_));
    // Uniform in ±1/2D, as word2vec.c has it; outputs begin at zero.
    tokens_->fill_uniform();
    if (options.ngrams) {
      make_ngrams(*options.ngrams, context.vocabulary);
    }
  }

  Architecture architecture() const override { return Architecture::encoder_only; }
  bool of_words() const override { return true; }
  int64_t width() const override { return width_; }
  int64_t vocab_rows() const override { return ids_; }  // hidden() takes every id
  int64_t max_length() const override { return std::numeric_limits<int64_t>::max(); }

  std::vector<ModelPart> parts() const override {
    return {{.name = "embeddings", .prefixes = {"tokens", "ngrams"}},
            {.name = "outputs", .kind = PartKind::projection, .prefixes = {"outputs"}}};
  }

  Tensor hidden(const Inputs& inputs) override {
    const Tensor known = inputs.ids.lt(words_);  // [N]
    Tensor rows = tokens_->weight.index_select(0, inputs.ids.clamp_max(words_ - 1));
    if (ngrams_) {
      rows = with_ngrams(rows, inputs.ids);
    }
    return rows * known.unsqueeze(1).to(rows.scalar_type());  // [N, D]
  }

  Projection project(const Tensor& rows) override {
    return {.rows = rows, .weight = outputs_->weight, .bias = {}};
  }

  // A label costs one product of two rows, there and back; the objective knows how many outputs it has.
  double train_flops(const SequenceLengths& /*lengths*/, double labeled) const override {
    return 6 * labeled * static_cast<double>(width_);
  }

 private:
  void make_ngrams(const NgramOptions& options, const Vocabulary& vocabulary) {
    check(options.min <= options.max,
          "ngrams.min is {}, which is over ngrams.max ({})",
          options.min,
          options.max);
    check(vocabulary.words != nullptr, "ngrams needs words: set tokenizer.type to words");
    ngram_options_ = options;
    spellings_ = vocabulary.words;
    ngrams_ = register_module("ngrams", std::make_shared<PaddedTable>(options.buckets, width_));
    ngrams_->fill_uniform();
  }

  // rows [N, D] and those of n-grams to means [N, D], whose gradient goes to every row undivided, as in
  // fastText.
  Tensor with_ngrams(const Tensor& rows, const Tensor& ids) const {
    const Tensor host_ids = ids.cpu();
    std::vector<int32_t> buckets;
    std::vector<int64_t> owners, sizes;
    for (int64_t n = 0; n < host_ids.size(0); ++n) {
      const auto id = host_ids.const_data_ptr<int64_t>()[n];
      if (id < words_) {
        append_ngrams(spellings_->word(id), *ngram_options_, buckets);
      }
      const auto before = std::ssize(owners);
      owners.resize(buckets.size(), n);
      sizes.push_back(1 + std::ssize(owners) - before);
    }
    const auto moved = [&](const Tensor& x) { return x.to(rows.device(), /*non_blocking=*/true); };
    const Tensor wanted = moved(at::tensor(buckets, on_cpu(at::kLong)));
    const Tensor sums = rows.index_add(
        0, moved(at::tensor(owners, on_cpu(at::kLong))), ngrams_->weight.index_select(0, wanted));
    const Tensor counts = moved(at::tensor(sizes, on_cpu(rows.scalar_type()))).unsqueeze(1);
    return sums + (sums / counts - sums).detach();
  }

  int64_t width_;
  int64_t ids_;
  int64_t words_ = 0;
  std::shared_ptr<PaddedTable> tokens_, outputs_, ngrams_;
  std::optional<NgramOptions> ngram_options_;
  std::shared_ptr<const WordIndex> spellings_;
};

}  // namespace

void register_word2vec(Registry& registry) {
  registry.add(ModelFamily{
      .name = "word2vec",
      .summary = "vectors of words, one table for inputs and one for outputs (skipgram, cbow)",
      .defaults = AnyOptions(Word2vecOptions{}),
      .presets = {},
      .make = [](const AnyOptions& options, const ModelContext& context) -> std::shared_ptr<Model> {
        return std::make_shared<Word2vec>(options.as<Word2vecOptions>(), context);
      }});
}

}  // namespace lmzoo
