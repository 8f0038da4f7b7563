#include "nn/words/compose_impl.h"
