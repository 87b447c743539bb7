"""CUDA graphs of the mel and waveform stages give what the same calls give without; only on a GPU."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from index_tts_ui.engines.indextts.captures import Captures
from index_tts_ui.engines.indextts.diffusion import Diffuser
from index_tts_ui.engines.indextts.vocoder import Vocoder

from .s2mel import CPU, bigvgan, cfm, voice

on_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
WIDTH = 64


def test_without_a_gpu_the_function_is_called_as_it_is() -> None:
    """No graph, nothing to clear, and preparing is free."""
    calls: list[int] = []

    def double(x: Tensor) -> Tensor:
        calls.append(len(x))
        return 2 * x

    captures = Captures(double, CPU)
    captures.prepare(torch.ones(3))
    assert captures(torch.ones(2)).tolist() == [2.0, 2.0]
    assert calls == [2]
    assert not captures.clear()


@on_gpu
@pytest.mark.gpu
def test_a_graph_comes_with_the_second_call_and_gives_the_same() -> None:
    """Each result is a tensor of its own; more shapes than are kept push out the oldest."""
    device = torch.device("cuda")
    captures = Captures(lambda x, y: (x @ y).relu(), device, kept=2)
    given = {size: torch.randn(2, size, size, device=device) for size in (8, 16, 24)}
    expected = {size: (x @ y).relu() for size, (x, y) in given.items()}
    kept: list[tuple[int, Tensor]] = []
    for _ in range(4):
        for size, (x, y) in given.items():
            kept.append((size, captures(x, y)))
    assert len(captures) == 2
    for size, made in kept:
        assert torch.allclose(made, expected[size])
    assert captures.clear()


@on_gpu
@pytest.mark.gpu
def test_on_a_gpu_mels_and_samples_are_those_of_the_cpu() -> None:
    """In float32, graphs included: rows of unequal length, twice, so that the second round replays."""
    model = cfm(WIDTH)
    shape = {
        "upsample_rates": [8, 8, 4],
        "upsample_kernel_sizes": [16, 16, 8],
        "upsample_initial_channel": 32,
    }
    vocoder = bigvgan(**shape, resblock_kernel_sizes=[3], resblock_dilation_sizes=[[1, 3]])
    made: dict[str, list[Tensor]] = {}
    for name in ("cpu", "cuda"):
        device = torch.device(name)
        diffuser = Diffuser(model.to(device), device)
        windows = Vocoder(vocoder.to(device), device)
        diffuser.prepare([(1, 256), (3, 256)])
        windows.prepare([1, 2], [128])
        for round_ in range(2):
            found: dict[str, Tensor] = {}
            for row in range(3):
                speaker = voice(60, WIDTH, row)
                target = torch.randn(130 + row, WIDTH, generator=torch.Generator().manual_seed(row))
                mu = torch.cat([speaker.prompt, target]).to(device)
                moved = type(speaker)(
                    *(
                        getattr(speaker, field).to(device)
                        for field in ("style", "prompt", "mel", "latent", "emotion")
                    )
                )
                diffuser.add(f"{round_} {row}", mu, moved, seed=row, steps=4, guidance=0.7)
            while diffuser.busy() or windows.busy():
                for key, mel in diffuser.step():
                    windows.add(key, mel)
                    found[key + " mel"] = mel.cpu()
                found.update({key: torch.from_numpy(samples) for key, samples in windows.step()})
            made.setdefault(name, []).extend(found[key] for key in sorted(found))
    for ours, expected in zip(made["cuda"], made["cpu"], strict=True):
        assert (ours - expected).abs().max() < 1e-3
