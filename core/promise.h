// What an objective says of its draws, in a form that anybody can count on any data (`lmzoo inspect --verify`).
//
//   return {promise<Mean>("texts that are cut", {}, [this](const SeenExample& seen, Mean& share) {
//     share.add_case(is_cut(seen.example), options_.rate);
//   })};
//
// A promise reads the draws from the example wherever they can be seen there. Where they cannot (spans that have grown
// together), it draws them again from `stream`, and must say that the example is what they make.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "base/rng.h"
#include "base/sample.h"
#include "core/example.h"
#include "metrics/evidence.h"

namespace lmzoo {

struct SeenExample {
  const Sample& sample;
  const TrainingPlace& place;
  const Stream& stream;  // as it was before the example was drawn
  const Example& example;
};

struct Promise {
  std::string name;
  Evidence evidence;
  std::function<void(const SeenExample&, Evidence&)> count;
};

template <class Kind>
Promise promise(std::string name, Kind evidence, std::function<void(const SeenExample&, Kind&)> count) {
  return {.name = std::move(name),
          .evidence = std::move(evidence),
          .count = [count = std::move(count)](const SeenExample& seen, Evidence& counted) {
            count(seen, std::get<Kind>(counted));
          }};
}
inline Promise always(std::string name, std::function<bool(const SeenExample&)> holds) {
  return promise<Always>(
      std::move(name), {}, [holds = std::move(holds)](const SeenExample& seen, Always& cases) {
        cases.add(holds(seen));
      });
}

}  // namespace lmzoo
