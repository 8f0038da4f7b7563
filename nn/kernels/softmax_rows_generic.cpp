#include "nn/kernels/softmax_rows_impl.h"
