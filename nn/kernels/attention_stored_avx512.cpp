#include "nn/kernels/attention_stored_impl.h"
