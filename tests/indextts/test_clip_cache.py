"""The cache of encoded clips: what stays, what goes, what fails. Over an encoder that costs nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from index_tts_ui.engines.indextts.clips import ClipError, Recording, read
from index_tts_ui.engines.indextts.conditioning import Conditioner, Item
from index_tts_ui.engines.indextts.types import Voice
from tests.audio.test_reference import file_of

from .test_conditioning import encode, store

SPECT = {"n_fft": 1024, "win_length": 1024, "hop_length": 256, "n_mels": 80}
MakeToy = Callable[..., "tuple[Conditioner, Toy, list[Item]]"]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A folder of four clips, and their keys."""
    folder = tmp_path_factory.mktemp("clips")
    return folder, [store(folder, 1.1, 16_000, seed) for seed in range(4)]


class Toy:
    """In place of ``ClipEncoder``: values of a known size."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.rows_that_fit = 99

    def hear(self, recording: Recording, role: str) -> tuple[Recording, str]:
        return recording, role

    def encode(self, clips: list[tuple[Recording, str]]) -> list[Voice | Tensor]:
        self.batches.append(len(clips))
        if len(clips) > self.rows_that_fit:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return [torch.zeros(250) for _ in clips]  # 1000 bytes


@pytest.fixture
def toy(clips: tuple[Path, list[str]]) -> MakeToy:
    """A conditioner over a ``Toy``, with ``options``, and the items of the four clips."""

    def make(**options: Any) -> tuple[Conditioner, Toy, list[Item]]:
        modules = SimpleNamespace(
            mean=torch.zeros(1),
            cfg=SimpleNamespace(s2mel={"preprocess_params": {"spect_params": SPECT, "sr": 22_050}}),
        )
        conditioner = Conditioner(modules, None, clips[0], **options)  # type: ignore[arg-type]
        encoder = conditioner._encoder = Toy()  # type: ignore[assignment]
        return conditioner, encoder, [(key, "emotion") for key in clips[1]]  # type: ignore[return-value]

    return make


def test_the_least_recently_used_goes_first_and_pinned_ones_stay(toy: MakeToy) -> None:
    conditioner, _, items = toy(max_bytes=2000)
    conditioner.pin(items[:1])  # before it is there
    for item in items[:3]:
        encode(conditioner, [item])
    assert [conditioner.get(item) is not None for item in items] == [True, False, True, False]
    conditioner.get(items[2])
    conditioner.unpin(items[:1])
    encode(conditioner, [items[3]])
    assert [conditioner.get(item) is not None for item in items] == [False, False, True, True]
    assert conditioner.stats()["clip_bytes"] == 2000
    assert conditioner.stats()["clip_evictions"] == 2


def test_what_was_just_encoded_is_there_however_small_the_limit(toy: MakeToy) -> None:
    conditioner, _, items = toy(max_bytes=0)
    for item in items:
        encode(conditioner, [item])
        assert conditioner.get(item) is not None
    assert conditioner.stats()["clips"] == 1


def test_a_clip_is_encoded_once_however_often_it_is_wanted(toy: MakeToy) -> None:
    conditioner, encoder, items = toy(max_bytes=1 << 20, max_rows=4)
    assert not conditioner.wanted([items[0], items[0], items[1]])
    assert not conditioner.wanted([items[1]])
    conditioner.step()
    assert encoder.batches == [2]
    assert conditioner.wanted(items[:2]) and not conditioner.busy()


def test_what_nobody_waits_for_is_not_encoded(toy: MakeToy) -> None:
    conditioner, encoder, items = toy(max_bytes=1 << 20)
    conditioner.pin(items[:2])
    conditioner.pin(items[1:2])
    conditioner.wanted(items[:2])
    conditioner.unpin(items[:2])
    assert [done.item for done in conditioner.step()] == [items[1]], "pinned by another still"
    assert not conditioner.busy() and encoder.batches == [1]


def test_a_missing_or_damaged_clip_costs_only_itself(toy: MakeToy, tmp_path: Path) -> None:
    conditioner, encoder, items = toy(max_bytes=1 << 20, max_rows=8)
    good = items[0][0]
    content = (conditioner._clips / f"{good}.wav").read_bytes()
    conditioner._clips = tmp_path
    short = b"RIFF" + content[4:44]
    stored = {good: content, items[1][0]: content[:-2], hashlib.sha256(short).hexdigest(): short}
    for key, data in stored.items():
        (tmp_path / f"{key}.wav").write_bytes(data)
    wanted: list[Item] = [(key, "emotion") for key in [*stored, "0" * 64, "../../etc/passwd"]]
    conditioner.wanted(wanted)
    done = {encoded.item[0]: encoded for encoded in conditioner.step()}
    assert encoder.batches == [1]
    assert [done[key].code for key, _ in wanted] == ["", *["engine_failed"] * 2, *["clip_not_found"] * 2]
    assert "damaged" in done[items[1][0]].message
    (tmp_path / f"{items[1][0]}.wav").write_bytes(
        (toy(max_bytes=0)[0]._clips / f"{items[1][0]}.wav").read_bytes()
    )
    encode(conditioner, [items[1]])  # a failure is not remembered


def test_only_mono_16_bit_clips_are_read(tmp_path: Path) -> None:
    stereo = file_of(np.zeros((24_000, 2), np.float32), 24_000)
    key = hashlib.sha256(stereo).hexdigest()
    (tmp_path / f"{key}.wav").write_bytes(stereo)
    with pytest.raises(ClipError, match="no reference clip"):
        read(tmp_path, key)


def test_short_of_memory_clips_are_encoded_fewer_at_once(toy: MakeToy) -> None:
    conditioner, encoder, items = toy(max_bytes=1 << 20, max_rows=4)
    encoder.rows_that_fit = 1
    conditioner.wanted(items)
    done = [encoded for _ in range(8) for encoded in conditioner.step()]
    assert [encoded.item for encoded in done] == items and not any(encoded.code for encoded in done)
    assert encoder.batches == [4, 2, 1, 1, 1, 1]
    encoder.rows_that_fit = 0
    conditioner._kept.clear()
    conditioner.wanted(items[:1])
    [failed] = conditioner.step()
    assert (failed.code, failed.retryable) == ("out_of_memory", True)
