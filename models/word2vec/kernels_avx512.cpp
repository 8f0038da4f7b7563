#include "models/word2vec/kernels_impl.h"
