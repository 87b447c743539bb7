"""What the device knows of the rows that decode: static tensors, one line a slot, updated without the host."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .pinned import upload
from .sampler import Rules
from .types import Sampling

LAST, LENGTH, COUNT, LIMIT, SEED, TOP_K, ENDED = range(7)  # the columns of ``ints``
TEMPERATURE, PENALTY, TAIL, NOISE = range(4)  # the columns of ``floats``

RUNNING, STOPPED, CUT, BROKEN = range(4)  # ENDED: the stop code, the limit, numbers out of range


class Rows:
    """The state of ``slots`` rows. A selection is a slice (the hot path) or a tensor of slots.

    ``ints`` [slots, 7] int64, ``floats`` [slots, 4], ``seen`` [slots, V] bool, ``codes`` [slots, N + 1].
    Of a row: LAST is the code that the next step reads, LENGTH the positions in its slot of the KV cache,
    COUNT its codes so far. A row that has ENDED stands still, whatever the steps after it compute.
    """

    def __init__(
        self, slots: int, max_codes: int, vocabulary: int, start: int, stop: int, device: torch.device
    ):
        self.ints = torch.zeros(slots, 7, dtype=torch.long, device=device)
        self.floats = torch.ones(slots, 4, device=device)
        self.seen = torch.zeros(slots, vocabulary, dtype=torch.bool, device=device)
        self.codes = torch.zeros(slots, max_codes + 1, dtype=torch.long, device=device)
        self._index = torch.arange(slots, device=device)
        self._stop = stop
        # The packages hand transformers a prompt of ones that ends in the start code, which its repetition
        # penalty takes for codes already spoken. The models are used like that, so it stays.
        self._prompt = (1, start)
        # A padded step computes rows that nobody has taken yet: what it reads of them must be in range.
        self.ints[:, ENDED] = STOPPED
        self.ints[:, TOP_K] = 1

    def join(
        self, slots: Tensor, lengths: Sequence[int], limits: Sequence[int], rules: Sequence[Sampling]
    ) -> None:
        """Set up the rows whose prefixes of ``lengths`` have just been put into ``slots`` [B]."""
        device = self.ints.device
        ints = [
            (0, length, 0, limit, signed(rule.seed), self._top_k(rule), RUNNING)
            for length, limit, rule in zip(lengths, limits, rules, strict=True)
        ]
        self.ints[slots] = upload(ints, device)
        self.floats[slots] = upload([_floats(rule) for rule in rules], device, torch.float)
        seen = torch.zeros(len(ints), self.seen.shape[1], dtype=torch.bool, device=device)
        for code in self._prompt:
            seen[:, code] = True
        self.seen[slots] = seen

    def _top_k(self, rule: Sampling) -> int:
        if rule.greedy:
            return 1
        return rule.top_k or self.seen.shape[1]

    def rules(self, rows: slice | Tensor) -> Rules:
        """The sampling parameters of ``rows``."""
        floats, ints = self.floats[rows], self.ints[rows]
        return Rules(
            temperature=floats[:, TEMPERATURE],
            penalty=floats[:, PENALTY],
            tail=floats[:, TAIL],
            noise=floats[:, NOISE],
            top_k=ints[:, TOP_K],
            seed=ints[:, SEED],
        )

    def take(self, rows: slice | Tensor, chosen: Tensor, finite: Tensor, fed: int) -> None:
        """Give ``rows`` the codes ``chosen`` [R] after a pass that fed each of them ``fed`` positions.

        ``finite`` [R]: whether the row's logits were numbers.
        """
        ints = self.ints[rows]  # a view or a copy: written back either way
        running = ints[:, ENDED] == RUNNING
        stopped = chosen == self._stop
        grows = running & finite & ~stopped
        index = self._index[rows]
        # Behind an ended row's codes there is room for one more, which nobody reads.
        self.codes[index, ints[:, COUNT]] = chosen
        self.seen[index, chosen] = True
        count = ints[:, COUNT] + grows
        ended = (count >= ints[:, LIMIT]) * CUT
        ended = ended.masked_fill(stopped, STOPPED).masked_fill(~finite, BROKEN)
        self.ints[rows] = torch.stack(
            (
                chosen,
                ints[:, LENGTH] + fed * running,
                count,
                ints[:, LIMIT],
                ints[:, SEED],
                ints[:, TOP_K],
                torch.where(running, ended, ints[:, ENDED]),
            ),
            1,
        )

    def move(self, source: int, target: int) -> None:
        """Copy one slot's line to another."""
        for item in (self.ints, self.floats, self.seen, self.codes):
            item[target] = item[source]


def signed(seed: int) -> int:
    """``seed`` modulo 2^64, as a signed 64-bit number."""
    seed &= (1 << 64) - 1
    return seed - (1 << 64) if seed >> 63 else seed


def _floats(rule: Sampling) -> tuple[float, float, float, float]:
    """The columns of ``floats``. A greedy row has the penalty alone, as in transformers."""
    if rule.greedy:
        return 1.0, rule.repetition_penalty, 0.0, 0.0
    return rule.temperature, rule.repetition_penalty, 1.0 - rule.top_p, 1.0
