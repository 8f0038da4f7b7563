// to_json and to_text of plan.h.
#include <cstdio>

#include <fmt/core.h>

#include "base/strings.h"
#include "io/files.h"
#include "train/run/plan.h"

namespace lmzoo {
namespace {

std::string scaled_number(double value, const char* unit) {
  char text[48];
  std::snprintf(text, sizeof text, "%.3g %s", value, unit);
  return text;
}

}  // namespace

Json to_json(const Plan& plan) {
  Json texts = Json::object();
  for (const PlannedText& text : plan.texts) {
    Json& planned = texts[text.name];
    planned = {{"bytes", text.bytes},
               {"tokens", text.tokens},
               {"tokens_estimated", !text.documents},
               {"documents", text.documents ? Json(*text.documents) : Json()},
               {"windows", text.windows ? Json(*text.windows) : Json()},
               {"share", text.share ? Json(*text.share) : Json()}};
    if (text.notes) {
      for (const auto& [name, count] : to_row(*text.notes).counts) {
        if (name != "tokens") {
          planned[name] = count;
        }
      }
    }
  }
  Json phases = Json::array();
  for (const PlannedPhase& phase : plan.phases) {
    Json own = to_json(phase.plan);
    own["name"] = phase.name;
    phases.push_back(std::move(own));
  }
  Json components = Json::object();
  for (const auto& [name, share] : plan.components) {
    components[name] = share;
  }
  return {{"title", plan.title},
          {"parameters", plan.parameters},
          {"trained_parameters", plan.trained},
          {"trained", plan.trained < plan.parameters ? Json(plan.trained_parts) : Json()},
          {"adapted", plan.adapted},
          {"vocabulary", plan.vocabulary},
          {"classes", plan.classes},
          {"raw_length", plan.lengths.raw},
          {"source_length", plan.lengths.source},
          {"target_length", plan.lengths.target},
          {"components", components},
          {"labels_per_window", plan.labels_per_window},
          {"tokens_per_step", plan.tokens_per_step},
          {"flops_per_token", plan.flops_per_token},
          {"flops", plan.flops},
          {"memory_bytes", plan.memory_bytes},
          {"steps", plan.steps ? Json(*plan.steps) : Json()},
          {"epochs", plan.epochs ? Json(*plan.epochs) : Json()},
          {"data", texts},
          {"warnings", plan.warnings},
          {"phases", phases}};
}

namespace {

std::string text_of_phases(const Plan& plan) {
  std::string out;
  std::optional<int64_t> before = 0;
  for (const PlannedPhase& phase : plan.phases) {
    out += "phase " + phase.name;
    if (before && phase.plan.steps) {
      out += fmt::format(", steps {} to {}", grouped(*before + 1), grouped(*before + *phase.plan.steps));
    }
    before = before && phase.plan.steps ? std::optional(*before + *phase.plan.steps) : std::nullopt;
    out += ": " + to_text(phase.plan);
  }
  return out;
}

}  // namespace

std::string to_text(const Plan& plan) {
  if (!plan.phases.empty()) {
    return text_of_phases(plan);
  }
  std::string out = plan.title + "\n";
  const auto line = [&](const std::string& name, const std::string& value) {
    out += "  " + name + std::string(name.size() < 18 ? 18 - name.size() : 1, ' ') + value + "\n";
  };
  line("parameters",
       grouped(plan.parameters) +
           (plan.trained < plan.parameters ? ", of which " + grouped(plan.trained) + " are trained" : ""));
  if (plan.trained < plan.parameters) {
    for (const auto& [name, count] : plan.trained_parts) {
      line("  trained", grouped(count) + " of " + name);
    }
  }
  line("vocabulary",
       grouped(plan.vocabulary) + (plan.classes > 0 ? fmt::format(", {} classes", plan.classes) : ""));
  line("lengths",
       fmt::format("raw {}, source {}, target {}, labels {:g} a full window",
                   plan.lengths.raw,
                   plan.lengths.source,
                   plan.lengths.target,
                   plan.labels_per_window));
  for (const auto& [name, share] : plan.components) {
    line("component", fmt::format("{}, {:.3g} % of the loss", name, 100 * share));
  }
  for (const PlannedText& text : plan.texts) {
    std::string value = (text.documents ? "" : "about ") + grouped(text.tokens) + " tokens";
    if (text.documents) {
      value += " in " + grouped(*text.documents) + " documents, " + grouped(*text.windows) + " windows";
    }
    value += ", " + human_bytes(text.bytes);
    line(text.name, value + (text.share ? fmt::format(", {:.3g} % of the windows", 100 * *text.share) : ""));
  }
  line("a step",
       grouped(plan.tokens_per_step) + " tokens at most, " +
           scaled_number(plan.flops_per_token * static_cast<double>(plan.tokens_per_step) / 1e9, "GFLOP"));
  line("a token", scaled_number(plan.flops_per_token / 1e6, "MFLOP"));
  line("the run",
       (plan.steps ? grouped(*plan.steps) + " steps, " : "") + scaled_number(plan.flops / 1e12, "TFLOP") +
           (plan.epochs ? ", " + scaled_number(*plan.epochs, "epochs") : ""));
  line("memory", "about " + human_bytes(static_cast<uint64_t>(plan.memory_bytes)));
  for (const std::string& warning : plan.warnings) {
    line("note", warning);
  }
  return out;
}

}  // namespace lmzoo
