#include "models/kernels/activation_impl.h"
