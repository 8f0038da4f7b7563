#include "models/word2vec/compose_impl.h"
