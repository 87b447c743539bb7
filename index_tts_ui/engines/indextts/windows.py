"""How a mel is cut into windows of one length for the vocoder, so that windows of any rows share a batch.

The vocoder is a stack of convolutions: a sample depends on a bounded stretch of the mel. A window is run with at least
that much of the row's own mel around what is kept of it. At the row's true ends there is nothing to
add, so there a window begins or ends with the row, and the vocoder pads it as it would pad the row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

_EDGE_TAPS = 7  # of the first and last convolution
_FILTER_TAPS = 12  # of the low-pass filters around each activation, at twice the rate
_ACTIVATION = (2 * _FILTER_TAPS // 2 - 1) // 2  # samples at each side that an activation reads


@dataclass(frozen=True, slots=True)
class Window:
    """``size`` frames of a row from ``start`` on, of which those from ``keep`` to ``end`` (of the row) are used."""

    start: int
    keep: int
    end: int


def hop(config: Mapping[str, Any]) -> int:
    """Samples per frame."""
    return prod(config["upsample_rates"])


def receptive_field(config: Mapping[str, Any]) -> int:
    """Frames before or after a frame (the larger of both) that its samples depend on.

    ``config``: BigVGAN's (Lee et al., 2023) with resblocks of type "1". The stretch that is read is
    followed from the samples of frame 0 back to the mel, layer by layer.
    """
    low, high = 0, hop(config) - 1
    edge, block = _EDGE_TAPS // 2, _block_reach(config)
    low, high = low - edge - _ACTIVATION, high + edge + _ACTIVATION
    for rate, taps in reversed(
        list(zip(config["upsample_rates"], config["upsample_kernel_sizes"], strict=True))
    ):
        low, high = low - block, high + block
        pad = (taps - rate) // 2
        # output sample m of a transposed convolution reads the inputs i with m + pad - taps < i * rate <= m + pad
        low, high = -((taps - 1 - pad - low) // rate), (high + pad) // rate
    return max(edge - low, high + edge)


def _block_reach(config: Mapping[str, Any]) -> int:
    """Samples at each side that the widest residual block reads, at its own rate."""
    return max(
        sum((taps - 1) // 2 * (dilation + 1) + 2 * _ACTIVATION for dilation in dilations)
        for taps, dilations in zip(
            config["resblock_kernel_sizes"], config["resblock_dilation_sizes"], strict=True
        )
    )


def cut(frames: int, size: int, halo: int) -> list[Window]:
    """Windows of ``size`` that cover a row of ``frames`` >= ``size``; each kept frame has ``halo`` frames around it, or the row's end."""
    if frames == size:
        return [Window(0, 0, frames)]
    if size <= 2 * halo:
        raise ValueError(f"windows of {size} frames keep nothing beside a halo of {halo}")
    windows, done = [], 0
    while done < frames:
        start = max(0, min(done - halo, frames - size))
        end = frames if start + size == frames else start + size - halo
        windows.append(Window(start, done, end))
        done = end
    return windows


def cheapest(frames: int, sizes: Sequence[int], halo: int) -> int:
    """Which of ``sizes`` covers a row with the fewest frames in all; 0 where the row is shorter than any."""
    costs = [(len(cut(frames, size, halo)) * size, -size) for size in sizes if size <= frames]
    return -min(costs)[1] if costs else 0
