#include "metrics/seqeval.h"

#include "base/error.h"
#include "metrics/golden.h"
#include "support/catch.h"

using namespace lmzoo;
using lmzoo::test::near;

namespace {

std::optional<TagScheme> scheme_of(const Json& name) {
  static const std::map<std::string, TagScheme> known{{"iob1", TagScheme::iob1},
                                                      {"iob2", TagScheme::iob2},
                                                      {"ioe1", TagScheme::ioe1},
                                                      {"ioe2", TagScheme::ioe2},
                                                      {"iobes", TagScheme::iobes},
                                                      {"bilou", TagScheme::bilou}};
  return name.is_null() ? std::nullopt : std::optional(known.at(name.get<std::string>()));
}

}  // namespace

TEST_CASE("entities and their scores are seqeval's, in its default mode and in every strict scheme") {
  for (const Json& one : test::golden_metrics("seqeval")) {
    const auto scheme = scheme_of(one["scheme"]);
    INFO(one.dump());
    EntityCounts counts;
    for (size_t i = 0; i < one["truth"].size(); ++i) {
      const auto truth = one["truth"][i].get<test::Texts>(),
                 predicted = one["predicted"][i].get<test::Texts>();
      Json found = Json::array();
      for (const Entity& entity : find_entities(predicted, scheme)) {
        found.push_back({entity.type, entity.begin, entity.end});
      }
      CHECK(found == one["found"][i]);
      add_counts(counts, count_entities(truth, predicted, scheme));
    }
    const EntityScores scores = entity_scores(counts);
    CHECK(near(scores.micro, one["micro"]));
    if (!counts.empty()) {  // the mean over no type is no number there
      CHECK(near(scores.macro, one["macro"]));
      CHECK(near(scores.weighted, one["weighted"]));
    }
  }
}

TEST_CASE("tags of no scheme are refused by name") {
  for (const char* tag : {"", "X-PER", "b-PER", "-", "\xFF"}) {
    CHECK_THROWS_AS(find_entities(test::Texts{tag}), InputError);
    CHECK_THROWS_AS(find_entities(test::Texts{tag}, TagScheme::iobes), InputError);
  }
  CHECK_THROWS_WITH(find_entities(test::Texts{"S-PER"}, TagScheme::iob2),
                    "tag 'S-PER' begins with none of I O B");
  CHECK_THROWS_AS(count_entities(test::Texts{"O"}, test::Texts{}), std::logic_error);
}

TEST_CASE("a sentence of no word has no entity") {
  CHECK(find_entities({}).empty());
  CHECK(find_entities({}, TagScheme::iob2).empty());
  CHECK(entity_scores({}).micro.f1 == 0);
}
