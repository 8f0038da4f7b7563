#include "core/torch_error.h"

#include <c10/util/Logging.h>

namespace lmzoo {

void throw_when_memory_is_out() { FLAGS_caffe2_use_fatal_for_enforce = false; }

}  // namespace lmzoo
