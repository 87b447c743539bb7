"""Segments made of token ids, and an engine stepped until it has spoken them."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from index_tts_ui.engines.base import Result
from index_tts_ui.speech import Segment, VoiceRef

LIMIT = 90  # codes: a tiny checkpoint stops by itself long before, if at all
STEPS = 6  # of diffusion: as exact as 25, and sooner
TOLERANCE = 1e-4  # of full scale
ENDLESS = 100_000  # steps
Engines = Callable[..., Any]
Clips = tuple[Path, list[str]]  # the worker's folder of clips, and their keys


def ids(chance: random.Random, least: int = 12, most: int = 24) -> list[int]:
    """A text, in codes that every tiny checkpoint has."""
    return [chance.randrange(300, 3000) for _ in range(chance.randint(least, most))]


def segment(name: str, text: list[int], voice: str, **fields: Any) -> Segment:
    """The first segment of the request ``name``, spoken with the clip ``voice``."""
    params = {"max_codes": LIMIT, "diffusion_steps": STEPS, **fields.pop("params", {})}
    spoken = " ".join(map(str, text))
    voices = (VoiceRef("clip", voice),)
    return Segment(f"{name}/0", "x", spoken, len(text), "zh", voices, params=params, **fields)


def run(engine: Any, segments: list[Segment], joins: Mapping[int, int] | None = None) -> dict[str, Result]:
    """Step until all are done; ``joins``: at which step a segment comes (default: at once)."""
    waiting = sorted((joins.get(index, 0) if joins else 0, index) for index in range(len(segments)))
    done: dict[str, Result] = {}
    for step in range(ENDLESS):
        while waiting and waiting[0][0] <= step and engine.free():
            engine.admit(segments[waiting.pop(0)[1]])
        if not engine.busy() and not waiting:
            return done
        for result in engine.step():
            assert result.segment_id not in done
            done[result.segment_id] = result
    raise AssertionError(f"never done: {engine.stats()}")


def samples(result: Result) -> np.ndarray:
    """What was spoken."""
    assert result.audio is not None, (result.code, result.message)
    assert len(result.audio.samples)
    return result.audio.samples


def same(result: Result, wanted: np.ndarray, tolerance: float = TOLERANCE) -> None:
    """Fails unless ``result`` sounds like ``wanted``."""
    heard = samples(result)
    assert len(heard) == len(wanted)
    assert np.abs(heard - wanted).max() <= tolerance


def nothing_is_left(engine: Any) -> None:
    """Fails unless every stage is empty, every slot free, and no clip pinned."""
    assert not engine.busy()
    stages = engine._pipeline._do
    assert stages.decoder.free == stages.decoder.slots
    assert not (stages.decoder.busy or stages.diffuser.busy() or stages.vocoder.busy())
    stats = engine.stats()
    assert [stats[name] for name in ("rows", "door", "later", "clips_pinned", "clips_waiting")] == [0] * 5
