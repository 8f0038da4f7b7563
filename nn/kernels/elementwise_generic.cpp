#include "nn/kernels/activation_impl.h"
