"""Whole segments through the engine, among neighbours, against the packages' own single runs."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index_tts_ui.engines.base import EngineOptions, Result
from index_tts_ui.speech import Emotion, Segment, VoiceRef

from .serial import speak
from .voices import some_clips

LIMIT = 90  # codes: a tiny checkpoint stops by itself long before, if at all
STEPS = 6  # of diffusion: as exact as 25, and sooner
TOLERANCE = 1e-4 + 1 / 32767  # of full scale; the package answers in 16 bits
VERSIONS = ("2.5", "2")


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The worker's folder of clips, and their keys."""
    return some_clips(tmp_path_factory.mktemp("clips"), 4)


@pytest.fixture(scope="session")
def engines(clips: tuple[Path, list[str]], request: pytest.FixtureRequest) -> Iterator[Callable[[str], Any]]:
    """Loaded engines by version, each made once; greedy."""
    made: dict[str, Any] = {}

    def get(version: str) -> Any:
        if version not in made:
            from index_tts_ui.engines.indextts.engine import IndexTTS2Engine, IndexTTS25Engine

            kind, name = {"2.5": (IndexTTS25Engine, "tiny25"), "2": (IndexTTS2Engine, "tiny2")}[version]
            engine = kind(EngineOptions(clips=clips[0], max_rows=6, extra=(("greedy", "1"),)))
            engine.load(request.getfixturevalue(name), lambda fraction, text: None)
            made[version] = engine
        return made[version]

    yield get
    for engine in made.values():
        engine.close()


def _run(engine: Any, segments: list[Segment], joins: dict[int, int] | None = None) -> dict[str, Result]:
    """Step until all are done; ``joins``: at which step a segment comes (default: at once)."""
    waiting = sorted((joins.get(index, 0) if joins else 0, index) for index in range(len(segments)))
    done: dict[str, Result] = {}
    for step in range(100_000):
        while waiting and waiting[0][0] <= step and engine.free():
            engine.admit(segments[waiting.pop(0)[1]])
        if not engine.busy() and not waiting:
            return done
        for result in engine.step():
            assert result.segment_id not in done
            done[result.segment_id] = result
    raise AssertionError(f"never done: {engine.stats()}")


def _segment(name: str, ids: list[int], voice: str, **fields: Any) -> Segment:
    params = {"max_codes": LIMIT, "diffusion_steps": STEPS, **fields.pop("params", {})}
    return Segment(
        f"{name}/0",
        "x",
        " ".join(map(str, ids)),
        len(ids),
        "zh",
        (VoiceRef("clip", voice),),
        params=params,
        **fields,
    )


def _ids(chance: random.Random, least: int = 12, most: int = 24) -> list[int]:
    return [chance.randrange(300, 3000) for _ in range(chance.randint(least, most))]


def _package(request: pytest.FixtureRequest, version: str) -> Any:
    return request.getfixturevalue({"2.5": "package25", "2": "package2"}[version])


def _same(result: Result, wanted: np.ndarray) -> None:
    assert result.audio is not None, (result.code, result.message)
    assert len(result.audio.samples) == len(wanted) > 0
    assert np.abs(result.audio.samples - wanted).max() <= TOLERANCE


def _steps(version: str) -> dict[str, Any]:
    """How the package is told the number of diffusion steps."""
    return {"diffusion_steps": STEPS} if version == "2.5" else {}


@pytest.mark.parametrize("version", VERSIONS)
def test_segments_of_different_voices_and_emotions_equal_the_packages_single_runs(
    version: str, engines: Callable[[str], Any], clips: tuple[Path, list[str]], request: pytest.FixtureRequest
) -> None:
    folder, keys = clips
    vector = (0.3, 0.0, 0.2, 0.0, 0.0, 0.0, 0.0, 0.1)
    chance = random.Random(5)
    texts = [_ids(chance) for _ in range(3)]
    segments = [
        _segment("own", texts[0], keys[0], seed=11),
        _segment("clip", texts[1], keys[1], seed=12, emotion=Emotion(clip=keys[2], weight=0.6)),
        _segment("vector", texts[2], keys[2], seed=13, emotion=Emotion(vector=vector, weight=0.8)),
    ]
    if version == "2":  # its steps cannot be set
        segments = [Segment.from_json({**s.to_json(), "params": {"max_codes": LIMIT}}) for s in segments]
    found = _run(engines(version), segments, {0: 0, 1: 3, 2: 7})
    package = _package(request, version)
    told: list[dict[str, Any]] = [
        {},
        {"emo_audio_prompt": str(folder / f"{keys[2]}.wav"), "emo_alpha": 0.6},
        {"emo_vector": list(vector), "emo_alpha": 0.8},
    ]
    for index, name in enumerate(("own", "clip", "vector")):
        clip = folder / f"{keys[index]}.wav"
        more = {"max_mel_tokens": LIMIT, **_steps(version), **told[index]}
        _same(found[f"{name}/0"], speak(package, clip, texts[index], seed=11 + index, **more))
