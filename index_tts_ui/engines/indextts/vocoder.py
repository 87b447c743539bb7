"""Mels -> samples: BigVGAN over windows of one length, batched across rows."""

from __future__ import annotations

import copy
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .captures import Captures
from .pinned import ToHost
from .precision import Precision, compute_dtype, products
from .windows import Window, cheapest, cut, hop, receptive_field

_ROWS = (1, 2, 3, 4, 6, 8, 12, 16)  # windows of a graph
_LONGEST = 1024  # frames of one window on the CPU: bounds memory


@dataclass(slots=True, eq=False)
class _Row:
    id: str
    mel: Tensor  # [80, N]
    samples: Tensor  # [N * hop]
    left: int  # windows that are not done


@dataclass(slots=True)
class _Job:
    row: _Row
    window: Window
    size: int


class Vocoder:
    """Runs the mels given to it, one batch of equal windows at each call of :meth:`step`.

    On the CPU a row is one window, up to 1,024 frames; on CUDA windows have one of ``sizes`` frames, for whose
    shapes graphs are kept. ``budget``: most frames of one step. One thread only.
    """

    def __init__(
        self,
        bigvgan: Any,
        device: torch.device,
        precision: Precision = "fp32",
        sizes: tuple[int, ...] | None = None,
        budget: int | None = None,
    ) -> None:
        self._device, self._precision = device, precision
        self._dtype = compute_dtype(precision)
        self._model = bigvgan
        if self._dtype is not torch.float32:
            self._model = copy.deepcopy(bigvgan).to(device, self._dtype)
        self.hop, self.halo = hop(bigvgan.h), receptive_field(bigvgan.h)
        self._graphed = device.type == "cuda"
        self._sizes = _sizes(self.halo) if self._graphed and sizes is None else tuple(sizes or ())
        self._budget = budget or 2048
        self._run = Captures(self._forward, device)
        self._jobs: deque[_Job] = deque()
        self._leaving: list[tuple[str, ToHost]] = []
        self._tried: list[_Job] = []

    @property
    def backlog(self) -> int:
        """Frames that are still to be run."""
        return sum(job.size for job in self._jobs)

    def busy(self) -> bool:
        """Whether a step has anything to do."""
        return bool(self._jobs or self._leaving)

    def add(self, row_id: str, mel: Tensor) -> None:
        """Take a mel [80, N]."""
        frames = mel.shape[1]
        samples = mel.new_zeros(frames * self.hop, dtype=torch.float32)
        if not frames:
            self._leaving.append((row_id, ToHost(samples)))
            return
        size = cheapest(frames, self._sizes, self.halo) or frames
        if not self._sizes and frames > _LONGEST:
            size = max(_LONGEST, 4 * self.halo)
        windows = cut(frames, min(size, frames), self.halo)
        row = _Row(row_id, mel, samples, len(windows))
        self._jobs.extend(_Job(row, window, min(size, frames)) for window in windows)

    def ids(self) -> list[str]:
        """The rows of a step that has just failed."""
        return list(dict.fromkeys(job.row.id for job in self._tried))

    def shrink(self) -> bool:
        """Take less memory, after a step that ran out of it; whether that may help. No row has lost anything."""
        several = len(self._tried) > 1
        if several:
            self._budget = len(self._tried) // 2 * self._tried[0].size
        return self._run.clear() or several

    def prepare(self, rows: Iterable[int], sizes: Iterable[int] | None = None) -> None:
        """Capture the graphs of windows of ``sizes`` (all), on a GPU; other shapes follow as they come up."""
        channels = self._model.h.num_mels
        for count, size in product(rows, self._sizes if sizes is None else sizes):
            if count == 1 or count * size <= self._budget:
                mels = torch.zeros(count, channels, size, dtype=self._dtype, device=self._device)
                with torch.no_grad(), products(self._precision):
                    self._run.prepare(mels)

    def cancel(self, row_id: str) -> None:
        """Drop a row; an unknown id is ignored."""
        self._jobs = deque(job for job in self._jobs if job.row.id != row_id)
        self._leaving = [item for item in self._leaving if item[0] != row_id]

    @torch.no_grad()
    def step(self) -> list[tuple[str, NDArray[np.float32]]]:
        """Runs the oldest window and those of its size that fit; the rows that are complete, with samples in [-1, 1].

        A step that raises (out of memory) leaves every row as it was.
        """
        if self._jobs:
            self._tried = self._next()
            self._work(self._tried)
            taken = set(map(id, self._tried))
            self._jobs = deque(job for job in self._jobs if id(job) not in taken)
            self._tried = []
        elif self._leaving:  # nothing else to do
            self._leaving[0][1].wait()
        arrived = [item for item in self._leaving if item[1].arrived()]
        self._leaving = [item for item in self._leaving if item not in arrived]
        return [(row_id, samples.wait().numpy()) for row_id, samples in arrived]

    def _next(self) -> list[_Job]:
        size = self._jobs[0].size
        most = max(1, min(self._budget // size, _ROWS[-1]))
        return [job for job in self._jobs if job.size == size][:most]

    def _work(self, jobs: list[_Job]) -> None:
        mels = torch.stack(
            [job.row.mel[:, job.window.start : job.window.start + job.size] for job in jobs]
        ).to(self._dtype)
        with products(self._precision):
            if jobs[0].size in self._sizes:  # a graph's shape
                spare = _ROWS[bisect_left(_ROWS, len(jobs))] - len(jobs) if self._graphed else 0
                samples = self._run(torch.cat([mels, mels.new_zeros(spare, *mels.shape[1:])]))
            else:
                samples = self._forward(mels)
        for job, made in zip(jobs, samples, strict=False):
            window = job.window
            job.row.samples[window.keep * self.hop : window.end * self.hop] = made[
                (window.keep - window.start) * self.hop : (window.end - window.start) * self.hop
            ]
            job.row.left -= 1
            if not job.row.left:
                self._leaving.append((job.row.id, ToHost(job.row.samples)))

    def _forward(self, mels: Tensor) -> Tensor:
        """[B, 80, L] -> [B, L * hop], float32."""
        return self._model(mels)[:, 0].float()


def _sizes(halo: int) -> tuple[int, ...]:
    """Windows' frames on CUDA, in steps of 64 to 640; the shortest keeps at least as much as it reads on one side."""
    return tuple(range(-(-3 * halo // 64) * 64, 641, 64))
