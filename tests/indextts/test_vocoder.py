"""Samples made window by window are those that the packages make of whole mels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from index_tts_ui.engines.indextts.diffusion import Diffuser
from index_tts_ui.engines.indextts.features import Features
from index_tts_ui.engines.indextts.vocoder import Vocoder
from index_tts_ui.engines.indextts.windows import cheapest, cut, hop, receptive_field

from .s2mel import CPU, TOLERANCE, bigvgan, stages, voice

torch.set_num_threads(1)
# The published vocoder's rates, kernels and dilations; far fewer channels.
REAL = bigvgan(
    upsample_rates=[4, 4, 2, 2, 2, 2],
    upsample_kernel_sizes=[8, 8, 4, 4, 4, 4],
    upsample_initial_channel=64,
    resblock_kernel_sizes=[3, 7, 11],
    resblock_dilation_sizes=[[1, 3, 5]] * 3,
)
SMALL = bigvgan(
    upsample_rates=[8, 8, 4],
    upsample_kernel_sizes=[16, 16, 8],
    upsample_initial_channel=32,
    resblock_kernel_sizes=[3, 5],
    resblock_dilation_sizes=[[1], [1, 3]],
)


def mel(frames: int, seed: int) -> torch.Tensor:
    return torch.randn(80, frames, generator=torch.Generator().manual_seed(seed))


def whole(model: Any, given: torch.Tensor) -> NDArray[np.float32]:
    """The package's own samples."""
    with torch.no_grad():
        return model(given[None])[0, 0].numpy()


def run(vocoder: Vocoder, mels: dict[str, torch.Tensor]) -> dict[str, NDArray[np.float32]]:
    for name, item in mels.items():
        vocoder.add(name, item)
    done: dict[str, NDArray[np.float32]] = {}
    for _ in range(1000):
        done.update(vocoder.step())
        if not vocoder.busy():
            return done
    raise AssertionError("windows were left over")


@pytest.mark.parametrize("model", [REAL, SMALL], ids=["published", "small"])
def test_the_receptive_field_is_all_that_a_sample_depends_on_and_not_more(model: Any) -> None:
    """A frame's first and last samples have a gradient on just that many frames, on the worse side."""
    reach, samples = receptive_field(model.h), hop(model.h)
    middle = reach + 4
    given = mel(2 * middle + 1, 1).double().requires_grad_()
    made = bigvgan(**model.shape).double()(given[None])[0, 0]
    far = []
    for sample in (middle * samples, (middle + 1) * samples - 1):
        (gradient,) = torch.autograd.grad(made[sample], given, retain_graph=True)
        touched = gradient.abs().sum(0).nonzero().flatten() - middle
        far += [-int(touched.min()), int(touched.max())]
    assert max(far) == reach


@settings(max_examples=100, deadline=None, derandomize=True)
@given(frames=st.integers(1, 3000), size=st.integers(1, 700), halo=st.integers(0, 60))
def test_windows_cover_a_row_once_with_context_around_each_kept_frame(
    frames: int, size: int, halo: int
) -> None:
    """Every frame is kept exactly once, inside a window of the row that has its halo or ends with the row."""
    if size > frames or (size <= 2 * halo and size < frames):
        return
    kept: list[int] = []
    for window in cut(frames, size, halo):
        kept += range(window.keep, window.end)
        assert 0 <= window.start <= frames - size
        assert window.start == 0 or window.keep - window.start >= halo
        assert window.start + size == frames or window.start + size - window.end >= halo
    assert kept == list(range(frames))


def test_the_cheapest_windows_are_chosen() -> None:
    """One window that fits exactly, else the fewest frames; none for a row that is shorter than all."""
    assert cheapest(256, (128, 192, 256), 20) == 256
    assert cheapest(300, (128, 192, 256), 20) == 192  # 2 windows, 172 + 172 frames; 256 costs 512
    assert cheapest(100, (128, 192), 20) == 0


def test_windows_that_keep_nothing_are_refused() -> None:
    """Instead of an endless loop."""
    with pytest.raises(ValueError, match="keep nothing"):
        cut(100, 40, 20)


@settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    lengths=st.lists(st.integers(0, 150), min_size=1, max_size=5),
    sizes=st.sampled_from([(), (48,), (40, 64, 96)]),
    budget=st.sampled_from([40, 200, 2048]),
)
def test_rows_in_windows_get_the_samples_of_the_package(
    lengths: list[int], sizes: tuple[int, ...], budget: int
) -> None:
    """Whatever the lengths and window sizes: cut or whole, alone or in a batch."""
    mels = {str(index): mel(frames, index) for index, frames in enumerate(lengths)}
    made = run(Vocoder(SMALL, CPU, sizes=sizes, budget=budget), mels)
    assert made.keys() == mels.keys()
    for name, item in mels.items():
        assert made[name].shape == (item.shape[1] * 256,)
        assert made[name].dtype == np.float32
        if item.shape[1]:
            assert np.abs(made[name] - whole(SMALL, item)).max() < TOLERANCE


def test_the_published_structure_is_exact_in_windows_too() -> None:
    """At its true receptive field, with a first, a middle and a last window."""
    given = mel(134, 3)
    assert len(cut(134, 96, receptive_field(REAL.h))) == 3
    made = run(Vocoder(REAL, CPU, sizes=(96,)), {"a": given, "b": given[:, :110]})
    assert np.abs(made["a"]).max() > 0.1
    assert np.abs(made["a"] - whole(REAL, given)).max() < TOLERANCE
    assert np.abs(made["b"] - whole(REAL, given[:, :110])).max() < TOLERANCE


def test_a_smaller_halo_would_be_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proof that the last test can fail."""
    vocoder = Vocoder(REAL, CPU, sizes=(96,))
    vocoder.halo //= 4
    given = mel(134, 3)
    assert np.abs(run(vocoder, {"a": given})["a"] - whole(REAL, given)).max() > TOLERANCE


def test_a_very_long_row_is_cut_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory stays bounded, samples the same."""
    monkeypatch.setattr("index_tts_ui.engines.indextts.vocoder._LONGEST", 100)
    given = mel(260, 4)
    vocoder = Vocoder(SMALL, CPU)
    vocoder.add("a", given)
    assert vocoder.backlog == 300
    made = run(vocoder, {})["a"]
    assert np.abs(made - whole(SMALL, given)).max() < TOLERANCE


def test_a_cancelled_row_yields_nothing() -> None:
    """Also between its windows; an unknown id is no error."""
    vocoder = Vocoder(SMALL, CPU, sizes=(48,), budget=48)
    for name in ("a", "b"):
        vocoder.add(name, mel(120, 5))
    assert vocoder.step() == []
    assert vocoder.backlog > 0
    vocoder.cancel("a")
    vocoder.cancel("nobody")
    done: list[str] = []
    while vocoder.busy():
        done += [name for name, _ in vocoder.step()]
    assert done == ["b"]


def test_a_step_without_memory_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next ones take fewer windows."""
    vocoder, given = Vocoder(SMALL, CPU, sizes=(48,)), mel(120, 6)
    forward = vocoder._run

    class Hungry:
        def __call__(self, mels: torch.Tensor) -> torch.Tensor:
            if len(mels) > 2:
                raise torch.OutOfMemoryError
            return forward(mels)

        def clear(self) -> bool:
            return False

    monkeypatch.setattr(vocoder, "_run", Hungry())
    for name in ("a", "b"):
        vocoder.add(name, given)
    while True:
        try:
            vocoder.step()
            break
        except torch.OutOfMemoryError:
            assert vocoder.ids()[0] == "a"
            assert vocoder.shrink()
    made = run(vocoder, {})
    assert made.keys() == {"a", "b"}
    assert all(np.abs(made[name] - whole(SMALL, given)).max() < TOLERANCE for name in made)


@pytest.mark.parametrize("version", ["2.5", pytest.param("2", marks=pytest.mark.slow)])
def test_codes_to_samples_are_those_of_the_package(version: str, request: pytest.FixtureRequest) -> None:
    """All stages behind the GPT, two voices at once, against the package's calls in the package's order."""
    modules = stages(request.getfixturevalue("package" + version.replace(".", "")), version)
    width = modules.regulator.content_in_proj.out_features
    features, diffuser = Features(modules), Diffuser(modules.cfm, CPU)
    vocoder = Vocoder(modules.vocoder, CPU)
    expected = {}
    for name, (prompt, count) in {"a": (60, 50), "b": (35, 22)}.items():
        codes = torch.randint(0, 20, (count,), generator=torch.Generator().manual_seed(prompt))
        latent = torch.randn(count, 1280) if version == "2" else None
        speaker = voice(prompt, width, prompt)
        mu = torch.cat([speaker.prompt, features(codes, latent)])
        diffuser.add(name, mu, speaker, seed=prompt, steps=6, guidance=0.7)
        torch.manual_seed(prompt)
        made = modules.cfm.inference(
            mu[None],
            torch.tensor([len(mu)]),
            speaker.mel[None],
            speaker.style[None],
            None,
            6,
            inference_cfg_rate=0.7,
        )
        expected[name] = whole(modules.vocoder, made[0, :, prompt:])
    for _ in range(6):
        for name, done in diffuser.step():
            vocoder.add(name, done)
    made = run(vocoder, {})
    for name, samples in expected.items():
        assert np.abs(samples).max() > 0
        assert np.abs(made[name] - samples).max() < TOLERANCE
