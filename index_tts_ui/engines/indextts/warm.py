"""A voice that nobody has: for the first run through all stages."""

from __future__ import annotations

import torch

from .gpt import Gpt
from .types import Voice
from .weights import Modules

FRAMES = 172  # two seconds of clip


def voice_of_noise(modules: Modules, gpt: Gpt) -> Voice:
    """A ``Voice`` of the right shapes, the same each time."""
    chance = torch.Generator().manual_seed(0)

    def noise(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=chance).to(modules.device)

    style, features = noise(192), noise(1, 100, 1024)
    return Voice(
        style=style,
        prompt=noise(FRAMES, modules.regulator.content_in_proj.out_features),
        mel=noise(80, FRAMES),
        latent=gpt.speaker_latent(features if modules.version == "2" else style).float(),
        emotion=gpt.emovec(features),
    )
