"""VoxCPM on small random weights: what the package would say, step by step, and nothing of a neighbour."""

from __future__ import annotations

import hashlib
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index_tts_ui.engines.base import EngineOptions, Result
from index_tts_ui.errors import BadConfig
from index_tts_ui.speech import Segment, VoiceRef

from ..recordings import recording
from . import checkpoint

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
TOLD = "今天天气很好"
TEXT = "我们去公园"
DEADLINE = 60.0  # seconds
Engines = Any


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one clip at 16 kHz, which the models hear without another's resampling."""
    folder = tmp_path_factory.mktemp("clips")
    (folder / f"{_key()}.wav").write_bytes(recording(1, 1.5))
    return folder


def _key() -> str:
    return hashlib.sha256(recording(1, 1.5)).hexdigest()


@pytest.fixture(scope="module")
def engines(clips: Path) -> Iterator[Engines]:
    """``engines(name, stop)``: loaded, on the CPU."""
    sys.path.insert(0, str(checkpoint.package()))
    from index_tts_ui.engines import resolve, spec_of

    made: dict[tuple[str, str], Any] = {}

    def get(name: str, stop: str = "some") -> Any:
        if (name, stop) not in made:
            engine = resolve(spec_of(name).engine)(EngineOptions(clips=clips))
            engine.load(checkpoint.made(name, stop), lambda fraction, text: None)
            made[name, stop] = engine
        return made[name, stop]

    yield get
    sys.path.remove(str(checkpoint.package()))


def _segment(name: str = "a/0", text: str = TEXT, told: str = TOLD, seed: int = 5, **params: Any) -> Segment:
    voice = VoiceRef("clip", _key(), 1.0, told)
    steps = {"inference_timesteps": 4, **params}
    return Segment(name, text, text, len(text), "zh", (voice,), params=steps, seed=seed)


def _spoken(engine: Any, *segments: Segment) -> dict[str, Result]:
    """Everything admitted as the worker does it: never more than is free."""
    waiting, done, deadline = list(segments), dict[str, Result](), time.monotonic() + DEADLINE
    while len(done) < len(segments):
        assert time.monotonic() < deadline
        while waiting and engine.free():
            engine.admit(waiting.pop(0))
        done |= {result.segment_id: result for result in engine.step()}
    assert not engine.busy() and engine.free() == 1
    return done


def _sound(engine: Any, segment: Segment) -> np.ndarray:
    (result,) = _spoken(engine, segment).values()
    assert result.audio is not None, (result.code, result.message)
    return result.audio.samples


@pytest.mark.parametrize("name", ["voxcpm2", "voxcpm1.5"])
@pytest.mark.parametrize("told", [TOLD, ""])
def test_a_segment_is_what_the_package_says(engines: Engines, clips: Path, name: str, told: str) -> None:
    import torch

    engine = engines(name)
    if name == "voxcpm1.5" and not told:
        (refused,) = _spoken(engine, _segment(told="")).values()
        assert refused.code == "transcript_missing" and not refused.retryable
        return
    module, clip = engine._model._module, str(clips / f"{_key()}.wav")
    if name == "voxcpm2":
        words = {"prompt_text": told, "prompt_wav_path": clip} if told else {}
        cache = module.build_prompt_cache(reference_wav_path=clip, **words)
    else:  # the package reads files by torchcodec, which is not here; another rate than the clip's would differ a little
        cache = {
            "prompt_text": told,
            "audio_feat": engine._voices.get(_key(), engine._voice(VoiceRef("clip", _key()))).before,
        }
    for seed in (5, 6):
        ours = _sound(engine, _segment(told=told, seed=seed))
        torch.manual_seed(seed)
        theirs, _, _ = module.generate_with_prompt_cache(TEXT, cache, inference_timesteps=4, cfg_value=2.0)
        np.testing.assert_allclose(ours, theirs.flatten().float().numpy(), atol=1e-6)
        assert np.abs(ours).max() > 0


@pytest.mark.parametrize("name", ["voxcpm2", "voxcpm1.5"])
def test_the_seed_and_the_settings_decide_and_neighbours_do_not(engines: Engines, name: str) -> None:
    engine = engines(name)
    alone = _sound(engine, _segment())
    others = [
        _segment("b/0", "你说中文吧", seed=9),
        _segment("c/0"),
        _segment("d/0", seed=6),
        _segment("e/0", cfg_value=1.0),
    ]
    together = {key: result.audio for key, result in _spoken(engine, *others).items()}
    np.testing.assert_array_equal(together["c/0"].samples, alone)
    for other in ("d/0", "e/0"):
        assert not np.array_equal(
            together[other].samples[: len(alone)], alone[: len(together[other].samples)]
        )
    assert together["c/0"].rate == engine._model.rate == (48_000 if name == "voxcpm2" else 44_100)


def test_speed_changes_the_tempo(engines: Engines) -> None:
    engine = engines("voxcpm2", "soon")
    slow, fast = (len(_sound(engine, _segment(speed=speed))) for speed in (0.5, 2.0))
    assert slow / fast == pytest.approx(4, rel=0.2)


def test_a_row_that_does_not_end_is_cut_and_a_cancelled_one_ends_at_once(engines: Engines) -> None:
    engine = engines("voxcpm2", "never")
    patch = engine._model.patch_seconds
    (result,) = _spoken(engine, _segment(text="你说")).values()
    tokens = len(engine._model._module.text_tokenizer("你说"))
    assert result.audio is not None and result.audio.seconds == pytest.approx((tokens * 6 + 10) * patch)
    engine.admit(_segment("gone/0", TEXT))
    for _ in range(3):
        assert engine.step() == []
    engine.cancel("gone/0")
    engine.cancel("nobody/0")
    assert engine.step() == [] and not engine.busy() and engine.free() == 1
    engine.admit(_segment("waiting/0"))
    engine.cancel("waiting/0")
    assert not engine.busy()


def test_what_is_wrong_with_a_segment_costs_that_segment_only(engines: Engines) -> None:
    engine = engines("voxcpm2", "soon")
    bad = {
        "long/0": (_segment("long/0", "好" * 600), "engine_failed"),
        "lost/0": (
            Segment("lost/0", TEXT, TEXT, 5, "zh", (VoiceRef("clip", "0" * 64),)),
            "clip_not_found",
        ),
        "none/0": (Segment("none/0", TEXT, TEXT, 5, "zh", ()), "engine_failed"),
    }
    for segment, code in bad.values():
        (result,) = _spoken(engine, segment).values()
        assert (result.code, result.retryable) == (code, False)
    assert len(_sound(engine, _segment()))


@pytest.mark.parametrize("lost", ["config.json", "model.safetensors", "audiovae.pth", "tokenizer.json"])
def test_a_model_that_is_not_whole_says_how_to_fetch_it(engines: Engines, tmp_path: Path, lost: str) -> None:
    from index_tts_ui.engines.voxcpm import model

    folder = tmp_path / "voxcpm2"
    shutil.copytree(checkpoint.made("voxcpm2"), folder)
    (folder / lost).unlink()
    with pytest.raises(BadConfig, match="models fetch voxcpm2"):
        model.load(folder, "voxcpm2", "cpu", "auto")


def test_another_model_s_checkpoint_is_named(engines: Engines) -> None:
    from index_tts_ui.engines.voxcpm import model

    with pytest.raises(BadConfig, match="holds a checkpoint of voxcpm2, not of voxcpm"):
        model.load(checkpoint.made("voxcpm2"), "voxcpm1.5", "cpu", "auto")
