"""gensim's Word2Vec on a file of one sentence a line. Prints one JSON object: raw words, seconds of training alone, words/s.

    python peer_gensim.py CORPUS [--width 300] [--cbow] [--hs] [--threads 2] [--epochs 1] [--seed 1] [--out FILE]
    python peer_gensim.py CORPUS --serve      a line of such options on stdin for each answer; words are counted once
"""
import argparse
import json
import sys
import time

from gensim.models import Word2Vec


def parser():
    made = argparse.ArgumentParser()
    made.add_argument("--width", type=int, default=300)
    made.add_argument("--cbow", action="store_true")
    made.add_argument("--hs", action="store_true")
    made.add_argument("--threads", type=int, default=2)
    made.add_argument("--epochs", type=int, default=1)
    made.add_argument("--seed", type=int, default=1)
    made.add_argument("--sample", type=float, default=1e-3)
    made.add_argument("--lr", type=float)
    made.add_argument("--out", help="word2vec text file for the vectors")
    return made


def train(corpus, options, counted=None):
    model = Word2Vec(
        vector_size=options.width, window=5, min_count=5, sample=options.sample, sg=int(not options.cbow),
        hs=int(options.hs), negative=0 if options.hs else 5, workers=options.threads, seed=options.seed,
        alpha=options.lr or (0.05 if options.cbow else 0.025), min_alpha=0.0001, epochs=options.epochs)
    if counted is None:
        model.build_vocab(corpus_file=corpus)
    else:
        model.build_vocab_from_freq(counted.raw_counts, corpus_count=counted.corpus_count)
        model.corpus_total_words = counted.corpus_total_words
    begin = time.perf_counter()
    model.train(corpus_file=corpus, total_examples=model.corpus_count, total_words=model.corpus_total_words,
                epochs=options.epochs)
    seconds = time.perf_counter() - begin
    words = model.corpus_total_words * options.epochs
    if options.out:
        model.wv.save_word2vec_format(options.out)
    return {"words": words, "seconds": seconds, "words_per_s": words / seconds}


def serve(corpus):
    counted = Word2Vec(min_count=5)
    counted.build_vocab(corpus_file=corpus)
    counted.raw_counts = {word: counted.wv.get_vecattr(word, "count") for word in counted.wv.index_to_key}
    for line in sys.stdin:
        print(json.dumps(train(corpus, parser().parse_args(line.split()), counted)), flush=True)


def main():
    given = argparse.ArgumentParser(parents=[parser()], conflict_handler="resolve", add_help=False)
    given.add_argument("corpus")
    given.add_argument("--serve", action="store_true")
    options = given.parse_args()
    if options.serve:
        serve(options.corpus)
    else:
        print(json.dumps(train(options.corpus, options)))


if __name__ == "__main__":
    main()
