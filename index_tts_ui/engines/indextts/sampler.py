"""Choosing the next code of every row in one launch, each row by its own rules and its own noise.

The noise is a function of (seed, step, code) and of nothing else: no generator, no state. So a row draws the
same codes alone and among any neighbours, and the whole choice fits a CUDA graph.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

CANDIDATES = 256  # the most codes that top-k may keep without a sort of the whole vocabulary

_GAMMA = 0x9E3779B97F4A7C15 - (1 << 64)  # as the signed 64 bits that torch has
_MIX1 = 0xBF58476D1CE4E5B9 - (1 << 64)
_MIX2 = 0x94D049BB133111EB - (1 << 64)


@dataclass(frozen=True, slots=True)
class Rules:
    """The rows' sampling parameters, each [R]; see ``types.Sampling``.

    ``tail`` is 1 - top_p; ``top_k`` is never 0 (V keeps all codes); ``noise`` 0 makes the row greedy.
    """

    temperature: Tensor
    penalty: Tensor
    tail: Tensor
    noise: Tensor
    top_k: Tensor
    seed: Tensor


def choose(logits: Tensor, seen: Tensor, step: Tensor, rules: Rules, wide: bool) -> Tensor:
    """The rows' next codes [R], from ``logits`` [R, V] float32.

    ``seen`` [R, V]: the codes under the repetition penalty. ``step`` [R]: how many codes the row has.
    ``wide``: whether some row keeps more than CANDIDATES codes (a sort of all V then serves those rows,
    and those only: a row's choice must not hang on its neighbours' rules).
    Penalty, temperature, top-k and top-p come in this order and keep the codes that transformers'
    logits processors keep.
    """
    scores = penalised(logits, seen, rules.penalty) / rules.temperature[:, None]
    vocabulary = scores.shape[1]
    values, codes = scores.topk(min(CANDIDATES, vocabulary))
    chosen = _pick(values, codes, step, rules)
    if not wide or vocabulary <= CANDIDATES:
        return chosen
    values, codes = scores.sort(descending=True, stable=True)
    return torch.where(rules.top_k > CANDIDATES, _pick(values, codes, step, rules), chosen)


def penalised(logits: Tensor, seen: Tensor, penalty: Tensor) -> Tensor:
    """Divides what is positive and multiplies what is negative (Keskar et al. 2019, "CTRL", section 4.1)."""
    penalty = penalty[:, None]
    return torch.where(seen, torch.where(logits < 0, logits * penalty, logits / penalty), logits)


def kept(values: Tensor, top_k: Tensor, tail: Tensor) -> Tensor:
    """Which of ``values`` [R, N], in falling order, top-k and then top-p (Holtzman et al. 2019) leave; [R, N].

    Top-p drops the codes whose probabilities, added up from the least likely one, reach no more than ``tail``.
    """
    count = values.shape[1]
    place = top_k.clamp(max=count) - 1
    least = values.gather(1, place[:, None])
    values = values.masked_fill(values < least, float("-inf"))
    rising = values.softmax(-1).flip(-1).cumsum(-1)
    keep = (rising > tail[:, None]).flip(-1)
    keep[:, 0] = True
    return keep & (values >= least)


def _pick(values: Tensor, codes: Tensor, step: Tensor, rules: Rules) -> Tensor:
    """The Gumbel-max trick: the best of log probability plus Gumbel noise is a draw from the softmax."""
    noise = gumbel(rules.seed, step, codes) * rules.noise[:, None]
    scores = (values + noise).masked_fill(~kept(values, rules.top_k, rules.tail), float("-inf"))
    return codes.gather(1, scores.argmax(-1, keepdim=True))[:, 0]


def gumbel(seed: Tensor, step: Tensor, codes: Tensor) -> Tensor:
    """Gumbel noise [R, N] float32 for ``codes`` [R, N] of rows with ``seed`` [R] at ``step`` [R], all int64."""
    key = _mix(_mix(seed) + step * _GAMMA)
    bits = (_mix(key[:, None] + (codes + 1) * _GAMMA) >> 41) & ((1 << 23) - 1)
    # 23 bits and a half: exact in float32 and never 0 or 1, so that both logarithms are finite.
    uniform = (bits.float() + 0.5) * 2.0**-23
    return -(-uniform.log()).log()


def _mix(state: Tensor) -> Tensor:
    """The output function of SplitMix64 (Steele, Lea, Flood 2014) on signed 64 bits, which wrap alike.

    torch shifts the sign in from the left: the masks take it out again.
    """
    state = state + _GAMMA
    state = (state ^ ((state >> 30) & ((1 << 34) - 1))) * _MIX1
    state = (state ^ ((state >> 27) & ((1 << 37) - 1))) * _MIX2
    return state ^ ((state >> 31) & ((1 << 33) - 1))
