"""Continuous batching of the GPT: rows join and leave at any step, each with its own length and rules.

A step feeds every row's last code, writes its key and value at the row's own length, attends to the row's own
past and chooses the next code, all on static tensors without a word from the host. The host reads back which
rows have ended, on a GPU one step late, so that the device never waits for it. (The scheduling follows
Yu et al. 2022, "Orca": iteration-level batching.)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from .gpt import Gpt
from .graphs import Graphs, Shape
from .kv import KvCache, position_bytes
from .pinned import upload
from .rows import BROKEN, COUNT, ENDED, LAST, LENGTH, RUNNING, STOPPED, Rows
from .sampler import CANDIDATES, choose
from .types import Decoded, Sampling

PREFILL_POSITIONS = 4096  # padded positions of one prefill: what bounds its time and memory


@dataclass(slots=True, eq=False)
class _Row:
    id: str
    prefix: Tensor  # [S, D]
    rules: Sampling
    limit: int
    slot: int = -1  # -1: waits for its prefill, or has left
    base: int = 0  # its length is base + the number of steps so far

    @property
    def wide(self) -> bool:
        return not self.rules.greedy and not 0 < self.rules.top_k <= CANDIDATES


# A step's rows with their slots, its copy of ``Rows.ints``, and what tells that the copy is there.
_Report = tuple[list[tuple[_Row, int]], Tensor, "torch.cuda.Event | None"]


class Decoder:
    """The rows that decode, at most ``slots``; one thread.

    ``max_len``: positions of a slot, for prefix and codes. ``lag``: by how many steps the host reads late;
    ``padded``: whether steps come in few shapes, for CUDA graphs; default 1 and yes on a GPU, 0 and no elsewhere.
    """

    def __init__(
        self,
        gpt: Gpt,
        slots: int,
        max_len: int,
        lag: int | None = None,
        padded: bool | None = None,
        prefill_positions: int = PREFILL_POSITIONS,
    ) -> None:
        self.gpt = gpt
        self.slots, self.max_len = slots, max_len
        self.device = gpt.device
        dim = gpt.width // gpt.heads
        self._cache = KvCache(gpt.layers, slots, gpt.heads, max_len, dim, gpt.dtype, self.device)
        most = min(gpt.max_codes, max_len)
        self._state = Rows(slots, most, gpt.vocabulary, gpt.start, gpt.stop, self.device)
        self._graphs = Graphs(self._compute, self.device)
        on_gpu = self.device.type == "cuda"
        self._lag = int(on_gpu) if lag is None else lag
        self._padded = on_gpu if padded is None else padded
        self._prefill_positions = prefill_positions
        self._joining: deque[_Row] = deque()
        self._slots: list[_Row | None] = [None] * slots
        self._live: list[_Row] = []
        self._reports: deque[_Report] = deque()
        self._spoilt: set[int] = set()  # slots to be zeroed before their next row
        self._mailbox: list[Tensor] = []
        if on_gpu:
            self._mailbox = [
                torch.empty(slots, 7, dtype=torch.long, pin_memory=True) for _ in range(self._lag + 2)
            ]
        self._steps = 0

    @staticmethod
    def slot_bytes(gpt: Gpt, max_len: int) -> int:
        """Memory of one slot of ``max_len`` positions."""
        return max_len * position_bytes(gpt.layers, gpt.width, gpt.dtype)

    @property
    def free(self) -> int:
        """How many more rows may be added now."""
        return self.slots - len(self._live) - len(self._joining)

    @property
    def busy(self) -> bool:
        """Whether a step has anything to do."""
        return bool(self._live or self._joining)

    @property
    def graphs(self) -> int:
        """CUDA graphs captured so far."""
        return len(self._graphs)

    def add(self, row_id: str, prefix: Tensor, rules: Sampling) -> None:
        """Let a row in; it is prefilled with the next step. ``prefix`` [S, D], see ``Gpt.prefix``.

        Where the slot has not ``rules.max_codes`` places behind the prefix, the row is cut at what it has.

        Raises:
            ValueError: no slot is free, or the prefix fills a slot by itself.
        """
        limit = min(rules.max_codes, self.gpt.max_codes, self.max_len - len(prefix))
        if self.free <= 0:
            raise ValueError(f"all {self.slots} slots of the decoder are taken")
        if limit <= 0:
            raise ValueError(f"the text takes {len(prefix)} positions, the decoder has {self.max_len}")
        self._joining.append(_Row(row_id, prefix, rules, limit))

    def cancel(self, row_id: str) -> None:
        """Forget a row; unknown ids are ignored. What the device still does for it is overwritten."""
        self._joining = deque(row for row in self._joining if row.id != row_id)
        for row in [row for row in self._live if row.id == row_id]:
            self._leave(row, spoilt=True)  # nobody will know whether its numbers were sound

    @torch.no_grad()
    def step(self) -> list[Decoded]:
        """Prefill those who wait, decode one code of every row; the rows that have ended.

        A row whose numbers ran out of range (fp16) comes back with no codes and ``complete`` False.

        Raises:
            torch.OutOfMemoryError: even for a single prefix, or for the step. All rows are still there and as
                they were: the step may be tried again, with fewer rows.
        """
        if self._joining:
            self._prefill()
        if not self._live:
            self._reports.clear()
            return []
        self._compact()
        self._graphs.run(self._shape())
        self._steps += 1
        self._reports.append(self._report())
        done: list[Decoded] = []
        while len(self._reports) > self._lag:
            done += self._settle(*self._reports.popleft())
        return done

    @torch.no_grad()
    def prepare(self, rows: Iterable[int], lengths: Iterable[int]) -> None:
        """Capture the CUDA graphs of these numbers of rows and positions, before any row is in."""
        bounds = sorted({self._length_bucket(length) for length in lengths})
        counts = sorted({self._row_bucket(count) for count in rows})
        self._graphs.prepare((count, bound, False) for bound in bounds for count in counts)

    def _prefill(self) -> None:
        """Take in as many waiting rows as one pass may hold."""
        batch: list[_Row] = []
        longest = 0
        while self._joining:
            longest = max(longest, len(self._joining[0].prefix))
            if batch and (len(batch) + 1) * longest > self._prefill_positions:
                break
            batch.append(self._joining.popleft())
        for row in batch:
            row.slot = self._take(row)
            row.base = len(row.prefix) - self._steps
        self._live += batch
        try:
            self._fill(batch)
            return
        except torch.OutOfMemoryError:
            if len(batch) == 1:
                self._put_back(batch)
                raise
        # Outside of the except clause, whose traceback keeps the tensors alive: in smaller parts, next time.
        self._put_back(batch)
        self._prefill_positions = len(batch) * longest // 2

    def _put_back(self, batch: list[_Row]) -> None:
        for row in batch:
            self._leave(row, spoilt=True)
        self._joining.extendleft(reversed(batch))

    def _fill(self, batch: list[_Row]) -> None:
        slots = upload([row.slot for row in batch], self.device)
        lengths = [len(row.prefix) for row in batch]
        padded = torch.nn.utils.rnn.pad_sequence([row.prefix for row in batch], batch_first=True)
        hidden = self.gpt.transformer.forward(padded, self._cache.filling(slots))
        last = upload(lengths, self.device) - 1
        self._state.join(slots, lengths, [row.limit for row in batch], [row.rules for row in batch])
        ends = hidden[torch.arange(len(batch), device=self.device), last]
        self._advance(ends, slots, any(row.wide for row in batch), 0)
        for row in batch:
            row.prefix = row.prefix.new_empty(0)  # a slice would keep the whole

    def _compute(self, rows: int, length: int, wide: bool) -> None:
        """The step of slots 0 to ``rows``: static tensors in, static tensors out (see ``Graphs``)."""
        live = slice(0, rows)
        ints = self._state.ints[live]
        x = self.gpt.code_embeds(ints[:, LAST], ints[:, COUNT] - 1)
        attend = self._cache.stepping(rows, length, ints[:, LENGTH])
        hidden = self.gpt.transformer.forward(x[:, None], attend)
        self._advance(hidden[:, 0], live, wide, 1)

    def _advance(self, hidden: Tensor, rows: slice | Tensor, wide: bool, fed: int) -> None:
        """Choose the next code of ``rows`` from their ``hidden`` [R, D] and note it."""
        state = self._state
        logits = self.gpt.logits(hidden)
        finite = logits.isfinite().all(-1)
        # the start code is no sound: the codec's table ends before it, and on a GPU the process with it
        logits[:, self.gpt.start] = float("-inf")
        chosen = choose(logits, state.seen[rows], state.ints[rows][:, COUNT], state.rules(rows), wide)
        state.take(rows, chosen, finite, fed)

    def _shape(self) -> Shape:
        """The shape of the next step: the rows and positions that it must cover."""
        top = 1 + max(row.slot for row in self._live)
        length = 1 + self._steps + max(row.base for row in self._live)
        return self._row_bucket(top), self._length_bucket(length), any(row.wide for row in self._live)

    def _row_bucket(self, rows: int) -> int:
        """Few shapes with little padding: 1, 2, 4, 8, 12, 16, 24, 32, 40, ... rows."""
        if not self._padded or rows < 3:
            return rows
        unit = 4 if rows <= 16 else 8
        return min(self.slots, -(-rows // unit) * unit)

    def _length_bucket(self, length: int) -> int:
        """Few shapes with little padding: multiples of 64, from 256 on of a quarter of the power of two below."""
        unit = 32
        if self._padded:
            unit = max(64, (1 << (length - 1).bit_length()) >> 3)
        return min(self.max_len, -(-length // unit) * unit)

    def _compact(self) -> None:
        """Move the last rows into holes where that makes the step smaller."""
        while True:
            last = max(self._live, key=lambda row: row.slot)
            if self._row_bucket(len(self._live)) >= self._row_bucket(last.slot + 1):
                return
            source, last.slot = last.slot, self._take(last)
            self._slots[source] = None
            self._cache.move(source, last.slot, min(self.max_len, self._steps + last.base))
            self._state.move(source, last.slot)

    def _report(self) -> _Report:
        """Start to read the rows' state after the step that has just been launched."""
        pairs = [(row, row.slot) for row in self._live]
        if self.device.type != "cuda":
            return pairs, self._state.ints.clone(), None
        lines = self._mailbox[self._steps % len(self._mailbox)]
        lines.copy_(self._state.ints, non_blocking=True)
        there = torch.cuda.Event()
        there.record()
        return pairs, lines, there

    def _settle(
        self, pairs: list[tuple[_Row, int]], report: Tensor, there: torch.cuda.Event | None
    ) -> list[Decoded]:
        """Let the rows go that had ended by the step of this report."""
        if there is not None:
            there.synchronize()
        lines = report.tolist()
        done = []
        for row, slot in pairs:
            ended = lines[slot][ENDED]
            if ended == RUNNING or row.slot < 0:  # below 0: left after that step was launched
                continue
            count = 0 if ended == BROKEN else lines[slot][COUNT]
            codes = self._state.codes[row.slot, :count].clone()
            done.append(Decoded(row.id, codes, ended == STOPPED))
            self._leave(row, spoilt=ended == BROKEN)
        return done

    def _leave(self, row: _Row, spoilt: bool) -> None:
        if spoilt:
            self._spoilt.add(row.slot)
        self._slots[row.slot] = None
        self._live.remove(row)
        row.slot = -1

    def _take(self, row: _Row) -> int:
        """The lowest free slot, which is now the row's."""
        slot = self._slots.index(None)
        self._slots[slot] = row
        if slot in self._spoilt:
            self._spoilt.discard(slot)
            self._cache.clear(slot)
        return slot
