#include "train/exchange/huggingface/peft.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <set>

#include <ATen/core/grad_mode.h>

#include "base/check.h"
#include "base/utf8.h"
#include "core/registry.h"
#include "core/tensor_file.h"
#include "io/files.h"
#include "io/tensor_files.h"
#include "nn/linear.h"
#include "nn/low_rank.h"
#include "train/exchange/huggingface/config.h"
#include "train/exchange/huggingface/family.h"
#include "train/exchange/huggingface/peft_config.h"
#include "train/exchange/huggingface/weight_copy.h"
#include "train/exchange/huggingface/weight_plan.h"
#include "train/yaml/bind.h"

namespace lmzoo {
namespace {

constexpr std::string_view kPrefix = "base_model.model.";
constexpr std::string_view kWeight = ".weight";
constexpr std::string_view kA = ".lora_A.weight", kB = ".lora_B.weight";

// A linear map, or a part of a merged one, that has a name at Hugging Face.
struct MapPlace {
  Linear* linear = nullptr;
  std::string name;  // ours, with the part's
  std::string part;  // empty: all rows
  int64_t rows = 0;
  bool transposed = false;
};

// Everything that an adapter may hold, by the names that it has there.
struct Places {
  std::map<std::string, MapPlace> maps;  // by module
  std::map<std::string, NamedTensor> head;
  std::string prefix;  // of the body
};

std::map<std::string, Linear*> linears_of(Module& owner, const std::string& name) {
  std::map<std::string, Linear*> all;
  for (const auto& item : owner.named_modules(name)) {
    if (auto* linear = dynamic_cast<Linear*>(item.value)) {
      all[item.name] = linear;
    }
  }
  return all;
}

void add_map(const PlannedTensor& planned, Linear& linear, Places& places) {
  const std::string name = planned.ours.substr(0, planned.ours.size() - kWeight.size());
  for (size_t i = 0; i < planned.theirs.size(); ++i) {
    const bool merged = planned.theirs.size() > 1;
    MapPlace place{.linear = &linear,
                   .name = merged ? name + "." + linear.parts.at(i).name : name,
                   .part = merged ? linear.parts.at(i).name : "",
                   .rows = planned.rows[i],
                   .transposed = planned.rule->transposed};
    for (const std::string& theirs : planned.theirs[i]) {
      places.maps[theirs.substr(0, theirs.size() - kWeight.size())] = place;
    }
  }
}

class Mapping {
 public:
  Mapping(const PortableRun& run, const std::string& family) : run_(run) {
    AnyOptions copy = run.model_options;
    options_ = dump_fields(static_cast<GroupRef&>(copy));
    settle("vocab_size", run.model->vocab_rows());
    if (run.model->max_length() < INT64_MAX) {
      settle("max_length", run.model->max_length());
    }
    const Family& chosen = family_called(huggingface_family(run.model_type, options_, {.family = family}));
    names_ = chosen.names(OptionValues(options_));
    head_ = names_.head_of(run.objective_type);
    const bool bare = head_ == nullptr && !OptionValues(options_).flag("lm_head", true);
    usual_prefix_ = bare ? "" : names_.prefixes.front();
    language_task_ = chosen.type == "gpt" ? "CAUSAL_LM" : chosen.type == "t5" ? "SEQ_2_SEQ_LM" : "";
  }

  Places places(const std::string& prefix) const {
    Places places{.maps = {}, .head = {}, .prefix = prefix};
    const auto linears = linears_of(*run_.model, "model");
    for (const PlannedTensor& planned :
         plan_weights(*run_.model, &*run_.objective, names_, {head_, prefix})) {
      if (planned.rule == nullptr) {
        continue;
      }
      const auto linear = linears.find(planned.ours.substr(0, planned.ours.rfind('.')));
      if (planned.head) {
        places.head[planned.theirs.front().front()] = {planned.ours, planned.tensor};
      } else if (linear != linears.end() && planned.ours.ends_with(kWeight)) {
        add_map(planned, *linear->second, places);
      }
    }
    return places;
  }

  // With the prefix under which the file's first addition is known.
  Places places_for(const TensorFiles& files) const {
    for (const std::string_view prefix : names_.prefixes) {
      Places found = places(std::string(prefix));
      for (const TensorView& view : files.tensors()) {
        const std::string_view name = view.name;
        if (name.starts_with(kPrefix) && name.ends_with(kA) &&
            found.maps.contains(
                std::string(name.substr(kPrefix.size(), name.size() - kPrefix.size() - kA.size())))) {
          return found;
        }
      }
    }
    return places(usual_prefix_);
  }

  Places usual_places() const { return places(usual_prefix_); }
  std::string task_type() const {
    return head_ == nullptr                             ? language_task_
           : head_->objective == "classification"       ? "SEQ_CLS"
           : head_->objective == "token_classification" ? "TOKEN_CLS"
           : head_->objective == "question_answering"   ? "QUESTION_ANS"
                                                        : "";
  }

 private:
  void settle(std::string_view key, int64_t value) {
    std::erase_if(options_.entries, [&](const YamlEntry& entry) { return entry.key == key; });
    put(options_, key, value);
  }

  const PortableRun& run_;
  YamlNode options_;
  NameMap names_;
  const HeadNames* head_ = nullptr;
  std::string usual_prefix_;
  std::string language_task_;  // as PEFT names it
};

// One addition of a file.
struct FoundPair {
  const TensorView *a = nullptr, *b = nullptr;
};

struct AdapterFile {
  TensorFiles files;
  std::map<std::string, FoundPair> pairs;                         // by module
  std::vector<std::pair<const TensorView*, std::string>> others;  // and their names without the prefix
};

std::string weights_file(const std::string& folder) {
  for (const char* name : {"/adapter_model.safetensors", "/adapter_model.bin"}) {
    if (std::filesystem::is_regular_file(folder + name)) {
      return folder + name;
    }
  }
  throw InputError(fmt::format("{}: has no adapter_model.safetensors", printable(folder)));
}

AdapterFile open_adapter(const std::string& folder) {
  AdapterFile adapter{.files = TensorFiles::open(weights_file(folder)), .pairs = {}, .others = {}};
  for (const TensorView& view : adapter.files.tensors()) {
    std::string_view name = view.name;
    check(name.starts_with(kPrefix),
          "{}: tensor {} does not begin with {}",
          adapter.files.path(),
          printable(name, 100),
          kPrefix);
    check(is_float_type(view.dtype),
          "{}: tensor {} has the type {}",
          adapter.files.path(),
          printable(name, 100),
          name_of(view.dtype));
    name.remove_prefix(kPrefix.size());
    if (name.ends_with(kA)) {
      adapter.pairs[std::string(name.substr(0, name.size() - kA.size()))].a = &view;
    } else if (name.ends_with(kB)) {
      adapter.pairs[std::string(name.substr(0, name.size() - kB.size()))].b = &view;
    } else {
      adapter.others.emplace_back(&view, name);
    }
  }
  return adapter;
}

std::string shape_text(const std::vector<int64_t>& shape) { return c10::str(at::IntArrayRef(shape)); }

// Names that are nowhere, halves without the other, other shapes: all in one error, before anything changes.
void check_fit(const AdapterFile& adapter, const Places& places) {
  std::vector<std::string> wrong;
  for (const auto& [module, pair] : adapter.pairs) {
    const auto place = places.maps.find(module);
    if (place == places.maps.end()) {
      wrong.push_back(printable(module, 100) + " is no linear map of this model");
      continue;
    }
    if (pair.a == nullptr || pair.b == nullptr) {
      wrong.push_back(module + " lacks its lora_" + (pair.a == nullptr ? "A" : "B"));
      continue;
    }
    const int64_t inputs = place->second.linear->weight.size(1);
    const bool fits = pair.a->shape.size() == 2 && pair.b->shape.size() == 2 && pair.a->shape[0] > 0 &&
                      pair.a->shape[1] == inputs && pair.b->shape[0] == place->second.rows &&
                      pair.b->shape[1] == pair.a->shape[0];
    if (!fits) {
      wrong.push_back(fmt::format("{} is {} and {}, here [r, {}] and [{}, r]",
                                  module,
                                  shape_text(pair.a->shape),
                                  shape_text(pair.b->shape),
                                  inputs,
                                  place->second.rows));
    }
  }
  for (const auto& [view, name] : adapter.others) {
    const auto head = places.head.find(name);
    if (head == places.head.end()) {
      wrong.push_back(printable(name, 100) + " is nothing that this run trains");
    } else if (head->second.tensor.sizes() != at::IntArrayRef(view->shape)) {
      wrong.push_back(fmt::format(
          "{} is {}, here {}", name, shape_text(view->shape), c10::str(head->second.tensor.sizes())));
    }
  }
  check(!adapter.pairs.empty(), "{} has no addition (lora_A, lora_B)", adapter.files.path());
  constexpr size_t kShown = 8;
  const size_t count = wrong.size();
  if (count > kShown) {
    wrong.resize(kShown);
    wrong.push_back(fmt::format("and {} more", count - kShown));
  }
  check(wrong.empty(), "{} does not fit this model: {}", adapter.files.path(), joined(wrong));
}

std::string config_file_of(const std::string& folder) { return folder + "/adapter_config.json"; }

LowRank* adapter_of(const MapPlace& place) {
  int64_t first = 0;
  for (const RowPart& part : place.linear->parts) {
    if (part.name == place.part) {
      break;
    }
    first += part.rows;
  }
  for (const auto& adapter : place.linear->adapters) {
    if (adapter->shape.rows == place.rows && (place.part.empty() || adapter->shape.first == first)) {
      return adapter.get();
    }
  }
  return nullptr;
}

// Copies what check_fit has checked.
AdapterAccount copy_all(const AdapterFile& adapter,
                        const Places& places,
                        const std::function<LowRank&(const MapPlace&, int64_t rank)>& addition) {
  AdapterAccount account;
  std::vector<WeightCopy> copies;
  for (const auto& [module, pair] : adapter.pairs) {
    const MapPlace& place = places.maps.at(module);
    const LowRank& target = addition(place, pair.a->shape[0]);
    copies.push_back({.target = target.a, .view = pair.a});
    copies.push_back({.target = target.b, .view = pair.b});
    account.maps.push_back(place.name);
  }
  for (const auto& [view, name] : adapter.others) {
    const NamedTensor& head = places.head.at(name);
    copies.push_back({.target = head.tensor, .view = view});
    account.head.push_back(head.name);
  }
  copy_weights(copies);
  return account;
}

}  // namespace

AdapterAccount add_adapter(const PortableRun& run, const std::string& folder) {
  const PeftConfig peft = read_peft_config(config_file_of(folder));
  const AdapterFile adapter = open_adapter(folder);
  const Places places = Mapping(run, "").places_for(adapter.files);
  check_fit(adapter, places);
  return copy_all(adapter, places, [&](const MapPlace& place, int64_t rank) -> LowRank& {
    const LoraOptions lora{.rank = rank, .alpha = peft.alpha, .scaling = peft.scaling};
    return place.linear->adapt(place.part, {.rank = rank, .scale = lora.scale(), .dropout = peft.dropout});
  });
}

AdapterAccount fill_adapters(const PortableRun& run, const std::string& folder) {
  const PeftConfig peft = read_peft_config(config_file_of(folder));
  const AdapterFile adapter = open_adapter(folder);
  const Places places = Mapping(run, "").places_for(adapter.files);
  check_fit(adapter, places);
  const LoraOptions wanted{.rank = peft.rank, .alpha = peft.alpha, .scaling = peft.scaling};
  const LoraOptions lora = run.lora.value_or(LoraOptions{});
  std::set<std::string> theirs, ours;
  bool same_ranks = true;
  for (const auto& [module, pair] : adapter.pairs) {
    theirs.insert(places.maps.at(module).name);
    same_ranks = same_ranks && pair.a->shape[0] == lora.rank;
  }
  for (const auto& [module, place] : places.maps) {
    if (adapter_of(place) != nullptr) {
      ours.insert(place.name);
    }
  }
  const bool same = run.lora && same_ranks && ours == theirs && lora.scale() == wanted.scale();
  check(same,
        "{} is another adapter than fine_tune.lora makes; it would be {{rank: {}, alpha: {:g}, scaling: {}, "
        "targets: [{}]}}",
        folder,
        peft.rank,
        peft.alpha,
        name_of(peft.scaling),
        joined({theirs.begin(), theirs.end()}));
  return copy_all(
      adapter, places, [&](const MapPlace& place, int64_t) -> LowRank& { return *adapter_of(place); });
}

AdapterAccount export_adapter(const PortableRun& run, const std::string& folder, const std::string& family) {
  check(run.lora.has_value(), "{} has no low-rank additions (fine_tune.lora)", run.folder);
  check(run.lora->train.empty(),
        "fine_tune.lora.train names weights of the model, which adapter files do not hold; a whole export "
        "does");
  check(!std::filesystem::exists(folder), "{}: is there already; choose another folder", printable(folder));
  const Mapping mapping(run, family);
  const Places places = mapping.usual_places();
  PeftModules modules{.modules = {}, .saved = {}, .transposed = false, .task_type = mapping.task_type()};
  AdapterAccount account;
  NamedTensors tensors;
  std::set<const LowRank*> written;
  for (const auto& [module, place] : places.maps) {
    const LowRank* addition = adapter_of(place);
    if (addition == nullptr || !written.insert(addition).second) {
      continue;
    }
    tensors.push_back({fmt::format("{}{}{}", kPrefix, module, kA), addition->a});
    tensors.push_back({fmt::format("{}{}{}", kPrefix, module, kB), addition->b});
    modules.modules.push_back(module);
    modules.transposed = place.transposed;
    account.maps.push_back(place.name);
  }
  for (const auto& [name, linear] : linears_of(*run.model, "model")) {
    check(
        std::ranges::all_of(linear->adapters, [&](const auto& each) { return written.contains(each.get()); }),
        "{}: an addition to all rows of a merged map, or to a part of one, has no module at Hugging Face; "
        "name the parts, or the whole, in fine_tune.lora.targets",
        name);
  }
  for (const auto& [name, linear] : linears_of(*run.objective, "objective")) {
    check(linear->adapters.empty(),
          "{} has an addition, but adapter files hold heads whole; a whole export merges it",
          name);
  }
  for (const auto& [name, tensor] : places.head) {
    tensors.push_back({fmt::format("{}{}", kPrefix, name), tensor.tensor});
    const std::string module = name.substr(0, name.rfind('.'));
    if (std::ranges::find(modules.saved, module) == modules.saved.end()) {
      modules.saved.push_back(module);
    }
    account.head.push_back(tensor.name);
  }
  StagedFolder staged(folder);
  write_tensors(staged.path() + "/adapter_model.safetensors", tensors, {{"format", "pt"}});
  write_atomically(config_file_of(staged.path()), write_peft_config(*run.lora, modules).dump(2) + "\n");
  staged.commit();
  return account;
}

}  // namespace lmzoo
