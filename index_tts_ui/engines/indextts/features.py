"""Codes -> the diffusion's condition: codec and length regulator, row by row.

The regulator's group norm averages over time and the codec's convolutions see zeros behind a row's end, so that a
padded batch would be wrong. Both are small, and rows leave the decoder one at a time.
"""

from __future__ import annotations

from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

FRAMES_PER_FEATURE = 1.72  # mel frames (22050 / 256 Hz) per feature (50 Hz), as both packages round it


class Stages(Protocol):
    """The modules that are needed of ``weights.Modules``."""

    version: str
    codec: Any
    regulator: Any
    gpt_layer: Any


class Features:
    """Makes one row's condition of its codes."""

    def __init__(self, modules: Stages) -> None:
        self._modules = modules

    @torch.no_grad()
    def __call__(self, codes: Tensor, latent: Tensor | None = None, factor: float = 1.0) -> Tensor:
        """codes [n] (v2: and latent [n, D] of the GPT's second pass) -> [T, C], T = int(50 Hz features * 1.72 * factor).

        ``factor``: how much longer than natural the speech is. No codes give no frames.
        """
        regulator = self._modules.regulator
        if codes.numel() == 0:
            return regulator.content_in_proj.weight.new_zeros((0, regulator.content_in_proj.out_features))
        features = self._features(codes[None], latent)
        frames = max(1, int(features.shape[1] * FRAMES_PER_FEATURE * factor))
        # The regulator's own forward takes the length as a tensor and waits for the device to read it.
        x = regulator.content_in_proj(features).transpose(1, 2).contiguous()
        return regulator.model(F.interpolate(x, size=frames, mode="nearest"))[0].T.contiguous()

    def _features(self, codes: Tensor, latent: Tensor | None) -> Tensor:
        """[1, n] -> [1, n or (v2.5) 2 n, 1024] at 50 Hz."""
        if self._modules.version != "2":
            return self._modules.codec.decode(codes)
        if latent is None:
            raise ValueError("v2 needs the GPT's latents beside the codes: this is a bug")
        embedded = self._modules.codec.quantizer.vq2emb(codes.unsqueeze(1)).transpose(1, 2)
        return embedded + self._modules.gpt_layer(latent.float()[None])
