#include "objectives/softmax_rows_impl.h"
