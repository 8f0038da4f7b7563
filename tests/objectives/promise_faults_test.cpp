// Each promise is broken by an objective that does something else: none is there that cannot fail.
#include <algorithm>
#include <map>
#include <set>

#include "objectives/promise_support.h"
#include "support/catch.h"

using namespace lmzoo;
using namespace lmzoo::test;

namespace {

constexpr auto kEncoderOnly = Architecture::encoder_only;
constexpr auto kDecoderOnly = Architecture::decoder_only;

// Does to an example of another objective what none should.
using Harm = std::function<void(const Sample&, Example&)>;

class Harmful final : public Objective {
 public:
  Harmful(std::shared_ptr<Objective> objective, Harm harm)
      : objective_(std::move(objective)), harm_(std::move(harm)) {}
  ObjectiveForm form() const override { return objective_->form(); }
  ObjectiveLengths lengths() const override { return objective_->lengths(); }
  Example example(const Sample& sample, const TrainingPlace& place, Stream& stream) const override {
    Example made = objective_->example(sample, place, stream);
    harm_(sample, made);
    return made;
  }
  Losses loss(Model&, const Batch&, Stream&) override { return {}; }

 private:
  std::shared_ptr<Objective> objective_;
  Harm harm_;
};

// Of several streams the one whose example has most of it: a stream that is not random.
using Taste = std::function<double(const Sample&, const Example&)>;

Stream tasteful(const Objective& objective, const Taste& taste, uint64_t number) {
  const Sample sample = numbered_text(number);
  Stream best = stream_of(number);
  double most = 0;
  for (uint64_t seed = 1; seed <= (taste ? 4 : 1); ++seed) {
    Stream stream = stream_of(number, seed);
    const double score = taste ? taste(sample, objective.example(sample, numbered_place(number), stream)) : 0;
    if (seed == 1 || score > most) {
      most = score;
      best = stream_of(number, seed);
    }
  }
  return best;
}

struct Fault {
  Made promised;
  std::vector<std::string> broken;  // by this:
  Settings made{};
  Taste taste{};
  Harm harm{};
};

std::vector<WitnessedPromise> findings_of(const Fault& fault) {
  const auto promised = objective_of(fault.promised);
  std::shared_ptr<Objective> made =
      fault.made.empty() ? promised
                         : objective_of({fault.promised.objective, fault.made, fault.promised.architecture});
  if (fault.harm) {
    made = std::make_shared<Harmful>(made, fault.harm);
  }
  Witness witness(made, promises_of(*promised));
  for (uint64_t number = 0; number < 3000; ++number) {
    Stream stream = tasteful(*made, fault.taste, number);
    witness.examples(numbered_text(number), numbered_place(number), stream);
  }
  return witness.findings();
}

double leans_forward(const Sample&, const Example& example) {
  const Target& target = example.targets.front();
  return target.at.empty() ? 0 : -static_cast<double>(target.at.front());
}
double has_short_source(const Sample&, const Example& example) {
  return -static_cast<double>(example.sequences.front().ids.size());
}
double begins_as_text(const Sample& sample, const Example& example) {
  return example.sequences.front().ids.front() == sample.ids.front() ? 1 : 0;
}
double first_is_near(const Sample& sample, const Example& example) {
  const auto& source = example.sequences.front().ids;
  return -static_cast<double>(std::ranges::find(source, sample.ids.front()) - source.begin());
}
double target_begins_as_text(const Sample& sample, const Example& example) {
  return example.sequences.at(1).ids.front() == sample.ids.front() ? 1 : 0;
}
// How far from the beginning an id that is no text stands in the source.
double special_is_near(const Sample&, const Example& example) {
  const auto& source = example.sequences.front().ids;
  return -static_cast<double>(std::ranges::find_if(source, [](int64_t id) { return id < kFirstWord; }) -
                              source.begin());
}
double has_few_masks(const Sample&, const Example& example) {
  return -static_cast<double>(std::ranges::count(example.sequences.front().ids, 4));
}
// The length of the first span of a target with sentinels.
double first_span_is_long(const Sample&, const Example& example) {
  const auto& target = example.sequences.at(1).ids;
  return static_cast<double>(
      std::find_if(target.begin() + 1, target.end(), [](int64_t id) { return id < kFirstWord; }) -
      target.begin());
}
// Beyond a mode, of a source that has any.
double sentinel_is_near(const Sample&, const Example& example) {
  const auto& source = example.sequences.front().ids;
  return -static_cast<double>(std::ranges::find(source, 6) - source.begin());
}
double has_many_sentinels(const Sample&, const Example& example) {
  return static_cast<double>(std::ranges::count(example.sequences.front().ids, 6));
}
double has_low_others(const Sample& sample, const Example& example) {
  const auto& ids = example.sequences.front().ids;
  double low = 0;
  for (size_t i = 0; i < sample.ids.size(); ++i) {
    low += ids[i] != sample.ids[i] && ids[i] != 6 && ids[i] < 80 ? 1 : 0;
  }
  return low;
}
// Where a rotated text begins, or 0.
double begins_late(const Sample& sample, const Example& example) {
  return static_cast<double>(std::ranges::find(sample.ids, example.sequences.front().ids.front()) -
                             sample.ids.begin());
}
double target_is_short(const Sample&, const Example& example) {
  return -static_cast<double>(example.sequences.at(1).ids.size());
}
double suffix_is_long(const Sample&, const Example& example) {
  const auto& ids = example.sequences.front().ids;
  return static_cast<double>(std::ranges::find(ids, 8) - std::ranges::find(ids, 7));
}
double prefix_is_short(const Sample&, const Example& example) {
  const auto& ids = example.sequences.front().ids;
  return -static_cast<double>(std::ranges::find(ids, 7) - ids.begin());
}

void spoil_source(const Sample&, Example& example) {
  auto& source = example.sequences.front().ids;
  ++source.at(source.size() / 2);
}
double has_few_runs(const Sample&, const Example& example) {
  const auto& at = example.targets.front().at;
  double runs = 0;
  for (size_t i = 1; i < at.size(); ++i) {
    runs += at[i] != at[i - 1] + 1 ? 1 : 0;
  }
  return -runs;
}

void spoil_mask(const Sample& sample, Example& example) {
  const auto& at = example.targets.front().at;
  if (!at.empty()) {
    auto& ids = example.sequences.front().ids;
    ids.at(static_cast<size_t>(at.front())) = sample.ids.at(static_cast<size_t>(at.front() - 1));
  }
}
void take_the_same(const Sample& sample, Example& example) {
  auto& ids = example.sequences.front().ids;
  for (size_t i = 0; i < sample.ids.size(); ++i) {  // behind [CLS]
    ids[i + 1] = ids[i + 1] == sample.ids[i] || ids[i + 1] < kFirstWord ? ids[i + 1] : kFirstWord;
  }
}
void spoil_late(const Sample&, Example& example) {
  auto& source = example.sequences.front().ids;
  ++source.at(source.size() - 3);
}
void spoil_label(const Sample&, Example& example) {
  for (Target& target : example.targets) {
    for (int64_t& label : target.labels) {
      ++label;
    }
  }
}
void lose_last(const Sample&, Example& example) { example.sequences.back().ids.pop_back(); }
void weigh_more(const Sample&, Example& example) {
  for (float& weight : example.targets.front().weights) {
    weight *= 1.1F;
  }
}
void give_back(const Sample& sample, Example& example) {
  auto& source = example.sequences.front().ids;
  const auto hidden = std::ranges::find(source, 6);
  if (hidden != source.end()) {
    *hidden = sample.ids[static_cast<size_t>(hidden - source.begin())];
  }
}

constexpr auto kLabels = "labels are what stood there, all else is as it was";
constexpr auto kMasked = "predicted tokens that became [MASK]";
constexpr auto kKept = "predicted tokens that kept their token";
constexpr auto kOther = "predicted tokens that became another token";
constexpr auto kPool = "other tokens among all that they may be";
constexpr auto kForbidden = "tokens that may not be predicted are not";
constexpr auto kPredicted = "tokens that are predicted";
constexpr auto kPlaces = "predicted tokens among the places of a text";
constexpr auto kOfText = "source and target are of the text";
constexpr auto kSolved = "source and target have the solved lengths";
constexpr auto kLengths = "lengths of spans";
constexpr auto kBetween = "lengths of the text between them";

std::vector<Fault> masking_faults() {
  const auto of = [](Settings settings) { return Made{"masked_lm", std::move(settings), kEncoderOnly}; };
  return {
      {of({}), {kLabels}, {}, {}, spoil_label},
      {of({}), {kMasked, kKept}, {{"mask_share", 0.7}}},
      {of({}), {kOther, kKept}, {{"random_share", 0.2}}},
      {of({}), {kPool, kForbidden}, {{"dialect", "roberta"}}},
      {of({}), {kPredicted}, {{"dialect", "hf"}}},
      {of({}), {kPlaces}, {}, leans_forward},
      {of({{"dialect", "hf"}}), {kPredicted}, {{"dialect", "hf"}, {"rate", 0.17}}},
      {of({{"dialect", "roberta"}}), {kPredicted}, {{"dialect", "roberta"}, {"rate", 0.17}}},
      {of({{"dialect", "electra"}}), {kPredicted}, {{"dialect", "electra"}, {"rate", 0.2}}},
      {of({{"dialect", "electra"}}), {"different ones among the draws", kMasked}, {{"dialect", "bert"}}},
      {of({{"dialect", "gpt-bert"}}),
       {"as many as wanted, and at most 2 more to end a span"},
       {{"dialect", "gpt-bert"}, {"rate", 0.25}}},
      {of({{"dialect", "gpt-bert"}}),
       {"predicted units that became [MASK]",
        "predicted units that kept their token",
        "predicted units that became another token"},
       {{"dialect", "gpt-bert"}, {"mask_share", 0.6}, {"random_share", 0.2}}},
      {of({{"dialect", "gpt-bert"}}), {kPlaces}, {}, leans_forward},
  };
}

std::vector<Fault> word_faults() {
  const auto of = [](const char* dialect) {
    return Made{"masked_lm", {{"dialect", dialect}, {"whole_words", true}}, kEncoderOnly};
  };
  return {
      {of("bert"), {"no word is cut"}, {{"dialect", "bert"}}},
      {of("hf"),
       {"never more tokens than promised"},
       {{"dialect", "hf"}, {"whole_words", true}, {"rate", 0.3}}},
      {of("roberta"),
       {"words that are predicted"},
       {{"dialect", "roberta"}, {"whole_words", true}, {"rate", 0.2}}},
      {of("bert"), {"predicted words among those of their length"}, {}, leans_forward},
      {{"masked_next_token", {{"causal_share", 0.3}}, kDecoderOnly},
       {"texts that predict every next token"},
       {{"causal_share", 0.5}}},
  };
}

std::vector<Fault> other_masking_faults() {
  const Made diffusion{"masked_diffusion", {}, kEncoderOnly};
  const Made spanbert{"spanbert", {}, kEncoderOnly};
  return {
      {diffusion, {kLabels}, {}, {}, spoil_label},
      {diffusion, {kMasked, kKept}, {}, {}, spoil_mask},
      {diffusion, {"hidden tokens of a text, from none to all"}, {{"least_rate", 0.2}}},
      {{"masked_diffusion", {{"least_rate", 0.2}}, kEncoderOnly},
       {"a label weighs 1/t, and t is a legal share"},
       {{"least_rate", 0.1}}},
      {diffusion, {"hidden tokens, by what their weights say"}, {}, {}, weigh_more},
      {diffusion, {"hidden tokens among the places of a text"}, {}, leans_forward},
      {spanbert, {kLabels}, {}, {}, spoil_label},
      {spanbert, {"predicted units that became [MASK]"}, {{"mask_share", 0.6}}},
      {spanbert, {"predicted units that kept their token"}, {{"mask_share", 0.6}}},
      {spanbert, {"predicted units that became another token"}, {{"random_share", 0.2}}},
      {spanbert, {kPool}, {}, {}, take_the_same},
      {spanbert, {kPredicted, "spans are those drawn, from the beginning of a word"}, {{"rate", 0.2}}},
      {spanbert, {"words of a span"}, {}, has_few_runs},
      {spanbert, {"where a span begins, in tokens"}, {}, leans_forward},
  };
}

std::vector<Fault> denoiser_faults() {
  const auto of = [](const char* corruption, const char* places) {
    return Made{"span_corruption", {{"corruption", corruption}, {"places", places}, {"density", 0.3}}};
  };
  const Made t5{"span_corruption"};
  return {
      {t5, {kOfText}, {}, {}, spoil_source},
      {t5, {kSolved}, {{"dialect", "closing-sentinel"}}},
      {t5, {kSolved, "tokens that are noise"}, {{"density", 0.2}}},
      {t5, {kSolved, "spans of a text"}, {{"mean_length", 4.0}}},
      {t5, {kLengths}, {}, first_span_is_long},
      {t5, {kBetween}, {}, special_is_near},
      {of("replace_spans", "tokens"), {"noise among the places of a text"}, {}, special_is_near},
      {of("drop_tokens", "tokens"), {kOfText}, {}, {}, lose_last},
      {of("drop_tokens", "tokens"), {"noise among the places of a text"}, {}, target_begins_as_text},
      {of("deshuffling", "tokens"), {"places of a token that is there once"}, {}, first_is_near},
      {of("deshuffling", "tokens"), {kOfText}, {}, {}, spoil_source},
      {of("bert", "tokens"), {kMasked, kKept}, {}, {}, give_back},
      {of("bert", "tokens"), {kLabels, kOfText}, {}, {}, spoil_source},
      {of("bert", "tokens"), {kOther}, {}, has_many_sentinels},
      {of("bert", "tokens"), {kPool}, {}, has_low_others},
  };
}

std::vector<Fault> pair_faults() {
  const Made prefix{"prefix_lm"};
  const Made middle{"fill_in_the_middle", {}, kDecoderOnly};
  const Made ul2{"ul2"};
  const Made bart{"bart"};
  const Made fairseq{"bart", {{"dialect", "fairseq"}}};
  return {
      {prefix, {"source and target are the two parts of the text"}, {}, {}, spoil_source},
      {prefix, {"lengths of the prefix"}, {}, target_is_short},
      {middle, {"the parts are those of the text"}, {}, {}, spoil_source},
      {middle, {"texts whose middle comes last"}, {{"rate", 0.7}}},
      {middle, {"those that begin with the suffix (SPM, or no prefix)"}, {{"spm_share", 0.7}}},
      {middle, {"where the suffix begins"}, {}, suffix_is_long},
      {middle, {"where the prefix ends, of those that begin with it"}, {}, prefix_is_short},
      {ul2, {"each is of one of the denoisers"}, {}, {}, lose_last},
      {ul2, {kOfText}, {}, {}, spoil_late},
      {ul2, {kLengths}, {}, first_span_is_long},
      {ul2, {kBetween}, {}, sentinel_is_near},
      {ul2, {"lengths of the rest of a text"}, {}, target_is_short},
      {ul2,
       {"texts of r_3_15",
        "texts of r_8_15",
        "texts of x_3_50",
        "texts of x_8_50",
        "texts of x_64_15",
        "texts of x_64_50",
        "texts of s_25"},
       {{"r_8_15", 0.3},
        {"x_8_50", 0.3},
        {"x_64_50", 0.3},
        {"s_25", 3.0},
        {"r_3_15", 2.0},
        {"x_3_50", 2.0},
        {"x_64_15", 2.0}}},
      {bart, {"the source is what the draws make, the target is the text"}, {}, {}, spoil_source},
      {bart, {"the first sentence among all"}, {}, begins_as_text},
      {bart, {"lengths of spans (Poisson)"}, {}, has_short_source},
      {bart, {"where spans begin, in words"}, {}, special_is_near},
      {bart, {"spans that become a random token"}, {}, has_few_masks},
      {fairseq, {"texts that are rotated"}, {}, begins_as_text},
      {fairseq, {"where they begin"}, {}, begins_late},
  };
}

}  // namespace

TEST_CASE("every promise is broken by an objective that does something else") {
  std::map<std::string, std::set<std::string>> broken;
  std::vector<Fault> faults = masking_faults();
  for (const auto& more : {word_faults(), other_masking_faults(), denoiser_faults(), pair_faults()}) {
    faults.insert(faults.end(), more.begin(), more.end());
  }
  for (size_t i = 0; i < faults.size(); ++i) {
    const Fault& fault = faults[i];
    std::set<std::string> noticed;
    for (const WitnessedPromise& promise : findings_of(fault)) {
      if (promise.finding.verdict == Verdict::broken) {
        noticed.insert(promise.name);
      }
    }
    for (const std::string& name : fault.broken) {
      INFO("fault " << i << " of " << fault.promised.objective << ": " << name);
      CHECK(noticed.contains(name));
      broken[fault.promised.objective].insert(name);
    }
  }
  // What two of them share, because it is one part's, is broken once.
  const std::set<std::string>& masked = broken["masked_lm"];
  broken["masked_next_token"].insert(masked.begin(), masked.end());
  for (const Made& made : all_that_draw()) {
    for (const Promise& promise : promises_of(*objective_of(made))) {
      INFO(made.objective << ": " << promise.name);
      CHECK(broken[made.objective].contains(promise.name));
    }
  }
}

TEST_CASE(
    "a witness notices an example that the stream alone does not decide, and draws that nobody promised") {
  int64_t times = 0;
  const auto forgetful = std::make_shared<Harmful>(
      objective_of({"prefix_lm"}),
      [&](const Sample&, Example& example) { example.sequences.front().ids.front() += ++times; });
  Witness witness(forgetful);
  for (uint64_t number = 0; number < 20; ++number) {
    Stream stream = stream_of(number);
    witness.examples(numbered_text(number), {}, stream);
  }
  CHECK(witness.draws());
  CHECK(!witness.states_promises());
  REQUIRE(witness.findings().size() == 1);
  CHECK(witness.findings().front().finding.seen == 20);
}
