// Whole runs of word vectors: the corpus in steps, determinism, resume, and odd corpora.
#include <filesystem>
#include <functional>
#include <random>
#include <sstream>

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/tensor.h>

#include "base/words/huffman.h"
#include "core/tensor_file.h"
#include "io/json.h"
#include "support/catch.h"
#include "support/files.h"
#include "train/debug_configs.h"
#include "train/run/assemble.h"
#include "train/run/run_folder.h"
#include "train/words/corpus.h"
#include "train/words/train.h"
#include "train/words/work.h"

using namespace lmzoo;
using test::read_file;
using test::registry;
using test::TempDir;
using test::write_file;

namespace {

// Sentences of two topics: words of one never stand beside words of the other.
std::string two_topics(int lines, uint64_t words = 20) {
  std::mt19937_64 random(1);
  std::string text;
  for (int i = 0; i < lines; ++i) {
    for (int j = 0; j < 10; ++j) {
      text += (i % 2 == 0 ? "a" : "b") + std::to_string(random() % words) + " ";
    }
    text += "\n";
  }
  return text;
}

struct Trained {
  TrainResult result;
  Tensor tokens, outputs;
  LoadedConfig loaded;
  std::shared_ptr<const Tokenizer> tokenizer;
};

// Trains `text` as the program does.
Trained train_words(const TempDir& dir,
                    const std::string& text,
                    std::vector<std::string> changes,
                    int64_t threads = 1,
                    const std::string& name = "run",
                    const std::function<void()>& before_evaluation = {}) {
  write_file(dir / "corpus.txt", text);
  changes.insert(changes.begin(), "data.train.files=[" + (dir / "corpus.txt") + "]");
  changes.insert(changes.begin(), "data.cache_dir=" + (dir / "cache"));
  std::vector<Override> overrides;
  for (const std::string& change : changes) {
    overrides.push_back(parse_override(change));
  }
  LoadedConfig loaded = read_run_config("configs/debug/skipgram.yaml", overrides, registry());
  const std::string run = dir / name;
  const bool goes_on = is_run(run);
  WordVectorParts made = assemble_word_vectors(
      loaded, registry(), goes_on ? tokenizer_folder(run) : "", ProgressBar::Style::silent);
  write_run_folder(run, loaded.config, *made.tokenizer, {});
  if (before_evaluation) {
    made.valid->open = [before_evaluation, open = made.valid->open] {
      before_evaluation();
      return open();
    };
  }
  ProgressBar bar("", "", ProgressBar::Style::silent);
  const TrainResult result = train_word_vectors({.config = loaded.config,
                                                 .model = *made.parts.model,
                                                 .objective = *made.parts.objective,
                                                 .vocabulary = made.parts.vocabulary,
                                                 .store = made.store,
                                                 .run = run,
                                                 .resume = goes_on,
                                                 .threads = threads,
                                                 .valid = made.valid},
                                                bar);
  const auto parameters = made.parts.model->named_parameters();
  return {result,
          parameters["tokens.weight"].detach().clone(),
          parameters["outputs.weight"].detach().clone(),
          loaded,
          made.tokenizer};
}

// Of all words, the share whose nearest other word is of the same topic. The cosines are of the vectors less
// their mean: what all words have in common says nothing.
double same_topic_share(const Trained& run, int words) {
  std::vector<int64_t> rows;
  for (const std::string topic : {"a", "b"}) {
    for (int i = 0; i < words; ++i) {
      rows.push_back(run.tokenizer->id_of(topic + std::to_string(i)).value());
    }
  }
  const Tensor vectors = run.tokens.index_select(0, at::tensor(rows));
  const Tensor centered = vectors - vectors.mean(0, true);
  const Tensor unit = centered / centered.norm(2, 1, true);
  const Tensor nearest = (unit.matmul(unit.t()) - 2 * at::eye(2 * words)).argmax(1);
  return ((nearest >= words) == (at::arange(2 * words) >= words)).to(at::kDouble).mean().item<double>();
}

}  // namespace

TEST_CASE("steps of a corpus hold every sentence once, long documents in pieces") {
  TempDir dir;
  std::string text = "short one\n";
  for (int i = 0; i < 25'500; ++i) {
    text += "x ";
  }
  text += "\n";
  for (int i = 0; i < 3000; ++i) {
    text += "y y y\n";
  }
  const Trained run = train_words(dir, text, {"train.epochs=1", "tokenizer.min_count=1"});
  const auto store = assemble_word_vectors(run.loaded, registry(), "", ProgressBar::Style::silent).store;
  const WordCorpus corpus(store, 1000);
  CHECK(corpus.words() == 2 + 25'500 + 9000);
  CHECK(corpus.steps() == 4);
  int64_t next = 0;
  std::vector<Sentence> sentences;
  for (int64_t step = 0; step < corpus.steps(); ++step) {
    corpus.sentences(step, sentences);
    for (const Sentence& sentence : sentences) {
      CHECK(sentence.first == next);
      CHECK(sentence.first / kStepWords == step);
      CHECK((sentence.count > 0 && sentence.count <= 1000));
      next += sentence.count;
    }
  }
  CHECK(next == corpus.words());
  CHECK(run.result.state.tokens == corpus.words());
}

TEST_CASE("one thread, and a fixed schedule of several, give the same bits every time", "[threads]") {
  const std::string text = two_topics(9000);
  for (const int64_t threads : {1, 2, 3}) {
    TempDir one, two;
    const std::vector<std::string> changes{"train.epochs=2"};
    const Trained first = train_words(one, text, changes, threads);
    const Trained second = train_words(two, text, changes, threads);
    CHECK(first.result.state.step == 18);
    CHECK(at::equal(first.tokens, second.tokens));
    CHECK(first.result.last_loss == second.result.last_loss);
  }
}

TEST_CASE("a run that goes on is the uninterrupted one", "[threads]") {
  const std::string text = two_topics(9000);
  for (const int64_t threads : {1, 2}) {
    TempDir whole, parts;
    const std::vector<std::string> changes{"train.epochs=2", "train.save_every=7", "train.keep_last=9"};
    const Trained expected = train_words(whole, text, changes, threads);
    train_words(parts, text, changes, threads);
    // As if it had been killed after its first checkpoint.
    for (const std::string& folder : list_checkpoints(parts / "run")) {
      if (folder != list_checkpoints(parts / "run").front()) {
        std::filesystem::remove_all(folder);
      }
    }
    REQUIRE(list_checkpoints(parts / "run").size() == 1);
    const Trained again = train_words(parts, text, changes, threads);
    CHECK(again.result.resumed_at == (threads == 1 ? 7 : 8));
    CHECK(at::equal(again.tokens, expected.tokens));
    CHECK(again.result.state.tokens == expected.result.state.tokens);
  }
}

TEST_CASE("rows of a run of word vectors that was stopped and goes on are those of the uninterrupted one") {
  const std::string text = two_topics(9000);
  const auto losses = [](const std::string& run) {
    std::string all;
    std::istringstream lines(read_file(run + "/metrics.jsonl"));
    for (std::string line; std::getline(lines, line);) {
      const Json row = parse_json(line, "row");
      all += row.at("step").dump() + " " + row.at("loss").dump() + " " + row.at("tokens").dump() + "\n";
    }
    return all;
  };
  for (const int64_t threads : {1, 2}) {
    TempDir whole, parts;
    const std::vector<std::string> changes{
        "train.epochs=2", "train.save_every=7", "train.keep_last=9", "train.log_every=4"};
    train_words(whole, text, changes, threads);
    train_words(parts, text, changes, threads);
    for (const std::string& folder : list_checkpoints(parts / "run")) {
      if (folder != list_checkpoints(parts / "run").front()) {
        std::filesystem::remove_all(folder);
      }
    }
    train_words(parts, text, changes, threads);
    CHECK(losses(parts / "run") == losses(whole / "run"));
  }
}

TEST_CASE("word vectors are saved before they are evaluated") {
  TempDir dir;
  write_file(dir / "valid.txt", two_topics(60));
  std::vector<std::string> saved;
  train_words(dir, two_topics(600), {"data.valid={files: [" + (dir / "valid.txt") + "]}"}, 1, "run", [&] {
    saved = list_checkpoints(dir / "run");
  });
  CHECK_FALSE(saved.empty());
}

TEST_CASE("words of one topic come to lie together, in all four ways and with free threads", "[threads]") {
  const std::string objective =
      GENERATE(as<std::string>(),
               "{type: skipgram, sample: 0}",
               "{type: skipgram, sample: 0, share_negatives: none, sigmoid: table}",
               "{type: skipgram, sample: 0, share_negatives: window}",
               "{type: skipgram, sample: 0, output: hierarchical_softmax}",
               "{type: cbow, sample: 0}",
               "{type: cbow, sample: 0, output: hierarchical_softmax, cbow_mean: false}");
  INFO(objective);
  TempDir dir;
  // So many words that the threads seldom want the same row.
  constexpr int kWords = 200;
  const Trained run = train_words(dir,
                                  two_topics(8000, kWords),
                                  {"objective=" + objective, "train.epochs=6", "train.deterministic=false"},
                                  2);
  CHECK(same_topic_share(run, kWords) >= 0.9);
}

TEST_CASE(
    "many threads of the fixed schedule learn what one learns: their changes do not add up without bound") {
  const std::string output = GENERATE(as<std::string>(), "negative_sampling", "hierarchical_softmax");
  TempDir dir;
  constexpr int kWords = 200;
  const Trained run = train_words(
      dir, two_topics(16'000, kWords), {"objective={type: skipgram, sample: 0, output: " + output + "}"}, 16);
  CHECK(same_topic_share(run, kWords) >= 0.9);
}

TEST_CASE("held-out text is judged by the reference loss at the end, and training lowers it") {
  TempDir dir;
  write_file(dir / "valid.txt", two_topics(60));
  const std::vector<std::string> changes{"data.valid={files: [" + (dir / "valid.txt") + "]}"};
  const auto loss_after = [&](const std::string& epochs) {
    auto all = changes;
    all.push_back("train.epochs=" + epochs);
    const Trained run = train_words(dir, two_topics(4000), all, 1, "run" + epochs);
    REQUIRE(run.result.valid);
    return run.result.valid->loss();
  };
  CHECK(loss_after("8") < loss_after("1"));
}

TEST_CASE("the held-out loss is that of every pair, summed by hand over the saved tables") {
  TempDir dir;
  write_file(dir / "valid.txt", "a0 a1 a2 a0\nb5\nnowhere b1 nowhere b0\n");
  // A window of 1 is always 1 wide and a tree has no negatives: nothing is random.
  const Trained run =
      train_words(dir,
                  two_topics(500),
                  {"data.valid={files: [" + (dir / "valid.txt") + "]}",
                   "objective={type: skipgram, output: hierarchical_softmax, window: 1, sample: 0}",
                   "train.epochs=5"});
  const HuffmanTree tree(*run.tokenizer->vocabulary().counts);
  const auto row = [&](const std::string& word) { return run.tokenizer->id_of(word).value(); };
  double sum = 0;
  int pairs = 0;
  for (const auto& [around, word] : std::vector<std::pair<std::string, std::string>>{{"a1", "a0"},
                                                                                     {"a0", "a1"},
                                                                                     {"a2", "a1"},
                                                                                     {"a1", "a2"},
                                                                                     {"a0", "a2"},
                                                                                     {"a2", "a0"},
                                                                                     {"b0", "b1"},
                                                                                     {"b1", "b0"}}) {
    const auto nodes = tree.nodes(row(word));
    for (size_t i = 0; i < nodes.size(); ++i) {
      const double score = run.tokens[row(around)].dot(run.outputs[nodes[i]]).item<double>();
      sum += std::log1p(std::exp(tree.branches(row(word))[i] == 0 ? -score : score));
    }
    ++pairs;
  }
  REQUIRE(run.result.valid);
  CHECK(run.result.valid->loss() == Approx(sum / pairs).epsilon(1e-5));
  CHECK(sum / pairs < 0.95 * std::log(40));  // what untrained vectors have
}

TEST_CASE("load_run reads a finished run of word vectors") {
  TempDir dir;
  const Trained run = train_words(dir, two_topics(500), {"train.epochs=1"});
  const LoadedRun loaded = load_run(dir / "run", registry(), "cpu");
  CHECK(at::equal(loaded.parts.model->named_parameters()["tokens.weight"], run.tokens));
  CHECK(loaded.tokenizer->vocabulary().counts->size() == 40);
  CHECK(std::filesystem::exists(dir / "run/tokenizer/words.tsv"));
}

TEST_CASE("a corpus of one word is trained without harm") {
  for (const std::string output : {"negative_sampling", "hierarchical_softmax"}) {
    TempDir dir;
    const Trained run =
        train_words(dir, "word word word\nword\n", {"train.epochs=2", "objective.output=" + output});
    CHECK(run.tokens.size(0) == 1);
    CHECK(run.tokens.isfinite().all().item<bool>());
  }
}

TEST_CASE("a vocabulary without words is refused with the counts") {
  TempDir dir;
  CHECK_THROWS_WITH(train_words(dir, "one two three\n", {"tokenizer.min_count=5"}),
                    Catch::Contains("min_count: is 5, but none of the 3 different words occurs so often"));
}

TEST_CASE("a learning rate that leaves the range of numbers is an error, and no checkpoint is written") {
  TempDir dir;
  for (const std::string threads : {"1", "2"}) {
    const std::string name = "run" + threads;
    CHECK_THROWS_WITH(train_words(dir,
                                  two_topics(300),
                                  {"optimizer.lr=1e30", "train.epochs=3000", "train.log_every=1"},
                                  std::stoi(threads),
                                  name),
                      Catch::Contains("the loss is not finite any more"));
    CHECK(list_checkpoints(dir / name).empty());
    // It is seen within a few steps, not when the run is over.
    const std::string rows = test::read_file(dir / (name + "/metrics.jsonl"));
    CHECK(std::count(rows.begin(), rows.end(), '\n') < 20);
  }
}

TEST_CASE("defaults and refusals of word vectors") {
  const auto read = [](const std::string& config, std::vector<std::string> changes) {
    std::vector<Override> overrides;
    for (const std::string& change : changes) {
      overrides.push_back(parse_override(change));
    }
    return read_run_config("configs/debug/" + config + ".yaml", overrides, registry()).config;
  };
  const RunConfig cbow = read("skipgram", {"objective={type: cbow}", "optimizer={}"});
  CHECK(cbow.optimizer.lr == 0.05);
  CHECK(cbow.optimizer.type == "sgd");
  CHECK(cbow.schedule.type == ScheduleType::linear);
  CHECK(cbow.data.sequence_length == 1000);
  CHECK(word_learning_rate(cbow, 0, 100) == 0.05);
  CHECK(word_learning_rate(cbow, 50, 100) == Approx(0.025));
  CHECK(word_learning_rate(cbow, 100, 100) == Approx(0.05e-4));
  CHECK(parse_run_config(to_yaml(dump(cbow)), "again.yaml", {}, registry()).config.train.epochs == 20);
  CHECK_THROWS_WITH(read("skipgram", {"objective={type: masked_lm}"}), Catch::Contains("skipgram and cbow"));
  CHECK_THROWS_WITH(read("bert", {"objective={type: skipgram}"}), Catch::Contains("model word2vec only"));
  CHECK_THROWS_WITH(read("skipgram", {"tokenizer={type: byte}"}), Catch::Contains("needs words"));
  CHECK_THROWS_WITH(read("skipgram", {"train={steps: 5}"}), Catch::Contains("give train.epochs"));
  CHECK_THROWS_WITH(read("skipgram", {"train.precision=bf16"}), Catch::Contains("no effect on word vectors"));
  CHECK_THROWS_WITH(read("bert", {"train.epochs=3"}),
                    Catch::Contains("beside train.steps = ") && Catch::Contains("give one of them"));
  CHECK_THROWS_WITH(read("bert", {"optimizer.type=sgd"}), Catch::Contains("is for model word2vec"));
}
