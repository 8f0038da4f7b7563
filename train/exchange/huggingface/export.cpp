#include "train/exchange/huggingface/export.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include <ATen/core/grad_mode.h>

#include "base/check.h"
#include "base/utf8.h"
#include "core/registry.h"
#include "core/tensor_file.h"
#include "io/files.h"
#include "train/exchange/huggingface/family.h"
#include "train/exchange/huggingface/heads.h"
#include "train/exchange/huggingface/sentence_encoder.h"
#include "train/exchange/huggingface/weight_plan.h"
#include "train/yaml/bind.h"

namespace lmzoo {
namespace {

// Replaces (or adds) an option by what the model really has.
void settle(YamlNode& options, std::string_view key, int64_t value) {
  std::erase_if(options.entries, [&](const YamlEntry& entry) { return entry.key == key; });
  put(options, key, value);
}

YamlNode complete_options(const PortableRun& run) {
  AnyOptions copy = run.model_options;
  YamlNode options = dump_fields(static_cast<GroupRef&>(copy));
  settle(options, "vocab_size", run.model->vocab_rows());
  if (run.model->max_length() < INT64_MAX) {
    settle(options, "max_length", run.model->max_length());
  }
  if (run.model->embedding_width() != run.model->width()) {
    settle(options, "embedding_width", run.model->embedding_width());
  }
  return options;
}

// Classes of transformers whose body has a pooler.
bool has_pooler(const Family& family, const std::string& architecture) {
  const bool of_kind = family.model_type == "bert" || family.model_type == "roberta";
  const bool classifier =
      family.model_type == "bert" &&
      (architecture.ends_with("ForSequenceClassification") || architecture.ends_with("ForPreTraining"));
  return of_kind &&
         (architecture == family.body || architecture.ends_with("ForMultipleChoice") || classifier);
}

std::string choose_architecture(const PortableRun& run,
                                const Family& family,
                                const NameMap& names,
                                const YamlNode& options,
                                const std::string& wanted) {
  const HeadNames* head = names.head_of(run.objective_type);
  std::vector<std::string> known{std::string(family.body)};
  const bool speaks = OptionValues(options).flag("lm_head", true);
  const bool has_head = !run.objective->parameters().empty() && !run.objective->only_trains();
  if (speaks) {
    known.emplace_back(family.language);
  }
  if (head != nullptr && has_head && (speaks || !head->with_language)) {
    known.emplace_back(head->architecture);
  }
  check(wanted.empty() || std::ranges::find(known, wanted) != known.end(),
        "--architecture: {} cannot be made of this run; legal: {}{}",
        printable(wanted, 60),
        joined(known),
        suggestion(wanted, known));
  check(!wanted.empty() || head != nullptr || !has_head,
        "{} of Hugging Face has no head for the objective {}; --architecture {} leaves it out",
        family.model_type,
        run.objective_type,
        known.back());
  return wanted.empty() ? known.back() : wanted;
}

TaskHead task_of(const PortableRun& run,
                 const HeadNames* head,
                 const std::string& architecture,
                 const std::string& family) {
  TaskHead task;
  if (head == nullptr || head->architecture != architecture) {
    return task;
  }
  AnyOptions copy = run.objective_options;
  const YamlNode options = dump_fields(static_cast<GroupRef&>(copy));
  check_head(options, family, architecture);
  task.architecture = architecture;
  task.labels = run.classes;
  task.problem_type = problem_type_of(run.objective_type);
  if (task.problem_type == "regression") {
    task.labels = {"LABEL_0"};
  }
  task.dropout = OptionValues(options).real("dropout", 0);
  return task;
}

class Export {
 public:
  struct Class {
    bool speaks = false;         // it has a language-model head
    std::string without_head{};  // why none of the objective's weights is written
  };
  Export(ExportedModel& out, const Family& family, Class kind, std::vector<FurtherModel> further)
      : out_(out), family_(family), class_(std::move(kind)), further_(std::move(further)) {}

  void take(const PlannedTensor& planned) {
    const std::string reason = reason_to_leave(planned);
    if (!reason.empty()) {
      out_.account.rows.push_back({.fate = KeyFate::ignored,
                                   .ours = planned.ours,
                                   .shape = planned.tensor.sizes().vec(),
                                   .note = reason});
      return;
    }
    int64_t row = 0;
    for (size_t part = 0; part < planned.theirs.size(); ++part) {
      const std::string& name = planned.theirs[part].front();
      const bool merged = planned.theirs.size() > 1;
      const bool transposed = planned.rule->transposed && planned.tensor.dim() == 2;
      Tensor tensor = planned.tensor.detach();
      tensor = merged ? tensor.narrow(0, row, planned.rows[part]) : tensor;
      tensor = transposed ? tensor.t() : tensor;
      row += planned.rows[part];
      out_.account.rows.push_back({.fate = transposed ? KeyFate::transposed
                                           : merged   ? KeyFate::split
                                                      : KeyFate::loaded,
                                   .theirs = name,
                                   .ours = planned.ours,
                                   .shape = tensor.sizes().vec()});
      const auto known = std::ranges::find(out_.tensors, name, &NamedTensor::name);
      if (known != out_.tensors.end()) {
        known->tensor = tensor;  // a head's own dense layer stands where the body has its pooler
      } else {
        out_.tensors.push_back({name, tensor});
      }
    }
  }

 private:
  // Empty: it goes into the file.
  std::string reason_to_leave(const PlannedTensor& planned) const {
    for (const FurtherModel& further : further_) {
      if (planned.ours.starts_with("objective." + further.name + ".")) {
        return fmt::format("a model of its own: --model {}", further.name);
      }
    }
    if (planned.head && out_.model.task.architecture.empty()) {
      return class_.without_head;
    }
    if (planned.rule == nullptr) {
      const at::NoGradGuard no_grad;
      check(planned.tensor.count_nonzero().item<int64_t>() == 0,
            "{} has no place in {} of Hugging Face, and is not zero",
            planned.ours,
            out_.architecture);
      return out_.architecture + " has none, and it is zero";
    }
    const bool pooler = planned.optional && planned.ours.starts_with("model.pooler.");
    if (pooler && !has_pooler(family_, out_.architecture)) {
      return out_.architecture + " has no pooler";
    }
    if (planned.optional && !pooler && !class_.speaks) {
      return out_.architecture + " has no language-model head";
    }
    return "";
  }

  ExportedModel& out_;
  const Family& family_;
  Class class_;
  std::vector<FurtherModel> further_;
};

void write_config(const std::string& folder, const ExportedModel& model) {
  write_atomically(folder + "/config.json",
                   write_huggingface_config(model.model, model.architecture).dump(2) + "\n");
}

void write_weights(const std::string& folder, const NamedTensors& tensors, uint64_t max_shard_bytes) {
  std::vector<Tensor> dense;  // keeps copies alive
  std::vector<TensorView> views;
  for (const NamedTensor& entry : tensors) {
    const Tensor& tensor = dense.emplace_back(entry.tensor.to(at::kCPU, at::kFloat).contiguous());
    views.push_back({.name = entry.name,
                     .dtype = Dtype::f32,
                     .shape = tensor.sizes().vec(),
                     .bytes = {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()}});
  }
  write_sharded(folder, views, max_shard_bytes, {{"format", "pt"}});
}

}  // namespace

ExportedModel exported(const PortableRun& run, const ExportOptions& options) {
  ExportedModel out;
  const std::string& type = run.model_type;
  merge_adapters(*run.model, *run.objective);
  out.model.type = type;
  out.model.options = complete_options(run);
  out.model.family = huggingface_family(
      type, out.model.options, {.family = options.family, .objective = run.objective_type});
  const Vocabulary& vocabulary = run.tokenizer->vocabulary();
  out.model.ids.vocab_size = run.model->vocab_rows();
  out.model.ids.pad = vocabulary.pad;
  out.model.ids.bos = vocabulary.bos;
  out.model.ids.eos = vocabulary.eos;
  out.model.asked = run.asked;
  const Family& family = family_called(out.model.family);
  const NameMap names = family.names(OptionValues(out.model.options));
  out.architecture = choose_architecture(run, family, names, out.model.options, options.architecture);
  const HeadNames* head = names.head_of(run.objective_type);
  out.model.task = task_of(run, head, out.architecture, out.model.family);
  const std::string prefix(out.architecture == family.body ? "" : names.prefixes.front());
  const bool speaks = out.architecture == family.language ||
                      (head != nullptr && head->architecture == out.architecture && head->with_language);
  Export writer(
      out,
      family,
      {.speaks = speaks,
       .without_head = run.objective->only_trains() ? run.objective_type + " needs it in training alone"
                                                    : out.architecture + " has no head of a task"},
      run.objective->further_models());
  for (const PlannedTensor& planned : plan_weights(*run.model, &*run.objective, names, {head, prefix})) {
    writer.take(planned);
  }
  return out;
}

KeyAccount export_folder(const PortableRun& run, const std::string& folder, const ExportOptions& options) {
  check(!std::filesystem::exists(folder), "{}: is there already; choose another folder", printable(folder));
  ExportedModel model = exported(run, options);
  StagedFolder staged(folder);
  write_config(staged.path(), model);
  write_weights(staged.path(), model.tensors, options.max_shard_bytes);
  run.tokenizer->save(staged.path());
  if (encodes_sentences(run.asked.ask)) {
    write_sentence_encoder(staged.path(), run.model->width(), run.asked);
  }
  staged.commit();
  return std::move(model.account);
}

}  // namespace lmzoo
