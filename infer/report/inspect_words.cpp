#include "infer/report/inspect_words.h"

#include <utility>

#include "base/check.h"
#include "base/utf8.h"
#include "io/html_escape.h"

namespace lmzoo {
namespace {

// The leaf below the last question of a path: no other word has it.
int64_t word_at_end(const HuffmanTree& tree, const IdGroup& group, int64_t words) {
  for (int64_t word = 0; word < words; ++word) {
    const auto nodes = tree.nodes(word);
    const bool same =
        !nodes.empty() && nodes.back() == group.outputs.back() && nodes.size() == group.outputs.size();
    if (same && (tree.branches(word).back() == 0) == (group.labels.back() == 1)) {
      return word;
    }
  }
  return -1;
}

std::string pieces_of(const std::vector<InspectedToken>& tokens) {
  std::string out;
  for (const InspectedToken& token : tokens) {
    out += (out.empty() ? "" : " ") + printable(token.piece, 40);
  }
  return out;
}

// "22:0 17:1", from the root on.
std::string path_of(const InspectedGroup& group) {
  std::string out;
  for (const auto& [node, branch] : group.path) {
    out += fmt::format("{}{}:{}", out.empty() ? "" : " ", node, branch);
  }
  return out;
}

std::string told_from(const InspectedGroup& group) {
  return group.path.empty() ? "not " + (group.negatives.empty() ? "(nothing)" : pieces_of(group.negatives))
                            : "path " + path_of(group);
}

std::vector<InspectedGroup> groups_of(const WordTask& task,
                                      const Tokenizer& tokenizer,
                                      const std::vector<int64_t>& sentence,
                                      uint64_t seed) {
  const auto token = [&](int64_t id) { return InspectedToken{id, tokenizer.piece(id)}; };
  GroupMaker maker(task);
  maker.begin(sentence, seed);
  std::vector<InspectedGroup> groups;
  for (IdGroup ids; maker.next(ids);) {
    InspectedGroup& group = groups.emplace_back();
    for (size_t i = 0; i < ids.inputs.size(); ++i) {
      group.inputs.insert(group.inputs.end(), static_cast<size_t>(ids.input_times[i]), token(ids.inputs[i]));
    }
    if (task.tree) {
      group.word = token(word_at_end(*task.tree, ids, task.words()));
      for (size_t i = 0; i < ids.outputs.size(); ++i) {
        group.path.emplace_back(ids.outputs[i], ids.labels[i] == 1 ? 0 : 1);
      }
      continue;
    }
    group.word = token(ids.outputs.front());
    for (size_t i = 1; i < ids.outputs.size(); ++i) {
      group.negatives.insert(
          group.negatives.end(), static_cast<size_t>(ids.output_times[i]), token(ids.outputs[i]));
    }
  }
  return groups;
}

}  // namespace

std::vector<InspectedExample> inspect_sentences(const WordTask& task,
                                                const WordCorpus& corpus,
                                                const Tokenizer& tokenizer,
                                                const InspectWords& what) {
  std::vector<InspectedExample> examples;
  std::vector<Sentence> sentences;
  for (int64_t step = 0; step < corpus.steps() && std::ssize(examples) < what.count; ++step) {
    corpus.sentences(step, sentences);
    for (size_t i = 0; i < sentences.size() && std::ssize(examples) < what.count; ++i) {
      std::vector<int64_t> ids;
      corpus.read(sentences[i], ids);
      InspectedExample& example = examples.emplace_back();
      example.window = examples.size() - 1;
      example.text = tokenizer.decode(ids);
      for (const int64_t id : ids) {
        example.ids.push_back({id, tokenizer.piece(id)});
      }
      example.groups = groups_of(task, tokenizer, ids, sentence_seed(what.seed, 0, sentences[i]));
    }
  }
  return examples;
}

std::string to_terminal(const std::vector<InspectedGroup>& groups, bool color) {
  std::string out;
  for (const InspectedGroup& group : groups) {
    const std::string word = printable(group.word.piece, 40);
    out += fmt::format("  around    {}\n  predict   {}\n            {}\n",
                       pieces_of(group.inputs),
                       color ? "\033[1;32m" + word + "\033[0m" : word,
                       told_from(group));
  }
  return out;
}

std::string to_html(const std::vector<InspectedGroup>& groups) {
  std::string out = "<div class=\"grid\">";
  for (const InspectedGroup& group : groups) {
    out += "<div class=\"cell\"><span>" + html_escape(pieces_of(group.inputs)) +
           "</span><span class=\"label\">" + html_escape(printable(group.word.piece, 40)) + "</span><small>" +
           html_escape(told_from(group)) + "</small></div>";
  }
  return out + "</div>\n";
}

Json to_json(const std::vector<InspectedGroup>& groups) {
  const auto token = [](const InspectedToken& one) { return Json{{"id", one.id}, {"piece", one.piece}}; };
  Json all = Json::array();
  for (const InspectedGroup& group : groups) {
    Json inputs = Json::array(), negatives = Json::array(), path = Json::array();
    for (const InspectedToken& one : group.inputs) {
      inputs.push_back(token(one));
    }
    for (const InspectedToken& one : group.negatives) {
      negatives.push_back(token(one));
    }
    for (const auto& [node, branch] : group.path) {
      path.push_back({{"node", node}, {"branch", branch}});
    }
    all.push_back(
        {{"inputs", inputs}, {"word", token(group.word)}, {"negatives", negatives}, {"path", path}});
  }
  return all;
}

}  // namespace lmzoo
