"""What the stages hand to one another."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor


@dataclass(frozen=True, slots=True)
class Voice:
    """What one reference clip gives as a speaker: float32, on the device, no batch axis.

    D: the GPT's width; C: the width of the diffusion's condition; P: mel frames of the clip (86 a second).
    """

    style: Tensor  # [192], CAMPPlus
    prompt: Tensor  # [P, C], the clip's semantic features at the mel's rate
    mel: Tensor  # [80, P]
    latent: Tensor  # [K, D], before the text in the GPT, without emotion (v2: K = 32, v2.5: K = 1)
    emotion: Tensor  # [D], the emotion in the clip itself

    @property
    def nbytes(self) -> int:
        """Of the device's memory."""
        return sum(
            item.numel() * item.element_size()
            for item in (self.style, self.prompt, self.mel, self.latent, self.emotion)
        )


@dataclass(frozen=True, slots=True)
class Sampling:
    """How one row's codes are drawn; see ``parameters.PARAMETERS``. ``greedy``: the likeliest code, always."""

    temperature: float = 0.8
    top_p: float = 0.8
    top_k: int = 30
    repetition_penalty: float = 10.0
    max_codes: int = 1500
    seed: int = 0
    greedy: bool = False


@dataclass(frozen=True, slots=True)
class Decoded:
    """A row that has left the decoder: ``codes`` [n] without the stop code, on the device."""

    row_id: str
    codes: Tensor
    complete: bool = field(default=True)  # False: cut at max_codes
