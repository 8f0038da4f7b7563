#include "models/kernels/attention.h"

namespace lmzoo {

Tensor attention(const AttentionInputs& inputs) { return attention_reference(inputs); }

Tensor self_attention_qkv(const Tensor& qkv,
                          const HeadShape& shape,
                          const Sequences& sequences,
                          const AttentionRule& rule) {
  const Tensor heads = qkv.view({qkv.size(0), shape.heads + 2 * shape.key_heads, shape.width});
  return attention({heads.narrow(1, 0, shape.heads),
                    heads.narrow(1, shape.heads, shape.key_heads),
                    heads.narrow(1, shape.heads + shape.key_heads, shape.key_heads),
                    sequences,
                    sequences,
                    rule})
      .flatten(1);
}

Tensor cross_attention_kv(const CrossInputs& inputs, const AttentionRule& rule) {
  const HeadShape& shape = inputs.shape;
  const Tensor kv = inputs.kv.view({inputs.kv.size(0), 2 * shape.key_heads, shape.width});
  return attention({inputs.q.view({inputs.q.size(0), shape.heads, shape.width}),
                    kv.narrow(1, 0, shape.key_heads),
                    kv.narrow(1, shape.key_heads, shape.key_heads),
                    inputs.queries,
                    inputs.keys,
                    rule})
      .flatten(1);
}

}  // namespace lmzoo
