"""Conditions -> mels: flow matching by Euler steps, many rows at once.

Each row has its own time, number of steps, guidance, prompt and length, so that rows join and leave
at any step. Noise comes from the row's own seed; a row's mel does not depend on its neighbours.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from .captures import Captures
from .dit import MAX_FRAMES, Estimator
from .packs import Lane, Row, Shaper
from .pinned import to_device
from .precision import Precision, compute_dtype, products
from .types import Voice

_TABLES = 8  # tables of times kept, one per number of steps


class Diffuser:
    """Runs the rows given to it, one Euler step of some of them at each call of :meth:`step`.

    ``budget``: most padded frames of one step. ``device``: where the package's ``cfm`` is. ``exact``: compute no frame
    of padding, default on a CPU. One thread only.
    """

    def __init__(
        self,
        cfm: Any,
        device: torch.device,
        precision: Precision = "fp32",
        budget: int | None = None,
        exact: bool | None = None,
    ) -> None:
        self._device = device
        self._precision: Precision = precision
        self._exact = device.type == "cpu" if exact is None else exact
        self._shaper = Shaper(device, device.type == "cuda")
        self._budget = budget or (12288 if device.type == "cuda" else 4096)
        self._estimator = Estimator(cfm.estimator, device, compute_dtype(precision))
        self._euler = Captures(self._ragged_step, device)
        self._tables: OrderedDict[int, Tensor] = OrderedDict()
        self._lanes: OrderedDict[int, Lane] = OrderedDict()
        self._finished: list[tuple[str, Tensor]] = []
        self._tried: tuple[Row, ...] = ()

    @property
    def rows(self) -> int:
        """Rows that are here."""
        return sum(len(lane.rows) for lane in self._lanes.values()) + len(self._finished)

    @property
    def backlog(self) -> int:
        """Frames times steps that are still to do."""
        return sum(row.length * (row.steps - row.done) for lane in self._lanes.values() for row in lane.rows)

    def busy(self) -> bool:
        """Whether a step has anything to do."""
        return self.rows > 0

    def ids(self) -> list[str]:
        """The rows of a step that has just failed."""
        return [row.id for row in self._tried]

    def add(self, row_id: str, mu: Tensor, voice: Voice, seed: int, steps: int, guidance: float) -> None:
        """Take a row: mu [T, C] is the voice's prompt and then the speech; ``steps`` >= 1.

        The noise is what the package draws on the CPU after ``torch.manual_seed(seed)``.

        Raises:
            ValueError: more than ``MAX_FRAMES`` frames, or no step.
        """
        length, prompt = len(mu), voice.mel.shape[1]
        if length > MAX_FRAMES or steps < 1:
            raise ValueError(
                f"{length} frames in {steps} steps; at most {MAX_FRAMES} frames, at least 1 step"
            )
        if length <= prompt:  # nothing to say
            self._finished.append((row_id, voice.mel.new_zeros(voice.mel.shape[0], 0)))
            return
        noise = torch.randn(voice.mel.shape[0], length, generator=torch.Generator().manual_seed(seed))
        noise[:, :prompt] = 0
        with torch.no_grad(), products(self._precision):
            static = self._estimator.static(mu.float(), voice.mel.float(), voice.style.float())
        x = to_device(noise.T.contiguous(), self._device)
        lane = self._lanes.setdefault(self._shaper.lane(length), Lane())
        lane.rows.append(Row(row_id, x, static, prompt, steps, guidance))

    def cancel(self, row_id: str) -> None:
        """Drop a row; an unknown id is ignored."""
        self._finished = [item for item in self._finished if item[0] != row_id]
        for lane in self._lanes.values():
            lane.rows = [row for row in lane.rows if row.id != row_id]
        # a lane without rows would keep the tensors of its last step
        self._lanes = OrderedDict((edge, lane) for edge, lane in self._lanes.items() if lane.rows)

    def shrink(self) -> bool:
        """Take less memory, after a step that ran out of it; whether that may help. No row has lost anything."""
        several = len(self._tried) > 1
        if several:
            self._budget = len(self._tried) // 2 * max(self._shaper.frames(row.length) for row in self._tried)
        for lane in self._lanes.values():
            lane.dissolve()
        return self._euler.clear() or several

    def prepare(self, shapes: Iterable[tuple[int, int]], steps: int = 25) -> None:
        """Capture the graphs of (rows, frames), on a GPU; other shapes follow as they come up."""
        for rows, frames in shapes:
            x = torch.zeros(frames, self._estimator.channels, device=self._device)
            static = torch.zeros(
                frames, self._estimator.width, dtype=self._estimator.dtype, device=self._device
            )
            pack = self._shaper.pack((Row("", x, static, 0, steps, 0.0),) * rows)
            with torch.no_grad(), products(self._precision):
                self._euler.prepare(pack.x, *pack.fixed, self._times([(steps, 0)] * len(pack.x)))

    @torch.no_grad()
    def step(self) -> list[tuple[str, Tensor]]:
        """One Euler step of the next lane's oldest rows; the rows that it completed, with their mels [80, T - P].

        The lanes take turns, so that a short row does not wait for a long one. A step that raises
        (out of memory) leaves every row as it was.
        """
        while self._lanes:
            edge, lane = self._lanes.popitem(last=False)
            if lane.rows:
                self._lanes[edge] = lane  # at the end of the line
                self._advance(lane)
                break
        done, self._finished = self._finished, []
        return done

    def _advance(self, lane: Lane) -> None:
        self._tried = chosen = self._shaper.choose(lane.rows, self._budget)
        if lane.pack is None or lane.pack.rows != chosen:
            lane.dissolve()
            lane.pack = self._shaper.pack(chosen)
        pack = lane.pack
        spare = chosen[-1:] * (len(pack.x) - len(chosen))  # a row of zeros takes any time
        times = self._times([(row.steps, row.done) for row in chosen + spare])
        run: Callable[..., Tensor] = self._euler
        if pack.whole and not self._shaper.graphed:
            run = self._whole_step
        elif self._exact and not self._shaper.graphed:
            run = partial(self._step_apart, [row.length for row in chosen])
        with products(self._precision):
            x = run(pack.x, *pack.fixed, times)
        complete = [
            (row.id, mel[row.prompt : row.length].T.contiguous())
            for row, mel in zip(chosen, x, strict=False)
            if row.done + 1 == row.steps
        ]
        pack.x = x  # from here on nothing takes memory
        self._tried = ()
        for row in chosen:
            row.done += 1
        if complete:
            lane.dissolve()
            lane.rows = [row for row in lane.rows if row.done < row.steps]
            self._finished += complete

    def _times(self, places: list[tuple[int, int]]) -> Tensor:
        """The rows' entries of their tables, by (steps, steps done): [R, M + 1]."""
        return torch.stack([self._table(steps)[done] for steps, done in places])

    def _table(self, steps: int) -> Tensor:
        """The estimator's table for each step, and in the last column the step's length: [steps, M + 1].

        The packages add up their times step by step, which differs by a rounding.
        """
        if steps not in self._tables:
            times = torch.linspace(0, 1, steps + 1, device=self._device)
            with products(self._precision):
                table = self._estimator.table(times[:-1])
            self._tables[steps] = torch.cat([table, times.diff()[:, None]], dim=1)
            while len(self._tables) > _TABLES:
                self._tables.popitem(last=False)
        self._tables.move_to_end(steps)
        return self._tables[steps]

    def _ragged_step(
        self, x: Tensor, static: Tensor, guidance: Tensor, prompts: Tensor, lengths: Tensor, times: Tensor
    ) -> Tensor:
        """One Euler step of x [R, T, 80]: a pure function of tensors, as a graph needs it."""
        guided, free = self._estimator.velocity(x, static, times[:, :-1], lengths)
        return _moved(x, guided, free, guidance, prompts, lengths, times[:, -1])

    def _step_apart(
        self,
        frames: list[int],
        x: Tensor,
        static: Tensor,
        guidance: Tensor,
        prompts: Tensor,
        lengths: Tensor,
        times: Tensor,
    ) -> Tensor:
        """The same for rows of ``frames``, none of which is padding."""
        guided, free = self._estimator.velocity_apart(x, static, times[:, :-1], frames)
        return _moved(x, guided, free, guidance, prompts, lengths, times[:, -1])

    def _whole_step(
        self, x: Tensor, static: Tensor, guidance: Tensor, prompts: Tensor, lengths: Tensor, times: Tensor
    ) -> Tensor:
        """The same where every row has T frames."""
        guided, free = self._estimator.velocity(x, static, times[:, :-1], None)
        return _moved(x, guided, free, guidance, prompts, lengths, times[:, -1])


def _moved(
    x: Tensor, guided: Tensor, free: Tensor, guidance: Tensor, prompts: Tensor, lengths: Tensor, time: Tensor
) -> Tensor:
    """x [R, T, 80] after ``time`` [R], by classifier-free guidance (Ho & Salimans, 2022); prompts and padding stay 0."""
    weight = guidance[:, None, None]
    velocity = (1 + weight) * guided - weight * free
    frames = torch.arange(x.shape[1], device=x.device)
    kept = (frames >= prompts[:, None]) & (frames < lengths[:, None])
    # where, not a product: a padding frame that became NaN must not spread
    return torch.where(kept[..., None], x + time[:, None, None] * velocity, 0.0)
