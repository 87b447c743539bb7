"""What TF32 and bfloat16 cost in accuracy, on transformers and vocoders of the published depth but narrow.

Random weights: the figures tell the size of the error, not how it sounds. TF32 exists on GPUs alone; here its
rounding (10 bits of mantissa, of both factors) is done by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from index_tts_ui.engines.indextts.diffusion import Diffuser
from index_tts_ui.engines.indextts.precision import Precision, products
from index_tts_ui.engines.indextts.vocoder import Vocoder

from .s2mel import CPU, bigvgan, voice
from .s2mel import cfm as cfm_of

torch.set_num_threads(1)
WIDTH = 64


class Tf32(TorchFunctionMode):
    """Rounds what products are made of, as a tensor core does."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        name = getattr(func, "__name__", "")
        if name in {"linear", "conv1d", "conv_transpose1d", "scaled_dot_product_attention"}:
            args = tuple(_rounded(item) if isinstance(item, Tensor) else item for item in args)
        return func(*args, **(kwargs or {}))


def _rounded(x: Tensor) -> Tensor:
    if x.dtype is not torch.float32 or x.dim() < 2:  # biases are added, not multiplied
        return x
    bits = x.contiguous().view(torch.int32)
    return ((bits + 0x1000) & ~0x1FFF).view(torch.float32)


def _mel(cfm: Any, precision: Precision) -> Tensor:
    diffuser = Diffuser(cfm, CPU, precision)
    speaker = voice(30, WIDTH, 1)
    mu = torch.cat([speaker.prompt, torch.randn(50, WIDTH, generator=torch.Generator().manual_seed(2))])
    diffuser.add("a", mu, speaker, seed=3, steps=5, guidance=0.7)
    while True:
        done = diffuser.step()
        if done:
            return done[0][1]


def _samples(model: Any, precision: Precision) -> Tensor:
    vocoder = Vocoder(model, CPU, precision)
    vocoder.add("a", torch.randn(80, 24, generator=torch.Generator().manual_seed(4)))
    return torch.from_numpy(vocoder.step()[0][1])


def _decibels(exact: Tensor, other: Tensor) -> float:
    """The error's power against the signal's."""
    return float(10 * torch.log10((other - exact).square().mean() / exact.square().mean()))


def test_the_error_of_tf32_and_bf16_is_small(record_property: Callable[[str, object], None]) -> None:
    """Reported per stage in dB below the signal; TF32 is at least 50 dB below, bf16 at least 25 dB."""
    vocoder = bigvgan(
        upsample_rates=[4, 4, 2, 2, 2, 2],
        upsample_kernel_sizes=[8, 8, 4, 4, 4, 4],
        upsample_initial_channel=64,
        resblock_kernel_sizes=[3, 7, 11],
        resblock_dilation_sizes=[[1, 3, 5]] * 3,
    )
    cfm = cfm_of(WIDTH)
    stages: dict[str, Callable[[Precision], Tensor]] = {
        "mel": lambda precision: _mel(cfm, precision),
        "samples": lambda precision: _samples(vocoder, precision),
    }
    for stage, run in stages.items():
        exact = run("fp32")
        assert torch.equal(run("tf32"), exact)  # on the CPU nothing is rounded
        with Tf32():
            tf32 = _decibels(exact, run("tf32"))
        bf16 = _decibels(exact, run("bf16"))
        record_property(f"{stage} tf32 dB", round(tf32, 1))
        record_property(f"{stage} bf16 dB", round(bf16, 1))
        print(f"{stage}: TF32 {tf32:.1f} dB, bf16 {bf16:.1f} dB against fp32")
        assert tf32 < -50
        assert bf16 < -25
        assert tf32 < bf16


def test_products_are_set_for_the_block_only() -> None:
    """Other code of the process keeps its own choice, also after an error."""
    matmul, conv = torch.backends.cuda.matmul, torch.backends.cudnn
    before = (matmul.allow_tf32, conv.allow_tf32)
    with products("fp32"):
        assert (matmul.allow_tf32, conv.allow_tf32) == (False, False)
    with pytest.raises(KeyError), products("tf32"):
        assert (matmul.allow_tf32, conv.allow_tf32) == (True, True)
        raise KeyError
    assert (matmul.allow_tf32, conv.allow_tf32) == before


def test_bf16_leaves_the_given_modules_as_they_are() -> None:
    """They are the package's, and may be shared."""
    cfm, model = (
        cfm_of(WIDTH),
        bigvgan(
            upsample_rates=[4],
            upsample_kernel_sizes=[8],
            upsample_initial_channel=8,
            resblock_kernel_sizes=[3],
            resblock_dilation_sizes=[[1]],
        ),
    )
    Diffuser(cfm, CPU, "bf16")
    Vocoder(model, CPU, "bf16")
    assert {item.dtype for module in (cfm, model) for item in module.parameters()} == {torch.float32}
    assert np.isfinite(_samples(model, "fp32").numpy()).all()
