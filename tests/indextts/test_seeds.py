"""Sampled speech: a seed decides it, whoever else is being served."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from index_tts_ui.speech import Emotion, Segment

from .running import Clips, Engines, ids, run, same, samples, segment

VERSIONS = ["2.5", pytest.param("2", marks=pytest.mark.slow)]
CODES = 24


def _crowd(clips: Clips, seeds: list[int]) -> list[Segment]:
    """Segments of several voices, emotions and rules of sampling."""
    chance = random.Random(3)
    rules: list[dict[str, Any]] = [
        {},
        {"temperature": 1.3, "top_k": 0},
        {"top_p": 0.5},
        {"repetition_penalty": 1.5},
    ]
    angry = Emotion(vector=(0.0, 0.7, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0), random=True)
    return [
        segment(
            f"seed{n}",
            ids(chance, 5, 16),
            clips[1][n % 3],
            seed=seed,
            emotion=angry if n == 1 else None,
            params={"max_codes": CODES, **rules[n % 4]},
        )
        for n, seed in enumerate(seeds)
    ]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_seed_gives_the_same_alone_and_among_any_neighbours(
    version: str, engines: Engines, clips: Clips
) -> None:
    engine = engines(version, greedy=False)
    crowd = _crowd(clips, [7, 2**63 + 11, 12345, 0])
    alone = {one.id: samples(run(engine, [one])[one.id]) for one in crowd}
    for joins in ({}, {0: 9, 1: 0, 2: 4, 3: 13}):
        for name, result in run(engine, crowd, joins).items():
            same(result, alone[name])


@pytest.mark.parametrize("version", VERSIONS)
def test_a_run_repeats_bit_for_bit(version: str, engines: Engines, clips: Clips) -> None:
    engine = engines(version, greedy=False)
    crowd = _crowd(clips, [1, 2, 3, 4])
    first, second = (run(engine, crowd, {1: 3, 2: 5}) for _ in range(2))
    for name, result in first.items():
        assert np.array_equal(samples(result), samples(second[name]))


@pytest.mark.parametrize("version", VERSIONS)
def test_another_seed_gives_another_sound(version: str, engines: Engines, clips: Clips) -> None:
    engine = engines(version, greedy=False)
    text = ids(random.Random(1))
    crowd = [
        segment(f"s{seed}", text, clips[1][0], seed=seed, params={"max_codes": CODES}) for seed in range(3)
    ]
    found = {samples(result).tobytes() for result in run(engine, crowd).values()}
    assert len(found) == 3


@pytest.mark.parametrize("version", VERSIONS)
def test_whoever_draws_from_all_codes_is_spoken(version: str, engines: Engines, clips: Clips) -> None:
    """Some thousand draws from two hundred and fifty codes, one of which no sound belongs to."""
    wild = {"max_codes": 90, "temperature": 2.0, "top_k": 0, "top_p": 1.0}
    text = ids(random.Random(2))
    crowd = [segment(f"w{seed}", text, clips[1][0], seed=seed, params=wild) for seed in range(16)]
    for result in run(engines(version, greedy=False), crowd).values():
        assert len(samples(result))
