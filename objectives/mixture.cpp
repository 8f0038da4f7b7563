// Several objectives on one model. Which of them reads a window follows from its random stream, in proportion to the
// weights; in an evaluation all of them read it.
//
//   components: [{name: spans, weight: 3, objective: {type: span_corruption}},
//                {name: prefix, weight: 1, objective: {type: prefix_lm}, corpora: [gcide]}]
//
//   window   spans   source  37 32099 10681 1     target  32099 5295 2447 1       slot 0, "spans"
//   window   prefix  source  37 5295 1            target  1782 10681 16 1         slot 1, "prefix"
//
// A component has slots of its own. Of each step the loss is the sum of the components' mean losses, each times its share
// of the weights; a component that reads no window of the batch adds nothing. (That is the loss of training each on its
// share of the machines, as GPT-BERT does; objectives whose labels should all count alike, as the tasks of T5, are one
// objective on several corpora: data.mixture.) Windows are as long as the component with the shortest takes, so that none
// cuts what it is given.
//
// A finished run is asked as its component `ask` was trained.
#include <algorithm>
#include <limits>
#include <set>

#include "core/batch_part.h"
#include "core/registry.h"
#include "objectives/parts/requirements.h"

namespace lmzoo {
namespace {

struct MixtureComponent {
  std::string name{};
  NestedChoice objective{};
  double weight = 1;
  OneOrMore corpora{};

  static constexpr void fields(auto& self, auto& visit) {
    visit("name", self.name, "in the log and in checkpoints; empty: the objective's type");
    visit("objective", self.objective, "what is predicted");
    visit("weight", self.weight, "its share of the windows, against the weights of the others", more_than(0));
    visit("corpora",
          self.corpora,
          "which texts it learns from: train (data.train) and names of data.mixture; empty: all");
  }
};

// Components, each of which must know which objectives there are.
class ComponentList final : public ListRef {
 public:
  ComponentList() = default;
  explicit ComponentList(NestedChoice choice) : choice_(std::move(choice)) {}

  const std::vector<MixtureComponent>& items() const { return items_; }
  size_t size() const override { return items_.size(); }
  void clear() override { items_.clear(); }
  void append() override { items_.push_back({.objective = choice_}); }
  void visit(size_t index, FieldVisitor& visitor, const FieldInfo& info) override {
    fields_detail::visit_value(visitor, info, items_.at(index));
  }

 private:
  NestedChoice choice_;
  std::vector<MixtureComponent> items_;
};

struct MixtureOptions {
  ComponentList components{};
  std::string ask{};

  static constexpr void fields(auto& self, auto& visit) {
    visit("components", self.components, "objectives and how often each is trained");
    visit("ask", self.ask, "the component as which the finished run is asked; empty: the first");
  }
};

// What stands in Example::note.
struct MixedNote {
  size_t component = 0;
  std::any own{};
};

class Mixture final : public Objective {
 public:
  Mixture(const MixtureOptions& options, const ObjectiveContext& context) {
    check(!options.components.items().empty(),
          "mixture needs components, as in components: [{{objective: {{type: ...}}}}, ...]");
    std::vector<CorpusShape> corpora = context.corpora;
    if (corpora.empty()) {
      corpora.push_back({.name = "train", .record = context.record});
    }
    double weights = 0;
    for (const MixtureComponent& given : options.components.items()) {
      add(given, corpora, context);
      weights += given.weight;
    }
    for (Component& component : components_) {
      component.share = component.weight / weights;
    }
    check_uses(corpora, context.architecture);
    if (!options.ask.empty()) {
      const auto found = std::ranges::find(components_, options.ask, &Component::name);
      check(found != components_.end(), "objective.ask is '{}', but no component has that name", options.ask);
      asked_ = static_cast<size_t>(found - components_.begin());
    }
  }

  ObjectiveForm form() const override {
    ObjectiveForm form = asked().form();
    form.mixed = true;
    form.needs_another = std::ranges::any_of(
        components_, [](const Component& component) { return component.objective->form().needs_another; });
    return form;
  }
  std::vector<Slot> slots() const override {
    std::vector<Slot> all;
    for (const Component& component : components_) {
      for (Slot slot : component.slots) {
        slot.name = component.slots.size() > 1 ? component.name + "_" + slot.name : component.name;
        all.push_back(std::move(slot));
      }
    }
    return all;
  }
  ObjectiveLengths lengths() const override {
    ObjectiveLengths all{.raw = std::numeric_limits<int64_t>::max()};
    for (const Component& component : components_) {
      const ObjectiveLengths own = component.objective->lengths();
      all.raw = std::min(all.raw, own.raw);
      all.source = std::max(all.source, own.source);
      all.target = std::max(all.target, own.target);
      all.added = std::max(all.added, own.added);
    }
    return all;
  }
  std::vector<std::pair<std::string, double>> shares() const override {
    std::vector<std::pair<std::string, double>> all;
    for (const Component& component : components_) {
      all.emplace_back(component.name, component.share);
    }
    return all;
  }
  std::vector<FurtherModel> further_models() const override {
    std::vector<FurtherModel> all;
    for (const Component& component : components_) {
      for (FurtherModel& further : component.objective->further_models()) {
        further.name = component.name + "." + further.name;
        all.push_back(std::move(further));
      }
    }
    return all;
  }
  bool only_trains() const override {
    return std::ranges::all_of(components_,
                               [](const Component& each) { return each.objective->only_trains(); });
  }
  bool adapts() const override {
    return std::ranges::any_of(components_, [](const Component& each) { return each.objective->adapts(); });
  }
  void follow() override {
    for (const Component& component : components_) {
      component.objective->follow();
    }
  }
  void adapt() override {
    for (const Component& component : components_) {
      component.objective->adapt();
    }
  }
  bool fills_any_share() const override { return asked().fills_any_share(); }
  std::optional<int64_t> begins_with() const override { return asked().begins_with(); }
  std::optional<MiddleTokens> fills_in() const override { return asked().fills_in(); }
  bool cuts(const Sample& sample) const override {
    return std::ranges::any_of(components_, [&](const Component& component) {
      return component.reads(sample.corpus) && component.objective->cuts(sample);
    });
  }

  Example example(const Sample& sample, const TrainingPlace& place, Stream& stream) const override {
    const size_t c = drawn(sample, stream);
    return marked(components_[c].objective->example(sample, place, stream), c);
  }
  std::vector<Example> examples(const Sample& sample,
                                const TrainingPlace& place,
                                Stream& stream) const override {
    std::vector<Example> all;
    const auto add_of = [&](size_t c) {
      for (Example& made : components_[c].objective->examples(sample, place, stream)) {
        all.push_back(marked(std::move(made), c));
      }
    };
    if (!place.evaluates || sample.corpus < 0) {
      add_of(drawn(sample, stream));
      return all;
    }
    for (size_t c = 0; c < components_.size(); ++c) {
      if (components_[c].reads(sample.corpus)) {
        add_of(c);
      }
    }
    return all;
  }

  Losses loss(Model& model, const Batch& batch, Stream& stream) override {
    Losses all;
    for_each_part(batch, [&](const Component& component, const Batch& part) {
      add_terms(component, component.objective->loss(model, part, stream), all);
    });
    return all;
  }

  bool predicts() const override { return asked().predicts(); }
  Predictions predict(Model& model, const Batch& batch) override {
    Predictions predictions;
    for_each_part(batch, [&](const Component& component, const Batch& part) {
      if (&component == &components_[asked_]) {
        predictions = component.objective->predict(model, part);
      }
    });
    return predictions;
  }
  Losses loss_and_predictions(Model& model,
                              const Batch& batch,
                              Stream& stream,
                              Predictions& predictions) override {
    Losses all;
    for_each_part(batch, [&](const Component& component, const Batch& part) {
      Predictions other;  // of tasks that the run is not asked
      Predictions& own = &component == &components_[asked_] ? predictions : other;
      add_terms(component, component.objective->loss_and_predictions(model, part, stream, own), all);
    });
    return all;
  }

 private:
  struct Component {
    std::string name;
    std::shared_ptr<Objective> objective;
    double weight = 1;
    std::vector<int64_t> corpora;  // ascending
    double share = 1;              // of the weights of all
    std::vector<Slot> slots{};
    int64_t first_slot = 0;

    bool reads(int64_t corpus) const { return std::ranges::binary_search(corpora, corpus); }
  };

  const Objective& asked() const { return *components_[asked_].objective; }

  void add(const MixtureComponent& given,
           const std::vector<CorpusShape>& corpora,
           const ObjectiveContext& context) {
    Component component{.name = given.name.empty() ? given.objective.type() : given.name,
                        .objective = nullptr,
                        .weight = given.weight,
                        .corpora = numbers_of(given.corpora, corpora)};
    const std::string& name = component.name;
    check(std::ranges::all_of(name, [](char c) { return c == '_' || c == '-' || std::isalnum(c) != 0; }),
          "component '{}': a name has letters, digits, - and _ only",
          name);
    check(std::ranges::find(components_, name, &Component::name) == components_.end(),
          "two components are called '{}'; give one another name",
          name);
    ObjectiveContext own = context;
    own.record = corpora[static_cast<size_t>(component.corpora.front())].record;
    for (const int64_t corpus : component.corpora) {
      const CorpusShape& shape = corpora[static_cast<size_t>(corpus)];
      check(shape.record == own.record,
            "component {} reads texts whose columns differ ({} and {}); name those it is for in corpora",
            name,
            corpora[static_cast<size_t>(component.corpora.front())].name,
            shape.name);
    }
    if (component.corpora.front() > 0) {
      own.classes.clear();  // they are of data.train
    }
    component.objective = register_module(name, context.make_objective(given.objective, own));
    component.slots = component.objective->slots();
    if (!components_.empty()) {
      const Component& last = components_.back();
      component.first_slot = last.first_slot + std::ssize(last.slots);
    }
    components_.push_back(std::move(component));
  }

  static std::vector<int64_t> numbers_of(const OneOrMore& names, const std::vector<CorpusShape>& corpora) {
    std::set<int64_t> numbers;
    for (const std::string& name : names) {
      const auto found = std::ranges::find(corpora, name, &CorpusShape::name);
      if (found == corpora.end()) {
        std::string legal;
        for (const CorpusShape& shape : corpora) {
          legal += (legal.empty() ? "" : ", ") + shape.name;
        }
        throw InputError(fmt::format("corpora has '{}', but the texts of this run are {}", name, legal));
      }
      numbers.insert(found - corpora.begin());
    }
    for (int64_t i = 0; i < (names.empty() ? std::ssize(corpora) : 0); ++i) {
      numbers.insert(i);
    }
    return {numbers.begin(), numbers.end()};
  }

  void check_uses(const std::vector<CorpusShape>& corpora, Architecture architecture) const {
    for (int64_t i = 0; i < std::ssize(corpora); ++i) {
      check(std::ranges::any_of(components_, [&](const Component& component) { return component.reads(i); }),
            "no component reads the text {}",
            corpora[static_cast<size_t>(i)].name);
    }
    // Sequences of one batch all have a decoder, or none has.
    const auto writes = [](const Component& component) {
      return std::ranges::any_of(component.slots, [](const Slot& s) { return s.predicts == Predicts::ids; });
    };
    const auto count = std::ranges::count_if(components_, writes);
    check(architecture != Architecture::encoder_decoder || count == 0 || count == std::ssize(components_),
          "on an encoder-decoder a mixture is of components that all write text, or of ones that never do");
  }

  // The component that reads a sample.
  size_t drawn(const Sample& sample, Stream& stream) const {
    if (sample.corpus < 0) {
      return asked_;
    }
    double all = 0;
    for (const Component& component : components_) {
      all += component.reads(sample.corpus) ? component.weight : 0;
    }
    double rest = stream.uniform() * all;
    size_t last = 0;
    for (size_t c = 0; c < components_.size(); ++c) {
      if (components_[c].reads(sample.corpus)) {
        last = c;
        rest -= components_[c].weight;
        if (rest < 0) {
          break;
        }
      }
    }
    return last;
  }

  Example marked(Example made, size_t component) const {
    for (Target& target : made.targets) {
      target.slot += components_[component].first_slot;
    }
    made.note = MixedNote{component, std::move(made.note)};
    return made;
  }

  // Calls use(component, its part of the batch) for each that has one.
  template <class Use>
  void for_each_part(const Batch& batch, const Use& use) {
    std::vector<std::vector<int64_t>> examples(components_.size());
    for (size_t i = 0; i < batch.notes.size(); ++i) {
      const auto& note = std::any_cast<const MixedNote&>(batch.notes[i]);
      examples[note.component].push_back(static_cast<int64_t>(i));
    }
    for (size_t c = 0; c < components_.size(); ++c) {
      if (examples[c].empty()) {
        continue;
      }
      const Component& component = components_[c];
      Batch part = part_of(batch, examples[c], {.first = component.first_slot, .slots = component.slots});
      for (std::any& note : part.notes) {
        note = std::any(std::any_cast<MixedNote&>(note).own);
      }
      use(component, part);
    }
  }

  static void add_terms(const Component& component, Losses own, Losses& all) {
    for (LossTerm& term : own) {
      term.slot += component.first_slot;
      term.weight *= component.share;
      all.push_back(std::move(term));
    }
  }

  std::vector<Component> components_;
  size_t asked_ = 0;
};

}  // namespace

void register_mixture(Registry& registry) {
  registry.add(ObjectiveKind{
      .name = "mixture",
      .summary = "several objectives on one model, by weight",
      .defaults =
          AnyOptions(MixtureOptions{.components = ComponentList(registry.nested_objective("masked_lm"))}),
      .make = [](const AnyOptions& options, const ObjectiveContext& context) -> std::shared_ptr<Objective> {
        return std::make_shared<Mixture>(options.as<MixtureOptions>(), context);
      },
      .holds_objective = true});
}

}  // namespace lmzoo
