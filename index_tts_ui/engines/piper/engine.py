"""Piper voices through onnxruntime on the CPU: a model for each voice, several segments side by side."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import numpy as np

from ...audio import resample
from ...errors import BadConfig
from ...speech import Audio, Segment, VoiceRef
from ..base import EngineInfo, EngineOptions, Progress, Result
from ..runs import Run, Runs
from .phrases import Unsayable, phrases
from .sessions import Model, Models
from .voices import Speaker, Voice, look

log = logging.getLogger("tts.piper")
MOST_ROWS = 4  # runs side by side
VOICES = "4"  # models in memory, unless the option voices says otherwise
PATIENCE = 2.0  # it shares the processor with whatever else this machine does
SPEEDS = (0.25, 4.0)
NOISE, LENGTH, NOISE_W = (
    0.667,
    1.0,
    0.8,
)  # where neither the request nor the voice says anything: the package's own
_FADE = 0.01  # seconds; a sound cut at max_seconds ends without a click


class PiperEngine(Runs):
    """See ``engines.base.Engine``. ``params``: speed, noise_scale, noise_w_scale. Option: voices, models in memory."""

    def __init__(self, options: EngineOptions) -> None:
        threads = options.threads or min(4, len(os.sched_getaffinity(0)))
        super().__init__("piper", min(MOST_ROWS, threads, options.max_rows))
        self._threads = threads
        self._models = Models(threads, _at_least_one(options.get("voices", VOICES)))
        self._speakers: dict[str, tuple[Voice, Speaker]] = {}
        self._rate = 0

    def load(self, model_dir: Path, progress: Progress) -> EngineInfo:
        """Look through ``model_dir``, and read the first voice that can be.

        Raises:
            BadConfig: ``model_missing`` where no voice can.
            ImportError: without the package ``piper-tts``.
        """
        progress(0.0, "importing packages")
        self._models.prepare()
        found = look(model_dir)
        self._speakers = found.speakers()
        progress(0.3, "reading a voice")
        if not any(self._speaks(voice) for voice in found.voices):
            raise BadConfig("model_missing", model="piper", path=model_dir)
        self._rate = max(voice.rate for voice in found.voices)
        progress(1.0, "ready")
        return EngineInfo(
            "piper", "1", self._rate, found.languages(), ("speed",), max_rows=self.rows, patience=PATIENCE
        )

    def _speaks(self, voice: Voice) -> bool:
        try:
            model = self._models.get(voice)
            ids = model.speaker.phonemes_to_ids([])
            model.run(tuple(ids), (NOISE, LENGTH, NOISE_W), voice.speakers[0].number, None)
        except Unsayable as error:
            log.warning("%s: run 'tts-launch models repair piper', or bring the file again", error)
        except self._models.failures as error:
            log.warning("the voice %s cannot speak: %s", voice.name, type(error).__name__)
        else:
            return True
        return False

    # ---- the worker's questions

    def warm(self, voice: VoiceRef) -> None:
        """Read a voice's model ahead, beside what is spoken; what is wrong with it is told with its first segment."""
        if voice.key in self._speakers:
            self._pool.submit(self._models.get, self._speakers[voice.key][0])

    def stats(self) -> dict[str, Any]:
        """See ``Runs``; ``threads`` of one run, ``voices`` in memory."""
        return {**super().stats(), "threads": self._threads, "voices": len(self._models)}

    def close(self) -> None:
        """Let go of the models."""
        self._pool.shutdown()
        self._models.close()

    # ---- one segment, in a thread of the pool

    def _speak(self, run: Run) -> Result | None:
        try:
            audio = self._sound(run)
        except Unsayable as error:
            return self._failed(run, str(error))
        except self._models.failures as error:
            return self._failed(run, f"the model failed: {type(error).__name__}")
        return None if audio is None else self._made(run, audio)

    def _sound(self, run: Run) -> Audio | None:
        """Phrase by phrase, at the rate of all voices; None: it was dropped."""
        segment = run.segment
        voice, speaker = self._who(segment)
        speed, model = _speed(segment), self._models.get(voice)
        scales = _scales(voice, segment, speed)
        parts: list[np.ndarray] = []
        left = int(segment.max_seconds * voice.rate)
        for phrase in phrases(model.speaker, voice.language, segment.spoken):
            if run.dropped:
                return None
            parts.append(_spoken(model, phrase.ids, scales, speaker.number, run.options))
            parts.append(np.zeros(int(phrase.pause / speed * voice.rate), np.float32))
            if sum(map(len, parts)) > left:
                break
        return resample(Audio(voice.rate, _limited(np.concatenate(parts), left, voice.rate)), self._rate)

    def _who(self, segment: Segment) -> tuple[Voice, Speaker]:
        if len(segment.voices) != 1:
            raise Unsayable("it needs one voice, and no blend")
        key = segment.voices[0].key
        if key not in self._speakers:
            raise Unsayable(f"it has no voice {key!r}")
        return self._speakers[key]


def _spoken(model: Model, ids: tuple[int, ...], scales: Any, sid: int | None, options: Any) -> np.ndarray:
    samples: np.ndarray = model.run(ids, scales, sid, options)
    if not len(samples):
        raise Unsayable("the model made no sound")
    if not np.isfinite(samples).all():
        raise Unsayable("the model's sound has values that are no numbers")
    return np.clip(samples, -1.0, 1.0)


def _scales(voice: Voice, segment: Segment, speed: float) -> tuple[float, float, float]:
    """What the request says, else the voice's own: noise, length, noise in the lengths."""
    own, params = voice.config["inference"], segment.params
    noise = params.get("noise_scale", own.get("noise_scale", NOISE))
    noise_w = params.get("noise_w_scale", own.get("noise_w", NOISE_W))
    return float(noise), own.get("length_scale", LENGTH) / speed, float(noise_w)


def _speed(segment: Segment) -> float:
    speed = float(segment.params.get("speed", 1.0))
    if not SPEEDS[0] <= speed <= SPEEDS[1]:
        raise Unsayable(f"its speed {speed:g} is not in {SPEEDS[0]:g} to {SPEEDS[1]:g}")
    return speed


def _limited(samples: np.ndarray, most: int, rate: int) -> np.ndarray:
    most = max(1, most)
    if len(samples) <= most:
        return samples
    samples = samples[:most].copy()
    fade = min(int(_FADE * rate), most)
    samples[-fade:] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
    return samples


def _at_least_one(value: str) -> int:
    if not (value.isascii() and value.isdigit() and int(value)):
        raise BadConfig("bad_config", name="engine_options", reason=f"voices={value} is no number from 1 up")
    return int(value)
