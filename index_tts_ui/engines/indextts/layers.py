"""The packages' layers as plain weights: what the own forward passes are made of."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class Layer(NamedTuple):
    """A linear layer [out, in] or a convolution [out, in, k]."""

    weight: Tensor
    bias: Tensor | None

    def linear(self, x: Tensor) -> Tensor:
        """[..., in] -> [..., out]; a convolution of one tap is a linear layer, too."""
        return F.linear(x, self.weight.flatten(1), self.bias)

    def conv(self, x: Tensor, dilation: int = 1) -> Tensor:
        """[B, in, T + (k - 1) * dilation] -> [B, out, T]: no padding of its own."""
        return F.conv1d(x, self.weight, self.bias, dilation=dilation)


def plain(module: Any, device: torch.device, dtype: torch.dtype) -> Layer:
    """The weights of a layer, out of the packages' wrappers, weight norm folded.

    They share the module's memory where device and type are already right.
    """
    while hasattr(module, "conv"):  # SConv1d(NormConv1d(Conv1d))
        module = module.conv
    if hasattr(module, "weight_g"):  # the stale .weight is set anew by a hook at each call only
        weight = torch._weight_norm(module.weight_v, module.weight_g, 0)
    else:
        weight = module.weight
    bias = module.bias
    return Layer(weight.detach().to(device, dtype), None if bias is None else bias.detach().to(device, dtype))
