"""The diffusion's rows, and how several of them are laid side by side."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

import torch
from torch import Tensor

from .pinned import upload

# Rows share a batch with others of the same lane: beyond 256 frames, at most a third of a batch is padding.
_LANES = tuple(frames for power in range(8, 16) for frames in (1 << power, 3 << (power - 1)))
_ROWS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)  # rows of a graph
_STRIDE = 128  # a graph's frames are a multiple of this


@dataclass(slots=True, eq=False)
class Row:
    """One mel on its way. T: frames of prompt and speech."""

    id: str
    x: Tensor  # [T, 80], what the noise has become
    static: Tensor  # [T, D], see Estimator.static
    prompt: int  # frames
    steps: int
    guidance: float
    done: int = 0  # steps

    @property
    def length(self) -> int:
        """Frames."""
        return len(self.x)


@dataclass(slots=True)
class Pack:
    """Rows side by side, padded at their ends; kept while the same rows go on."""

    rows: tuple[Row, ...]
    x: Tensor  # [R, T, 80]
    fixed: tuple[Tensor, ...]  # static [R, T, D], guidance, prompts, lengths [R]

    @property
    def whole(self) -> bool:
        """Whether there is no padding."""
        return len(self.rows) == len(self.x) and all(row.length == self.x.shape[1] for row in self.rows)


@dataclass(slots=True)
class Lane:
    """Rows of about the same length, oldest first."""

    rows: list[Row] = field(default_factory=list)
    pack: Pack | None = None

    def dissolve(self) -> None:
        """Give the rows back what became of them."""
        if self.pack is not None:
            for row, x in zip(self.pack.rows, self.pack.x, strict=False):
                row.x = x[: row.length]
            self.pack = None


@dataclass(frozen=True, slots=True)
class Shaper:
    """Which shapes batches have. ``graphed``: few ones, for each of which there is a graph."""

    device: torch.device
    graphed: bool

    def lane(self, length: int) -> int:
        """The lane of a row, by its most frames."""
        return _LANES[bisect_left(_LANES, length)]

    def frames(self, length: int) -> int:
        """What a row is padded to."""
        return -(-length // _STRIDE) * _STRIDE if self.graphed else length

    def choose(self, rows: list[Row], budget: int) -> tuple[Row, ...]:
        """The oldest rows that fit into ``budget`` padded frames, at least one."""
        longest, count = 0, 0
        for row in rows[: _ROWS[-1]]:
            longest = max(longest, self.frames(row.length))
            if count and longest * (count + 1) > budget:
                break
            count += 1
        return tuple(rows[:count])

    def pack(self, rows: tuple[Row, ...]) -> Pack:
        """``rows`` side by side; for a graph padded to its number of rows, by rows that stay zero."""
        frames = self.frames(max(row.length for row in rows))
        count = _ROWS[bisect_left(_ROWS, len(rows))] if self.graphed else len(rows)
        x = rows[0].x.new_zeros(count, frames, rows[0].x.shape[1])
        static = rows[0].static.new_zeros(count, frames, rows[0].static.shape[1])
        for index, row in enumerate(rows):
            x[index, : row.length] = row.x
            static[index, : row.length] = row.static
        spare = count - len(rows)
        guidance = upload([row.guidance for row in rows] + [0.0] * spare, self.device, torch.float32)
        prompts = upload([row.prompt for row in rows] + [frames] * spare, self.device)
        lengths = upload([row.length for row in rows] + [frames] * spare, self.device)
        return Pack(rows, x, (static, guidance, prompts, lengths))
