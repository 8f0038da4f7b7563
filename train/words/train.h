// Training of word vectors: threads over steps of the text, updates without locks, checkpoints, resume.
//
// A thread takes the next step (corpus.h) and trains its sentences in order. Where the run stands is one
// number, the steps done over all passes, and every draw is a function of (seed, pass, sentence), so it goes
// on where it was after a signal, with any number of threads.
//
// The same bits every time: one thread always gives them. Several do with train.deterministic: in a round
// each of N threads (a shard) trains about kRoundWords words of a step of its own on copies of the rows that
// it touches; then the changes of all shards are added to the tables, in the order of the shards. So results
// depend on N, and not on timing.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "data/store/token_store.h"
#include "train/config/run_config.h"
#include "train/loop/loop.h"
#include "train/loop/progress.h"
#include "train/saved/checkpoint.h"

namespace lmzoo {

// Everything a run of word vectors is made of; the parts live longer than the run.
struct WordVectorJob {
  const RunConfig& config;
  Model& model;          // word2vec; its tables are trained in place
  Objective& objective;  // skipgram or cbow
  const Vocabulary& vocabulary;
  std::shared_ptr<const TokenStore> store;
  std::string run;  // folder
  bool resume = false;
  int64_t threads = 1;
  std::optional<EvalSet> valid = {};  // judged at the end by the reference loss
  std::map<std::string, std::string> identity = {};
  std::map<std::string, std::string> inputs = {};  // as of TrainJob
  bool other_inputs = false;
  std::vector<TextRow> texts = {};
};

// As train() of train/loop/loop.h, which it stands in for.
TrainResult train_word_vectors(const WordVectorJob& job, ProgressBar& progress);

}  // namespace lmzoo
