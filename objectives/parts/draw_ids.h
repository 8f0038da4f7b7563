// An id for each row from the softmax of its logits, by one number of the stream a row: the id at which the running sum
// of the probabilities passes that number. The same distribution as the largest logit with Gumbel noise, for which a
// number would have to be drawn for every id; and a function of the stream alone, the same on any device.
//
// Legend: K rows, V vocabulary.
#pragma once

#include "base/rng.h"
#include "core/model.h"

namespace lmzoo {

// Row k is given u = shares[k] in [0, 1): [K, V], [K] float64 -> [K] int64.
//     probabilities 0.1 0.2 0.4 0.3    u = 0.35    id 2: 0.1 + 0.2 <= 0.35 < 0.1 + 0.2 + 0.4
Tensor ids_at(const Tensor& logits, const Tensor& shares);

// The same of a projection, without a gradient, a chunk of rows at a time: [K].
Tensor draw_ids(const Projection& projection, Stream& stream);

}  // namespace lmzoo
