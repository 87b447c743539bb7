"""A segment stopped at any place in the engine, by too little memory or by its listener: it alone is."""

from __future__ import annotations

import gc
import random
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from index_tts_ui.engines.base import Result
from index_tts_ui.engines.indextts import decode, packs, vocoder
from index_tts_ui.engines.indextts.work import Work
from index_tts_ui.speech import Emotion, Segment

from .running import Clips, Engines, nothing_is_left, run, same, samples, segment
from .stops import OF_25, before

JOINS = {0: 0, 1: 2, 2: 2, 3: 9}
CODES = 24
ALL = {"decode"}  # where rows are one computation, and nobody has just joined: all of them may have to go
OF_2 = ("prefix", "decode", "latents", "regulator")  # what it does otherwise
CASES = [("2.5", place) for place in OF_25] + [("2", place) for place in OF_2]


@dataclass
class Scene:
    """Four segments of three voices, and what each is by itself."""

    segments: list[Segment]
    alone: list[np.ndarray]


SCENES: dict[str, Scene] = {}


def _scene(version: str, engines: Engines, clips: Clips) -> Scene:
    if version not in SCENES:
        chance = random.Random(8)
        texts = [[chance.randrange(300, 3000) for _ in range(size)] for size in (9, 14, 6, 11)]
        sad = Emotion(clip=clips[1][3], weight=0.5)
        fields = ({}, {"emotion": sad}, {"params": {"guidance": 0.0}}, {"params": {"diffusion_steps": 4}})
        segments = [
            segment(f"r{n}", text, clips[1][n % 3], seed=n, **{**more, "params": {"max_codes": CODES, **more.get("params", {})}})
            for n, (text, more) in enumerate(zip(texts, fields, strict=True))
        ]  # fmt: skip
        engine = engines(version)
        SCENES[version] = Scene(segments, [samples(run(engine, [one])[one.id]) for one in segments])
    return SCENES[version]


def _forget_a_clip(engine: Any, key: str) -> None:
    """So that it is encoded again."""
    conditioner = engine._pipeline._do.conditioner
    for item in [item for item in conditioner._kept if item[0] == key]:
        conditioner._bytes -= conditioner._kept.pop(item).nbytes


def _rows() -> list[object]:
    """All that any stage keeps of a segment."""
    gc.collect()
    kinds = (Work, packs.Row, packs.Pack, decode._Row, vocoder._Row)
    return [
        item for item in gc.get_objects() if issubclass(type(item), kinds)
    ]  # isinstance() would ask dead proxies


def _marked(cases: list[tuple[str, str]], quick: set[str]) -> list[object]:
    return [
        case if case[0] == "2.5" and case[1] in quick else pytest.param(*case, marks=pytest.mark.slow)
        for case in cases
    ]


QUICK = {"clips", "prefix", "prefill", "decode", "noise", "diffusion", "windows"}


@pytest.mark.parametrize("version, place", _marked(CASES, QUICK))
def test_short_of_memory_a_segment_fails_retryably_and_its_neighbours_are_as_ever(
    version: str, place: str, engines: Engines, clips: Clips, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, scene = engines(version), _scene(version, engines, clips)
    if place == "clips":
        _forget_a_clip(engine, clips[1][1])

    def short() -> None:
        raise torch.OutOfMemoryError("injected")

    with monkeypatch.context() as patch:
        calls = before(patch, engine, place, 2, short)
        found = run(engine, scene.segments, JOINS)
        nothing_is_left(engine)
        failed = [one for one in scene.segments if found[one.id].audio is None]
        assert len(failed) < 4 or place in ALL
        for one in failed:
            assert (found[one.id].code, found[one.id].retryable) == ("out_of_memory", True)
        again = run(engine, failed)
        assert len(calls) > 2, "the place was never reached again"
    for one, alone in zip(scene.segments, scene.alone, strict=True):
        same((found | again)[one.id], alone)


@pytest.mark.parametrize("version, place", _marked(CASES, {"clips", "decode", "diffusion", "vocoder"}))
def test_a_segment_cancelled_at_any_place_leaves_nothing_behind_and_its_neighbours_are_as_ever(
    version: str, place: str, engines: Engines, clips: Clips, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, scene = engines(version), _scene(version, engines, clips)
    if place in ("clips", "prefill"):  # so that not all join at once
        _forget_a_clip(engine, clips[1][1])
    gone = scene.segments[1].id
    others = _rows()  # of other tests' engines
    steps_after: list[list[Result]] = []

    def leave() -> None:
        engine.cancel(gone)

    with monkeypatch.context() as patch:
        calls = before(patch, engine, place, 2, leave)
        for one in scene.segments:
            engine.admit(one)
        done: dict[str, Result] = {}
        while engine.busy():
            cancelled = len(calls) >= 2
            results = engine.step()
            done |= {result.segment_id: result for result in results}
            if cancelled:
                steps_after.append(results)
                assert gone not in engine._pipeline._works
    assert steps_after, "never cancelled before the last step"
    assert gone not in [result.segment_id for results in steps_after for result in results]
    nothing_is_left(engine)
    for n, one in enumerate(scene.segments):
        if one.id != gone:
            same(done[one.id], scene.alone[n])
    del done, results, steps_after
    known = set(map(id, others))
    assert [item for item in _rows() if id(item) not in known] == []
