#include "train/exchange/huggingface/import.h"

#include <algorithm>
#include <set>

#include "base/check.h"
#include "base/utf8.h"
#include "core/parameters.h"
#include "core/registry.h"
#include "train/exchange/huggingface/weight_copy.h"
#include "train/exchange/huggingface/weight_plan.h"

namespace lmzoo {
namespace {

// The reading of one checkpoint: what fits is in `copies` and `account`, what does not in the lists.
class Import {
 public:
  Import(const TensorFiles& files, const NameMap& names, const ImportOptions& options)
      : files_(files), names_(names), options_(options) {}

  void take(const PlannedTensor& planned);
  void take_rest(const std::string& prefix);
  void refuse() const;  // InputError when something does not fit

  std::vector<WeightCopy> copies;
  KeyAccount account;

 private:
  const TensorView* find(const std::string& name);
  const TensorView* take_part(const PlannedTensor& planned, size_t part);
  void take_copies(const TensorView& first, const PlannedTensor& planned, size_t part);
  bool fits(const TensorView& view, const PlannedTensor& planned, size_t part);
  bool may_be_fresh(const PlannedTensor& planned) const;
  std::string reason_for(const std::string& name, const std::string& prefix) const;

  const TensorFiles& files_;
  const NameMap& names_;
  const ImportOptions& options_;
  std::set<std::string, std::less<>> used_;
  std::vector<std::string> missing_, other_, untied_, unknown_;
};

// Old checkpoints call the gain and the offset of a LayerNorm gamma and beta.
std::string old_name(const std::string& name) {
  for (const auto& [now, before] :
       {std::pair<std::string_view, std::string_view>{"LayerNorm.weight", "gamma"},
        {"LayerNorm.bias", "beta"}}) {
    if (name.ends_with(now)) {
      return name.substr(0, name.rfind('.') + 1) + std::string(before);
    }
  }
  return "";
}

const TensorView* Import::find(const std::string& name) {
  const TensorView* view = files_.find(name);
  if (view == nullptr && !old_name(name).empty()) {
    view = files_.find(old_name(name));
  }
  if (view != nullptr) {
    used_.insert(view->name);
  }
  return view;
}

bool Import::fits(const TensorView& view, const PlannedTensor& planned, size_t part) {
  std::vector<int64_t> expected = planned.tensor.sizes().vec();
  if (!expected.empty()) {
    expected[0] = planned.rows[part];
  }
  if (planned.rule->transposed && expected.size() == 2) {
    std::swap(expected[0], expected[1]);
  }
  if (view.shape != expected) {
    other_.push_back(fmt::format("{} {}, expected {}",
                                 printable(view.name, 200),
                                 c10::str(at::IntArrayRef(view.shape)),
                                 c10::str(at::IntArrayRef(expected))));
  } else if (!is_float_type(view.dtype)) {
    other_.push_back(fmt::format("{} of type {}", printable(view.name, 200), name_of(view.dtype)));
  } else {
    return true;
  }
  return false;
}

// Further names of the same tensor.
void Import::take_copies(const TensorView& first, const PlannedTensor& planned, size_t part) {
  for (const std::string& name : planned.theirs[part]) {
    const TensorView* view = find(name);
    if (view == nullptr || view == &first) {
      continue;
    }
    const bool equal =
        view->dtype == first.dtype && view->shape == first.shape &&
        (view->bytes.data() == first.bytes.data() || std::ranges::equal(view->bytes, first.bytes));
    if (!equal) {
      untied_.push_back(
          fmt::format("{} differs from {}", printable(view->name, 200), printable(first.name, 200)));
    }
    account.rows.push_back({.fate = KeyFate::tied,
                            .theirs = view->name,
                            .ours = planned.ours,
                            .shape = view->shape,
                            .note = "equal to " + first.name});
  }
}

const TensorView* Import::take_part(const PlannedTensor& planned, size_t part) {
  const TensorView* view = nullptr;
  for (const std::string& name : planned.theirs[part]) {
    view = view == nullptr ? find(name) : view;
  }
  return view;
}

bool Import::may_be_fresh(const PlannedTensor& planned) const {
  return options_.allow_fresh && (planned.optional || planned.head);
}

void Import::take(const PlannedTensor& planned) {
  const bool skipped = planned.head && !options_.task_head;
  std::vector<const TensorView*> views;
  for (size_t part = 0; !skipped && part < planned.theirs.size(); ++part) {
    views.push_back(take_part(planned, part));
  }
  const bool absent = std::ranges::all_of(views, [](const TensorView* view) { return view == nullptr; });
  if (absent && (skipped || may_be_fresh(planned))) {
    account.rows.push_back(
        {.fate = KeyFate::fresh,
         .ours = planned.ours,
         .shape = planned.tensor.sizes().vec(),
         .note = planned.head ? "the objective's initial values" : "the model's initial values"});
    return;
  }
  if (absent && planned.rule == nullptr) {
    missing_.push_back(planned.ours + ", which this family has not");
    return;
  }
  int64_t row = 0;
  for (size_t part = 0; part < views.size(); ++part) {
    if (views[part] == nullptr) {
      missing_.push_back(planned.theirs[part].front());
      account.rows.push_back(
          {.fate = KeyFate::missing, .theirs = planned.theirs[part].front(), .ours = planned.ours});
      continue;
    }
    const bool merged = views.size() > 1;
    const bool transposed = planned.rule->transposed && planned.tensor.dim() == 2;
    if (fits(*views[part], planned, part)) {
      copies.push_back({.target = merged ? planned.tensor.detach().narrow(0, row, planned.rows[part])
                                         : planned.tensor.detach(),
                        .view = views[part],
                        .transposed = transposed});
    }
    row += planned.rows[part];
    account.rows.push_back({.fate = transposed ? KeyFate::transposed
                                    : merged   ? KeyFate::split
                                               : KeyFate::loaded,
                            .theirs = views[part]->name,
                            .ours = planned.ours,
                            .shape = views[part]->shape});
    take_copies(*views[part], planned, part);
  }
}

// Why a tensor of the file is of no use to this run; empty: nobody knows it.
std::string Import::reason_for(const std::string& name, const std::string& prefix) const {
  for (const IgnoredNames& ignored : names_.ignored) {
    if (glob_matches(std::string(ignored.glob), name)) {
      return std::string(ignored.why);
    }
  }
  const auto is_of = [&](const std::vector<NameRule>& rules, bool of_layer = false) {
    for (const NameRule& rule : rules) {
      for (const std::string_view part : rule.theirs) {
        for (const std::string_view alternative : alternatives_of(part)) {
          std::string pattern(alternative);
          if (pattern.starts_with('@')) {
            pattern.replace(0, 1, prefix);
          }
          const bool fits = match_name(pattern, name) || match_name(pattern, old_name(name));
          if (fits && (!of_layer || pattern.find("{n}") != std::string::npos)) {
            return true;
          }
        }
      }
    }
    return false;
  };
  if (!options_.layers.empty() && is_of(names_.body, /*of_layer=*/true)) {
    return "of a layer that nothing here begins with";
  }
  if (is_of(names_.optional)) {
    return "of a head or pooler that this run does not have";
  }
  for (const HeadNames& head : names_.heads) {
    if (is_of(head.rules)) {
      return "of the head of " + std::string(head.architecture) + ", which this run does not take";
    }
  }
  return "";
}

void Import::take_rest(const std::string& prefix) {
  for (const TensorView& view : files_.tensors()) {
    if (used_.contains(view.name)) {
      continue;
    }
    std::string reason = reason_for(view.name, prefix);
    const bool is_allowed = any_glob_matches(options_.allow_unused, view.name);
    if (reason.empty() && is_allowed) {
      reason = "allowed to be left";
    }
    if (reason.empty()) {
      unknown_.push_back(printable(view.name, 200));
    } else {
      account.rows.push_back(
          {.fate = KeyFate::ignored, .theirs = view.name, .shape = view.shape, .note = reason});
    }
  }
}

std::string listed(const std::string& what, const std::vector<std::string>& names) {
  constexpr size_t kShown = 12;
  if (names.empty()) {
    return "";
  }
  std::string text = "; " + what + ": ";
  for (size_t i = 0; i < std::min(names.size(), kShown); ++i) {
    text += (i > 0 ? ", " : "") + names[i];
  }
  return names.size() > kShown ? fmt::format("{} and {} more", text, names.size() - kShown) : text;
}

void Import::refuse() const {
  const std::string complaints = listed("missing", missing_) + listed("of another shape or type", other_) +
                                 listed("not tied", untied_) + listed("not known", unknown_);
  check(complaints.empty(), "{}: the weights do not fit{}", files_.path(), complaints);
}

}  // namespace

KeyAccount import_weights(Model& model,
                          Objective* objective,
                          const TensorFiles& files,
                          const ModelFromFolder& from,
                          const ImportOptions& options) {
  const NameMap names = family_called(from.family).names(OptionValues(from.options));
  const std::string prefix = FoundTensors(&files, names).prefix();
  Import import(files, names, options);
  const HeadNames* head = names.head_of(options.objective);
  for (const PlannedTensor& planned : plan_weights(model, objective, names, {head, prefix, options.layers})) {
    import.take(planned);
  }
  import.take_rest(prefix);
  import.refuse();
  copy_weights(import.copies);
  return std::move(import.account);
}

}  // namespace lmzoo
