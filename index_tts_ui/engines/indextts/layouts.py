"""How rows of unequal length lie in one tensor, and what each layout does where rows must not meet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from .wavenet import WaveNet, mirrored


class Layout(Protocol):
    """B and T: of the tensors that it lays out. A row's numbers: [rows, ...]."""

    def moved(self, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """x [B, T, D] * scale + shift, each row by its own [rows, D]."""

    def attention(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Each [B, T, heads, size]; a frame attends to those of its row."""

    def waves(self, net: WaveNet, x: Tensor, gates: Tensor) -> Tensor:
        """x [B, T, H] through the WaveNet, gates [rows, L * 2 * H] -> [B, T, H]."""


class Padded:
    """Rows side by side, B of them, padded at their ends to T frames. ``lengths`` [B]; None: there is no padding."""

    def __init__(self, frames: int, lengths: Tensor | None) -> None:
        self._frames = frames
        self._lengths = lengths
        self._mask: Tensor | None = None
        if lengths is not None:
            self._mask = (torch.arange(frames, device=lengths.device) < lengths[:, None])[:, None, None]

    def moved(self, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """See ``Layout``."""
        return torch.addcmul(shift[:, None], x, scale[:, None])

    def attention(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """See ``Layout``."""
        q, k, v = (item.transpose(1, 2) for item in (q, k, v))
        return F.scaled_dot_product_attention(q, k, v, attn_mask=self._mask).transpose(1, 2)

    def waves(self, net: WaveNet, x: Tensor, gates: Tensor) -> Tensor:
        """See ``Layout``."""
        mirror = None if self._lengths is None else mirrored(self._lengths, self._frames, net.reach)
        return net(x.transpose(1, 2), gates, mirror).transpose(1, 2)


class EndToEnd:
    """Rows of ``lengths`` frames one behind the other, T in all; B: how often all of them are there."""

    def __init__(self, lengths: Sequence[int]) -> None:
        self._spans = tuple(pairwise(accumulate(lengths, initial=0)))

    def joined(self, x: Tensor) -> Tensor:
        """[rows, frames, D], padded -> [T, D]."""
        return torch.cat([row[: end - begin] for row, (begin, end) in zip(x, self._spans, strict=True)])

    def padded(self, x: Tensor, like: Tensor) -> Tensor:
        """The inverse of :meth:`joined`: in the shape of ``like``, with zeros as padding."""
        made = torch.zeros_like(like)
        for row, (begin, end) in zip(made, self._spans, strict=True):
            row[: end - begin] = x[begin:end]
        return made

    def moved(self, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """See ``Layout``."""
        made = torch.empty_like(x)
        for row, (begin, end) in enumerate(self._spans):
            torch.addcmul(shift[row], x[:, begin:end], scale[row], out=made[:, begin:end])
        return made

    def attention(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """See ``Layout``."""
        parts = zip(*(self._parts(item) for item in (q, k, v)), strict=True)
        made = [F.scaled_dot_product_attention(*(item.transpose(1, 2) for item in part)) for part in parts]
        return torch.cat([item.transpose(1, 2) for item in made], dim=1)

    def waves(self, net: WaveNet, x: Tensor, gates: Tensor) -> Tensor:
        """See ``Layout``."""
        made = [
            net(part.transpose(1, 2), gates[row : row + 1], None) for row, part in enumerate(self._parts(x))
        ]
        return torch.cat([item.transpose(1, 2) for item in made], dim=1)

    def _parts(self, x: Tensor) -> Iterator[Tensor]:
        return (x[:, begin:end] for begin, end in self._spans)
