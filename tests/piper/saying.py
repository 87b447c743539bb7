"""An engine and a frontend, driven as the worker and the server drive them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from index_tts_ui.engines.base import EngineOptions, Result
from index_tts_ui.engines.piper.engine import PiperEngine
from index_tts_ui.engines.piper.frontend import PiperFrontend
from index_tts_ui.speech import Audio, Segment, VoiceRef

from . import voice

DEADLINE = 60.0  # seconds
STILL = {"noise_scale": 0.0, "noise_w_scale": 0.0}


class Desk:
    """``engine``, loaded from ``folder``."""

    def __init__(self, folder: Path, **options: str) -> None:
        self.frontend = PiperFrontend(folder)
        self.engine = PiperEngine(EngineOptions(threads=2, extra=tuple(options.items())))
        self.info = self.engine.load(folder, lambda fraction, text: None)

    def say(self, *segments: Segment) -> dict[str, Result]:
        """Everything admitted as the worker does it: never more than is free."""
        waiting, done, deadline = list(segments), dict[str, Result](), time.monotonic() + DEADLINE
        while len(done) < len(segments):
            assert time.monotonic() < deadline
            while waiting and self.engine.free():
                self.engine.admit(waiting.pop(0))
            done |= {result.segment_id: result for result in self.engine.step()}
        assert not self.engine.busy()
        return done

    def sound(self, segment: Segment) -> Audio:
        """What one segment becomes."""
        (result,) = self.say(segment).values()
        assert result.audio is not None, result.message
        return result.audio

    def fault(self, segment: Segment) -> str:
        """Why one segment cannot be spoken."""
        (result,) = self.say(segment).values()
        assert result.audio is None and result.code == "engine_failed" and not result.retryable
        return result.message

    def phonemes(self, text: str, name: str, language: str = "zh-CN") -> str:
        """What reached the model, heard in its sound; a blank stands for silence between phrases."""
        spoken = [piece.spoken for piece in self.frontend.split(text, voice_language=language)]
        return "|".join(_heard(self.sound(segment(said, name)).samples) for said in spoken)


def segment(spoken: str, name: str, id: str = "a/0", **params: Any) -> Segment:
    """Without noise, unless ``params`` say otherwise."""
    about = {**STILL, **params}
    return Segment(id, spoken, spoken, len(spoken), "zh", (VoiceRef("builtin", name),), params=about)


def _heard(samples: np.ndarray) -> str:
    """The phonemes of each phrase, without its pads, phrases joined by "/"."""
    letters = {number: letter for letter, (number,) in voice.ids().items()}
    phrases: list[str] = []
    for stretch in _phrases(samples):
        said = [letters[number] for number in voice.heard(stretch)]
        assert said[0] == "^" and said[-1] == "$" and set(said[1::2]) == {"_"}, said
        phrases.append("".join(said[2:-1:2]))
    return "/".join(phrases)


def _phrases(samples: np.ndarray) -> list[np.ndarray]:
    """Cut where there is silence for longer than a pad takes."""
    loud = np.flatnonzero(np.abs(samples) > 1e-6)
    gaps = np.flatnonzero(np.diff(loud) > 2 * voice.LENGTH)
    begins = [loud[0] - 1, *(loud[gap + 1] - 1 for gap in gaps)]
    ends = [*(loud[gap] for gap in gaps), loud[-1]]
    return [samples[begin : end + 1] for begin, end in zip(begins, ends, strict=True)]
