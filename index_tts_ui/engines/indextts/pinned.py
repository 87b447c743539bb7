"""Tensors between host and device without waiting.

A plain copy waits until the GPU has done all that was queued before it, and holds up every stage meanwhile. From
and to pinned memory it takes its place in the queue. On the CPU nothing is copied.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """The tensor on ``device``; ready for whatever is queued there from now on."""
    if device.type != "cuda":
        return tensor.to(device)
    # The pinned copy may be dropped at once: torch keeps its memory until the copy has been made.
    return tensor.pin_memory().to(device, non_blocking=True)


def upload(values: Sequence[Any], device: torch.device, dtype: torch.dtype = torch.long) -> Tensor:
    """``values`` as a tensor on ``device``."""
    return to_device(torch.tensor(values, dtype=dtype), device)


class ToHost:
    """A tensor on its way to the host."""

    def __init__(self, tensor: Tensor) -> None:
        self._event: Any = None
        self._source = tensor  # kept until the copy has been made
        self._tensor = tensor
        if tensor.is_cuda:
            self._tensor = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
            self._tensor.copy_(tensor, non_blocking=True)
            self._event = torch.cuda.Event()
            self._event.record()

    def arrived(self) -> bool:
        """Whether :meth:`wait` would return at once."""
        return self._event is None or self._event.query()

    def wait(self) -> Tensor:
        """The tensor, on the host."""
        if self._event is not None:
            self._event.synchronize()
        return self._tensor
