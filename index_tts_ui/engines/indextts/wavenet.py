"""The WaveNet at the end of the diffusion transformer, for rows of unequal length.

Its convolutions mirror the sequence at both ends. In a padded batch a row's end lies inside the tensor, so each
convolution reads its input through an index that mirrors at the row's own end: then a row comes out
as if it were alone, whatever stands in the padding.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from .layers import Layer, plain


def mirrored(lengths: Tensor, frames: int, reach: int) -> Tensor:
    """Where frame j - ``reach`` of a row of the given length [B] is read: [B, frames + 2 * reach].

    Inside the row at itself, outside mirrored at the row's first or last frame (which are not
    repeated). Far behind the end it is some frame of the row; nothing that counts reads there.
    """
    place = torch.arange(-reach, frames + reach, device=lengths.device).abs()
    last = lengths[:, None] - 1
    return torch.where(place <= last, place, 2 * last - place).clamp_min(0)


class WaveNet:
    """Over the weights of the package's ``WN``. H: its width, L: its layers."""

    def __init__(self, wn: Any, device: torch.device, dtype: torch.dtype) -> None:
        self.width: int = wn.hidden_channels
        self.layers = len(wn.in_layers)
        self._cond = plain(wn.cond_layer, device, torch.float32)
        self._in: list[tuple[Layer, int, int]] = []  # weights, dilation, frames of padding at each side
        for module in wn.in_layers:
            conv = module.conv.conv
            self._in.append(
                (
                    plain(module, device, dtype),
                    conv.dilation[0],
                    (conv.kernel_size[0] - 1) * conv.dilation[0] // 2,
                )
            )
        self._out = [plain(module, device, dtype) for module in wn.res_skip_layers]
        self.reach = max(pad for *_, pad in self._in)

    def gates(self, time: Tensor) -> Tensor:
        """What the embedded time [n, H] adds before each layer's gates: [n, L * 2 * H], float32."""
        return self._cond.linear(time)

    def __call__(self, x: Tensor, gates: Tensor, mirror: Tensor | None) -> Tensor:
        """x [B, H, T], gates [B, L * 2 * H], mirror [B, T + 2 * reach] -> [B, H, T].

        ``mirror`` as :func:`mirrored` gives it; None: every row fills the tensor.
        """
        output: Tensor | None = None
        added = gates.unsqueeze(-1).split(2 * self.width, dim=1)
        for index, (layer, dilation, pad) in enumerate(self._in):
            gate = layer.conv(self._padded(x, pad, mirror), dilation) + added[index]
            tanh, sigmoid = gate.chunk(2, dim=1)
            both = self._out[index].conv(torch.tanh(tanh) * torch.sigmoid(sigmoid))
            skip = both[:, -self.width :]
            output = skip if output is None else output + skip
            if index < self.layers - 1:
                x = x + both[:, : self.width]
        assert output is not None
        return output

    def _padded(self, x: Tensor, pad: int, mirror: Tensor | None) -> Tensor:
        if mirror is None:
            return F.pad(x, (pad, pad), mode="reflect")
        surplus = self.reach - pad
        index = mirror[:, surplus : mirror.shape[1] - surplus]
        return x.gather(2, index[:, None, :].expand(-1, x.shape[1], -1))
