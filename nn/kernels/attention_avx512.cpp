#include "nn/kernels/attention_impl.h"
