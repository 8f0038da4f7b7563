#include "nn/words/kernels_impl.h"
