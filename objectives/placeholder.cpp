namespace lmzoo {}
