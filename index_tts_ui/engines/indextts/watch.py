"""How long each stage of the pipeline takes."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import torch


class Watch:
    """Seconds by stage. ``exact``: wait for ``device`` (a GPU) before each reading, which costs time; otherwise
    its work counts where somebody waits for it."""

    def __init__(self, device: torch.device, exact: bool) -> None:
        self._device = device
        self._exact = exact and device.type == "cuda"
        self._seconds: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def of(self, stage: str) -> Iterator[None]:
        """Add the block's time to ``stage``, also where it raises."""
        began = self._now()
        try:
            yield
        finally:
            self._seconds[stage] += self._now() - began

    def seconds(self) -> dict[str, float]:
        """By stage, rounded to milliseconds."""
        return {stage: round(value, 3) for stage, value in self._seconds.items()}

    def clear(self) -> None:
        """Forget all."""
        self._seconds.clear()

    def _now(self) -> float:
        if self._exact:
            torch.cuda.synchronize(self._device)
        return time.perf_counter()
