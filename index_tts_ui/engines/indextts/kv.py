"""Keys and values of the rows that decode: one static tensor, one slot a row."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .transformer import Attend, causal


def position_bytes(layers: int, width: int, dtype: torch.dtype) -> int:
    """Memory that one position of one slot takes: a key and a value of ``width`` in each layer."""
    return 2 * layers * width * dtype.itemsize


class KvCache:
    """``data`` [2, layer, slot, head, position, dim]: key and value; a row fills its slot from position 0 on.

    The tensor never moves or grows, so that CUDA graphs may refer to it. What lies behind a row's length is
    left over from other rows and is masked; it must be finite, for a masked NaN is still NaN.
    """

    def __init__(
        self,
        layers: int,
        slots: int,
        heads: int,
        max_len: int,
        dim: int,
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        self.data = torch.zeros(2, layers, slots, heads, max_len, dim, dtype=dtype, device=device)
        self._positions = torch.arange(max_len, device=device)
        self._slots = torch.arange(slots, device=device)

    def filling(self, slots: Tensor) -> Attend:
        """Causal attention over whole prefixes that keeps their keys and values; ``slots`` [B], their slots."""

        def attend(layer: int, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
            length = key.shape[2]
            self.data[0, layer][slots, :, :length] = key
            self.data[1, layer][slots, :, :length] = value
            return causal(layer, query, key, value)

        return attend

    def stepping(self, rows: int, length: int, at: Tensor) -> Attend:
        """Attention of one new position of slots 0 to ``rows``, over the first ``length`` positions.

        ``at`` [rows]: the position that each row writes, and the last one that it sees; of the rows that
        count it is below ``length``.
        """
        index = self._slots[:rows]
        visible = self._positions[:length] <= at[:, None]
        # Added to the scores, made once for all layers; a mask of booleans would be converted in each.
        bias = torch.zeros(rows, length, dtype=self.data.dtype, device=self.data.device)
        bias = bias.masked_fill_(~visible, float("-inf"))[:, None, None]

        def attend(layer: int, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
            keys, values = self.data[0, layer], self.data[1, layer]
            keys[index, :, at] = key[:, :, 0]
            values[index, :, at] = value[:, :, 0]
            return F.scaled_dot_product_attention(
                query, keys[:rows, :, :length], values[:rows, :, :length], attn_mask=bias
            )

        return attend

    def move(self, source: int, target: int, length: int) -> None:
        """Copy the first ``length`` positions of one slot to another."""
        self.data[:, :, target, :, :length] = self.data[:, :, source, :, :length]

    def clear(self, slot: int) -> None:
        """Zeros, after a row whose numbers ran out of range."""
        self.data[:, :, slot] = 0
