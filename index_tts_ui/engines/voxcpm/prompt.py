"""What the model reads before it speaks: words and patches of sound, in one row.

Each place of the row is a token or a patch. VoxCPM 1.5 goes on where a clip ends, and so must be told what is said
in it. VoxCPM 2 has the clip as a reference ahead of the text, between two tokens of its own, and goes on after it,
too, where the clip's words are known (what its authors call ultimate cloning).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

AUDIO_START, REF_START, REF_END = 101, 103, 104  # tokens of the models


@dataclass(frozen=True)
class Voice:
    """A clip as the model hears it: patches, float32 [n, patch, width]. ``before``: padded at its beginning."""

    reference: torch.Tensor
    before: torch.Tensor


@dataclass(frozen=True)
class Row:
    """int64 [1, places], float [1, places, patch, width], and which places are words or sound, int32 [1, places].

    ``goes_on``: patches at its end that the speech continues.
    """

    words: torch.Tensor
    sound: torch.Tensor
    is_word: torch.Tensor
    is_sound: torch.Tensor
    goes_on: int


class Layout:
    """Builds a row from its beginning."""

    def __init__(self, patch: int, width: int) -> None:
        self._shape = (patch, width)
        self._words: list[int] = []
        self._heard: list[bool] = []
        self._parts: list[torch.Tensor] = []

    def say(self, tokens: Sequence[int]) -> Layout:
        """Places of words."""
        self._words += tokens
        self._heard += [False] * len(tokens)
        self._parts.append(torch.zeros(len(tokens), *self._shape))
        return self

    def play(self, patches: torch.Tensor) -> Layout:
        """Places of sound."""
        self._words += [0] * len(patches)
        self._heard += [True] * len(patches)
        self._parts.append(patches)
        return self

    def row(self, dtype: torch.dtype, device: torch.device) -> Row:
        """All of it."""
        heard = torch.tensor([self._heard])
        tail = next((n for n, sound in enumerate(reversed(self._heard)) if not sound), len(self._heard))
        return Row(
            torch.tensor([self._words]).to(device),
            torch.cat(self._parts)[None].to(device, dtype),
            (~heard).int().to(device),
            heard.int().to(device),
            tail,
        )


def lay_out(layout: Layout, words: Sequence[int], voice: Voice, refers: bool, goes_on: bool) -> Layout:
    """``words`` to speak, in ``voice``. ``refers``: the model is VoxCPM 2; ``goes_on``: they begin with the clip's own."""
    if refers:
        layout.say([REF_START]).play(voice.reference).say([REF_END])
    layout.say([*words, AUDIO_START])
    return layout.play(voice.before) if goes_on else layout
