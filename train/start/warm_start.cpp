#include "train/start/warm_start.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/check.h"
#include "core/tensor_file.h"
#include "train/exchange/huggingface/import.h"
#include "train/saved/checkpoint.h"
#include "train/start/layer_choice.h"

namespace lmzoo {
namespace {

constexpr std::string_view kObjectivePrefix = "objective.";

// How the run's tensors and the file's go together.
struct Match {
  std::vector<std::pair<Tensor, const TensorView*>> copies;
  std::vector<std::string> loaded, missing, extra, reshaped, types;
};

std::string shapes(const NamedTensor& entry, const TensorView& view) {
  return fmt::format(
      "{} {} (here {})", entry.name, c10::str(at::IntArrayRef(view.shape)), c10::str(entry.tensor.sizes()));
}

bool is_number(Dtype dtype) {
  return dtype == Dtype::f32 || dtype == Dtype::f64 || dtype == Dtype::bf16 || dtype == Dtype::f16;
}

Match match(const NamedTensors& wanted,
            const SafetensorsFile& file,
            const LayerChoice& layers,
            bool with_objective) {
  Match result;
  std::set<std::string, std::less<>> names;
  for (const NamedTensor& entry : wanted) {
    if (!with_objective && entry.name.starts_with(kObjectivePrefix)) {
      continue;
    }
    const std::string theirs = layers.source_of(entry.name);
    names.insert(theirs);
    const TensorView* view = file.find(theirs);
    if (view == nullptr) {
      result.missing.push_back(theirs == entry.name ? theirs : entry.name + " (there " + theirs + ")");
      continue;
    }
    const bool same_shape = entry.tensor.sizes() == at::IntArrayRef(view->shape);
    (same_shape ? result.loaded : result.reshaped).push_back(same_shape ? entry.name : shapes(entry, *view));
    if (entry.tensor.is_floating_point() != is_number(view->dtype) ||
        entry.tensor.dim() != static_cast<int64_t>(view->shape.size())) {
      result.types.push_back(fmt::format("{} of type {}", shapes(entry, *view), name_of(view->dtype)));
    }
    result.copies.emplace_back(entry.tensor, view);
  }
  for (const TensorView& view : file.tensors()) {
    const bool is_read = with_objective || !view.name.starts_with(kObjectivePrefix);
    if (!names.contains(view.name) && is_read && !layers.leaves_out(view.name)) {
      result.extra.push_back(view.name);
    }
  }
  return result;
}

// Names that no glob allows; a reshaped entry is "name shape ...".
std::vector<std::string> refused(const std::vector<std::string>& entries,
                                 const std::vector<std::string>& allowed) {
  std::vector<std::string> left;
  for (const std::string& entry : entries) {
    if (!any_glob_matches(allowed, entry.substr(0, entry.find(' ')))) {
      left.push_back(entry);
    }
  }
  return left;
}

// "; missing: a, b and 7 more (warm_start.allow_missing)"
std::string complaint(const std::string& what,
                      const std::vector<std::string>& names,
                      const std::string& remedy) {
  constexpr size_t kShown = 12;
  if (names.empty()) {
    return "";
  }
  std::string text = fmt::format("; {}: ", what);
  for (size_t i = 0; i < std::min(names.size(), kShown); ++i) {
    text += (i > 0 ? ", " : "") + names[i];
  }
  if (names.size() > kShown) {
    text += fmt::format(" and {} more", names.size() - kShown);
  }
  return remedy.empty() ? text : fmt::format("{} (to accept: warm_start.{})", text, remedy);
}

void copy_common_part(const Tensor& target, const Tensor& source) {
  Tensor to = target, from = source;
  for (int64_t d = 0; d < target.dim(); ++d) {
    const int64_t length = std::min(target.size(d), source.size(d));
    to = to.narrow(d, 0, length);
    from = from.narrow(d, 0, length);
  }
  to.copy_(from);
}

void start_from_run(Model& model,
                    Objective& objective,
                    const WarmStartOptions& options,
                    WarmStartReport& report) {
  report.file = warm_start_file(options.from);
  const SafetensorsFile file(report.file);
  Match found = match(weights(model, objective), file, LayerChoice(model, options), options.objective);
  const std::string complaints =
      complaint("missing", refused(found.missing, options.allow_missing), "allow_missing") +
      complaint("left over", refused(found.extra, options.allow_extra), "allow_extra") +
      complaint("of another shape", refused(found.reshaped, options.allow_reshaped), "allow_reshaped") +
      complaint("not comparable", found.types, "");
  check(complaints.empty(), "{} does not fit this model{}", report.file, complaints);
  check(!found.copies.empty(), "{} has nothing of this model", report.file);
  const at::NoGradGuard no_grad;
  for (const auto& [target, view] : found.copies) {
    copy_common_part(target, to_tensor(*view, report.file));
  }
  report.loaded = std::move(found.loaded);
  report.missing = std::move(found.missing);
  report.extra = std::move(found.extra);
  report.reshaped = std::move(found.reshaped);
  report.model_is_whole = report.missing.empty() && report.reshaped.empty();
}

void start_from_published(Model& model,
                          Objective& objective,
                          const WarmStartOptions& options,
                          const std::string& objective_name,
                          WarmStartReport& report) {
  report.file = warm_start_file(options.from);
  const KeyAccount account = import_weights(model,
                                            &objective,
                                            TensorFiles::open(options.from),
                                            read_huggingface_config(options.from),
                                            {.objective = objective_name,
                                             .task_head = options.objective,
                                             .allow_fresh = true,
                                             .layers = LayerChoice(model, options).layers(),
                                             .allow_unused = options.allow_extra});
  for (const KeyRow& row : account.rows) {
    if (row.fate == KeyFate::fresh) {
      report.missing.push_back(row.ours);
      report.model_is_whole = report.model_is_whole && !row.ours.starts_with("model.");
    } else if (row.fate == KeyFate::ignored) {
      report.extra.push_back(row.theirs);
    } else if (report.loaded.empty() || report.loaded.back() != row.ours) {
      report.loaded.push_back(row.ours);
    }
  }
}

}  // namespace

std::string warm_start_file(const std::string& from) {
  if (std::filesystem::is_regular_file(from)) {
    return from;
  }
  if (is_huggingface_folder(from)) {
    check(TensorFiles::is_in(from), "warm_start.from: {}: has no weights", from);
    return from;
  }
  check(std::filesystem::is_directory(from), "warm_start.from: {}: no such run, checkpoint or file", from);
  return resolve_checkpoint(from) + "/model.safetensors";
}

WarmStartReport warm_start(Model& model,
                           Objective& objective,
                           const WarmStartOptions& options,
                           const std::string& objective_name) {
  WarmStartReport report;
  if (is_huggingface_folder(options.from)) {
    start_from_published(model, objective, options, objective_name, report);
  } else if (!options.from.empty()) {
    start_from_run(model, objective, options, report);
  }
  report.frozen = freeze(model, objective, options.freeze);
  return report;
}

}  // namespace lmzoo
