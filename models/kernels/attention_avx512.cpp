#include "models/kernels/attention_impl.h"
