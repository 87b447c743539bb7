"""The emotion that a segment is spoken with: a vector [D] for the GPT, mixed as the packages mix it.

There are three sources: the clip of the voice itself, another clip, or eight weights (``speech.EMOTIONS``)
over a bank of sample vectors that comes with the checkpoint. Everything is float32 and on the device.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from .types import Voice


def scaled(vector: Sequence[float], weight: float) -> tuple[float, ...]:
    """Eight weights at the strength ``weight`` (0-1), cut to four decimals below full strength."""
    weight = max(0.0, min(1.0, weight))
    if weight == 1.0:
        return tuple(vector)
    return tuple(int(value * weight * 10000) / 10000 for value in vector)


class EmotionMixer:
    """Holds the checkpoint's bank: of each emotion n samples [n, D], and the style [n, 192] of their speakers."""

    def __init__(self, emo_matrix: Sequence[Tensor], spk_matrix: Sequence[Tensor]) -> None:
        self._samples = [matrix.float() for matrix in emo_matrix]
        self._styles = [matrix.float() for matrix in spk_matrix]

    def from_clip(self, voice: Voice, emotion: Tensor, weight: float = 1.0) -> Tensor:
        """Between the voice's own emotion and a clip's (``emotion`` [D]): [D].

        The voice "as it is" is its own clip, encoded as an emotion clip, at weight 1; that differs a little
        from ``voice.emotion``, because the two ways resample the sound differently.
        """
        return voice.emotion + weight * (emotion - voice.emotion)

    def from_vector(
        self, voice: Voice, own: Tensor, vector: Sequence[float], weight: float = 1.0, seed: int | None = None
    ) -> Tensor:
        """Eight weights over the bank, the rest (1 - their sum) as the voice is: [D].

        Args:
            own: [D], the voice's own clip, encoded as an emotion clip.
            vector: in the order of ``speech.EMOTIONS``.
            weight: strength, 0-1.
            seed: which of the samples; None for the one whose speaker is closest to the voice.
        """
        weights = torch.tensor(scaled(vector, weight), dtype=torch.float32, device=own.device)
        chosen = self._closest(voice.style) if seed is None else self._drawn(seed)
        rows = torch.cat([bank.index_select(0, row) for bank, row in zip(self._samples, chosen, strict=True)])
        drawn = torch.sum(weights.unsqueeze(1) * rows, 0)
        return drawn + (1 - torch.sum(weights)) * self.from_clip(voice, own)

    def _closest(self, style: Tensor) -> list[Tensor]:
        """Per emotion, an index [1] on the device (so nothing waits for it)."""
        query = style.float().unsqueeze(0)
        return [F.cosine_similarity(query, styles, dim=1).argmax().view(1) for styles in self._styles]

    def _drawn(self, seed: int) -> list[Tensor]:
        draw = random.Random(seed)
        device = self._samples[0].device
        return [torch.tensor([draw.randrange(len(bank))], device=device) for bank in self._samples]
