"""The encoded clips: made a few at a time, kept by content, least recently used out first.

A clip is wanted in a role: as a *speaker* it gives a ``Voice``, as an *emotion* a vector [D]. A segment pins
what it names, wants it, waits until all is there, and unpins at its end. Called from the engine thread only.
"""

from __future__ import annotations

import logging
from collections import Counter, OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .clips import ClipError, read
from .encoder import ClipEncoder, GptAdapter, Heard, Role
from .types import Voice

log = logging.getLogger(__name__)

Item = tuple[str, Role]  # a clip's sha256, and what it is for
ROWS_ON_A_GPU = 4  # clips in one step: 60 s of sound, 3000 frames of w2v-bert, at most


@dataclass(frozen=True, slots=True)
class Encoded:
    """An item that is done: it can be got now, or ``code`` (of ``errors.MESSAGES``) says why it cannot."""

    item: Item
    code: str = ""
    message: str = ""
    retryable: bool = False


class Conditioner:
    """Queue, encoder and cache of reference clips.

    Args:
        modules: the loaded checkpoint.
        gpt: the adapter of its GPT.
        clips: the folder of canonical clips, ``<sha256>.wav``.
        max_bytes: of encoded clips to keep; what is pinned, and the newest, stay beyond it.
        max_rows: clips in one step. By default one on a CPU, where batching saves nothing and a clip's
            numbers then never depend on its neighbours, bit for bit.
    """

    def __init__(
        self, modules: Any, gpt: GptAdapter, clips: Path, max_bytes: int, max_rows: int | None = None
    ) -> None:
        self._encoder = ClipEncoder(modules, gpt)
        self._clips = clips
        self._max_bytes = max_bytes
        default = 1 if modules.mean.device.type == "cpu" else ROWS_ON_A_GPU
        self._max_rows = default if max_rows is None else max_rows
        self._waiting: deque[Item] = deque()
        self._kept: OrderedDict[Item, Voice | Tensor] = OrderedDict()  # oldest first
        self._pins: Counter[Item] = Counter()
        self._bytes = 0
        self._counts = Counter(hits=0, misses=0, evictions=0, failures=0)

    def wanted(self, items: Iterable[Item]) -> bool:
        """Queue what is not there yet. True where all is there already."""
        missing = False
        for item in items:
            if item in self._kept:
                self._counts["hits"] += 1
                self._kept.move_to_end(item)
                continue
            missing = True
            if item not in self._waiting:
                self._counts["misses"] += 1
                self._waiting.append(item)
        return not missing

    def busy(self) -> bool:
        """Whether :meth:`step` has anything to do."""
        return bool(self._waiting)

    def step(self) -> list[Encoded]:
        """Encode the next few clips. A bad clip, or too little memory, is a result and not an exception."""
        items, clips, failed = self._next()
        if not clips:
            return failed
        values = self._encoded(clips)
        if values is None:
            return failed + self._short_of_memory(items)
        for item, value in zip(items, values, strict=True):
            self._keep(item, value)
        return failed + [Encoded(item) for item in items]

    def voice(self, key: str) -> Voice | None:
        """The clip as a speaker, where it is encoded."""
        value = self.get((key, "speaker"))
        return value if isinstance(value, Voice) else None

    def emotion(self, key: str) -> Tensor | None:
        """The clip's emotion [D], where it is encoded."""
        value = self.get((key, "emotion"))
        return value if isinstance(value, Tensor) else None

    def get(self, item: Item) -> Voice | Tensor | None:
        """What ``item`` gives, where it is encoded."""
        if item in self._kept:
            self._kept.move_to_end(item)
        return self._kept.get(item)

    def pin(self, items: Iterable[Item]) -> None:
        """Keep these (also ones that are still to come) until as many :meth:`unpin`."""
        self._pins.update(items)

    def unpin(self, items: Iterable[Item]) -> None:
        """Undo one :meth:`pin`; what nobody waits for any more is not encoded."""
        for item in items:
            self._pins[item] -= 1
            if self._pins[item] > 0:
                continue
            del self._pins[item]
            if item in self._waiting:
                self._waiting.remove(item)
        self._shrink()

    def stats(self) -> dict[str, int]:
        """Figures for metrics: clips and bytes kept, pinned, waiting, and how often the cache helped."""
        kept, pinned = len(self._kept), sum(item in self._pins for item in self._kept)
        sizes = {"clips": kept, "clip_bytes": self._bytes, "clips_pinned": pinned}
        counts = {f"clip_{name}": count for name, count in self._counts.items()}
        return sizes | {"clips_waiting": len(self._waiting)} | counts

    def _next(self) -> tuple[list[Item], list[Heard], list[Encoded]]:
        """Take up to ``max_rows`` readable clips off the queue."""
        items: list[Item] = []
        clips: list[Heard] = []
        failed: list[Encoded] = []
        while self._waiting and len(clips) < self._max_rows:
            item = self._waiting.popleft()
            try:
                clips.append(self._encoder.hear(read(self._clips, item[0]), item[1]))
                items.append(item)
            except ClipError as error:
                self._counts["failures"] += 1
                failed.append(Encoded(item, error.code, str(error)))
        return items, clips, failed

    def _encoded(self, clips: list[Heard]) -> list[Voice | Tensor] | None:
        """None where memory is short; returned, since a caught error's traceback would hold the tensors."""
        try:
            return self._encoder.encode(clips)
        except torch.OutOfMemoryError:
            return None

    def _short_of_memory(self, items: list[Item]) -> list[Encoded]:
        """Let go of what can go; several clips are tried again by halves, a single one fails."""
        self._shrink(to=0)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        if len(items) > 1:
            self._max_rows = len(items) // 2
            self._waiting.extendleft(reversed(items))
            log.warning("out of memory with %d reference clips at once: trying fewer", len(items))
            return []
        self._counts["failures"] += 1
        return [Encoded(items[0], "out_of_memory", "encoding a reference clip", retryable=True)]

    def _keep(self, item: Item, value: Voice | Tensor) -> None:
        self._kept[item] = value
        self._bytes += value.nbytes
        self._shrink()

    def _shrink(self, to: int | None = None) -> None:
        """Drop the least recently used that nobody pins; never the newest, or a small limit would starve a wait."""
        limit = self._max_bytes if to is None else to
        for item in list(self._kept)[:-1]:
            if self._bytes <= limit:
                return
            if item not in self._pins:
                self._bytes -= self._kept.pop(item).nbytes
                self._counts["evictions"] += 1
