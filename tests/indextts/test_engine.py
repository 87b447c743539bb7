"""Whole segments through the engine, among neighbours, against the packages' own single runs."""

from __future__ import annotations

import random
from typing import Any

import pytest

from index_tts_ui.speech import Emotion, Segment

from .running import LIMIT, STEPS, TOLERANCE, Clips, Engines, ids, run, same, segment
from .serial import speak

ROUNDED = TOLERANCE + 1 / 32767  # the package answers in 16 bits
VERSIONS = ("2.5", "2")


def _package(request: pytest.FixtureRequest, version: str) -> Any:
    return request.getfixturevalue({"2.5": "package25", "2": "package2"}[version])


def _steps(version: str) -> dict[str, Any]:
    """How the package is told the number of diffusion steps."""
    return {"diffusion_steps": STEPS} if version == "2.5" else {}


@pytest.mark.parametrize("version", ["2.5", pytest.param("2", marks=pytest.mark.slow)])
def test_segments_of_different_voices_and_emotions_equal_the_packages_single_runs(
    version: str, engines: Engines, clips: Clips, request: pytest.FixtureRequest
) -> None:
    folder, keys = clips
    vector = (0.3, 0.0, 0.2, 0.0, 0.0, 0.0, 0.0, 0.1)
    chance = random.Random(5)
    texts = [ids(chance) for _ in range(3)]
    segments = [
        segment("own", texts[0], keys[0], seed=11),
        segment("clip", texts[1], keys[1], seed=12, emotion=Emotion(clip=keys[2], weight=0.6)),
        segment("vector", texts[2], keys[2], seed=13, emotion=Emotion(vector=vector, weight=0.8)),
    ]
    if version == "2":  # its steps cannot be set
        segments = [Segment.from_json({**s.to_json(), "params": {"max_codes": LIMIT}}) for s in segments]
    found = run(engines(version), segments, {0: 0, 1: 3, 2: 7})
    package = _package(request, version)
    told: list[dict[str, Any]] = [
        {},
        {"emo_audio_prompt": str(folder / f"{keys[2]}.wav"), "emo_alpha": 0.6},
        {"emo_vector": list(vector), "emo_alpha": 0.8},
    ]
    for index, name in enumerate(("own", "clip", "vector")):
        clip = folder / f"{keys[index]}.wav"
        more = {"max_mel_tokens": LIMIT, **_steps(version), **told[index]}
        same(found[f"{name}/0"], speak(package, clip, texts[index], seed=11 + index, **more), ROUNDED)
