"""Self-attention of torch's own module, with prepacked projections."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from explorer.engine.linear import PackedLinear
from explorer.engine.operations import Gradients, Saved

_ATEN = torch.ops.aten


@dataclass(frozen=True)
class SelfAttention:
    """Attention of ``heads`` over the rows [N, L, E] (Vaswani et al. 2017, arXiv 1706.03762)."""

    inner: PackedLinear
    outer: PackedLinear
    heads: int

    @staticmethod
    def supports(part: nn.MultiheadAttention) -> bool:
        """Whether queries, keys and values come from one matrix, and nothing else is added."""
        return (
            part.batch_first
            and part._qkv_same_embed_dim
            and part.bias_k is None
            and not part.add_zero_attn
            and not (part.training and part.dropout > 0)
        )

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        rows = inputs[0].contiguous()
        n, length, width = rows.shape
        parts = self.inner.forward(rows).view(n, length, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4).unbind()
        output, logsumexp = _ATEN._scaled_dot_product_flash_attention_for_cpu.default(
            query, key, value
        )
        joined = output.transpose(1, 2).reshape(n, length, width)
        return self.outer.forward(joined), (query, key, value, output, logsumexp)

    def backward(self, gradient: Tensor, saved: Saved, partial: Gradients) -> Gradients:
        query, key, value, output, logsumexp = saved
        n, heads, length, width = query.shape
        inner = self.outer.input_gradient(gradient.contiguous())
        inner = inner.view(n, length, heads, width).transpose(1, 2)
        gradients = _ATEN._scaled_dot_product_flash_attention_for_cpu_backward.default(
            inner, query, key, value, output, logsumexp, 0.0, False
        )
        joined = torch.stack(gradients).permute(1, 3, 0, 2, 4).reshape(n, length, -1)
        # The sum reaches the query, key and value of each row alike.
        first = None if partial[0] is None else partial[0].contiguous()
        return (self.inner.input_gradient(joined, first),)
