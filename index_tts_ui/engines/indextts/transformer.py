"""The transformer of both versions: the package's GPT-2 blocks, with the attention left to the caller."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

# (layer, query, key, value), each [B, H, S, d], to the attention's output [B, H, S, d].
Attend = Callable[[int, Tensor, Tensor, Tensor], Tensor]


class Transformer:
    """Pre-norm GPT-2 blocks (Radford et al. 2019, "Language Models are Unsupervised Multitask Learners").

    The package's modules hold the weights; only the order of the calls is ours, so that prefill, decode step
    and latent pass share one body and differ in where keys and values go.
    """

    def __init__(self, gpt2: nn.Module, heads: int) -> None:
        self.blocks: list[Any] = list(gpt2.h)  # type: ignore[arg-type]
        self.norm: Any = gpt2.ln_f
        self.layers = len(self.blocks)
        self.heads = heads

    def forward(self, x: Tensor, attend: Attend) -> Tensor:
        """``x`` [B, S, D], positions already added, to the hidden states [B, S, D] behind the last norm."""
        rows, length, width = x.shape
        shape = (rows, length, 3, self.heads, width // self.heads)
        for layer, block in enumerate(self.blocks):
            query, key, value = block.attn.c_attn(block.ln_1(x)).view(shape).permute(2, 0, 3, 1, 4)
            seen = attend(layer, query, key, value).transpose(1, 2).reshape(rows, length, width)
            x = x + block.attn.c_proj(seen)
            # Both packages use the tanh form of GELU; this is the same formula in one kernel.
            inner = F.gelu(block.mlp.c_fc(block.ln_2(x)), approximate="tanh")
            x = x + block.mlp.c_proj(inner)
        return self.norm(x)

    def causal(self, x: Tensor) -> Tensor:
        """Plain causal attention: of rows padded on the right, the padding touches nothing before it."""
        return self.forward(x, causal)


def causal(layer: int, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """See ``Attend``: every position sees itself and those before it."""
    return F.scaled_dot_product_attention(query, key, value, is_causal=True)
