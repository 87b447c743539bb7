"""Kokoro-82M through onnxruntime on the CPU: a segment alone has all threads; several share them."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import BadConfig
from ...speech import Audio, Segment, VoiceRef
from ..base import EngineInfo, EngineOptions, Progress, Result
from ..runs import Run, Runs
from .sessions import MODEL, Sessions
from .voices import OTHERS, VOICES

RATE = 24_000  # Hz
MAX_TOKENS = 510
MODEL_BYTES = 92_361_271
VOICE_BYTES = 522_240  # float32 [510, 1, 256]: one style for each number of tokens
SPEEDS = (0.25, 4.0)
_WARM_UP = "həlˈO."
PATIENCE = 2.0  # it shares the processor with whatever else this machine does
_FADE = RATE // 100  # samples; a sound cut at max_seconds ends without a click


class BadSegment(Exception):
    """The segment cannot be spoken; its text says why."""


class KokoroEngine(Runs):
    """See ``engines.base.Engine``. ``params`` may hold "speed"; voices blend by their weights."""

    def __init__(self, options: EngineOptions) -> None:
        self._sessions = Sessions(options.threads or min(4, len(os.sched_getaffinity(0))))
        super().__init__("kokoro", self._sessions.rows)
        self._vocabulary: dict[str, int] = {}
        self._folder = Path()
        self._styles: dict[str, np.ndarray] = {}  # id: float32 [510, 256]

    def load(self, model_dir: Path, progress: Progress) -> EngineInfo:
        """Check the files of ``model_dir``, read the model and run it once.

        Raises:
            BadConfig: ``model_missing`` where a file is absent, of a wrong size or not readable.
        """
        progress(0.0, "checking files")
        _check(model_dir)
        self._folder = model_dir
        self._vocabulary = _vocabulary(model_dir)
        progress(0.1, "loading the model")
        self._sessions.open(model_dir)
        progress(0.8, "warming up")
        voices = (VoiceRef("builtin", VOICES[0].id),)
        self._sessions.run(False, _feed(self._tokens(_WARM_UP), self._style(voices, 1), 1.0), None)
        progress(1.0, "ready")
        rows = self._sessions.rows
        return EngineInfo(
            "kokoro",
            "1.0-int8",
            RATE,
            ("zh", "en"),
            ("speed", "blend", "pronunciation"),
            max_rows=rows,
            patience=PATIENCE,
        )

    def warm(self, voice: VoiceRef) -> None:
        """Read a voice's styles ahead; an unknown voice fails with its segment, not here."""
        if voice.key in _KNOWN:
            with contextlib.suppress(BadSegment):
                self._pack(voice.key)

    def stats(self) -> dict[str, Any]:
        """See ``Runs``; ``threads`` of all runs together."""
        return {**super().stats(), "threads": self._sessions.threads}

    def close(self) -> None:
        """Let go of the model."""
        self._pool.shutdown()
        self._sessions.close()
        self._styles.clear()

    # ---- one segment

    def _may_share(self) -> bool:
        may = self._sessions.sharing()
        self.rows = self._sessions.rows  # one, where memory is too short for a second session
        return may

    def _speak(self, run: Run) -> Result | None:
        segment = run.segment
        try:
            tokens = self._tokens(segment.spoken)
            feed = _feed(tokens, self._style(segment.voices, len(tokens)), _speed(segment))
            samples = _sound(self._sessions.run(run.shared, feed, run.options))
        except BadSegment as error:
            return self._failed(run, str(error))
        except self._sessions.failures as error:
            return self._failed(run, f"the model failed: {error}")
        return self._made(run, Audio(RATE, _limited(samples, segment.max_seconds)))

    def _tokens(self, spoken: str) -> list[int]:
        if not spoken:
            raise BadSegment("it has nothing to speak")
        if len(spoken) > MAX_TOKENS:
            raise BadSegment(f"it has {len(spoken)} tokens, the model takes {MAX_TOKENS}")
        unknown = sorted(set(spoken) - self._vocabulary.keys())
        if unknown:
            raise BadSegment(f"the model has no sound for {' '.join(unknown)!r}")
        return [self._vocabulary[symbol] for symbol in spoken]

    def _style(self, voices: tuple[VoiceRef, ...], tokens: int) -> np.ndarray:
        """float32 [1, 256]: the voices' styles for so many tokens, averaged by weight."""
        for voice in voices:
            if voice.kind != "builtin" or voice.key not in _KNOWN:
                raise BadSegment(f"it has no voice {voice.key!r}")
        total = sum(voice.weight for voice in voices)
        if not voices or not np.isfinite(total) or total <= 0 or min(voice.weight for voice in voices) < 0:
            raise BadSegment("its voices' weights do not add up to more than 0")
        row = min(tokens, MAX_TOKENS) - 1
        mixed = sum(self._pack(voice.key)[row] * np.float32(voice.weight / total) for voice in voices)
        return np.asarray(mixed, np.float32)[None, :]

    def _pack(self, key: str) -> np.ndarray:
        if key not in self._styles:
            path = self._folder / "voices" / f"{key}.bin"
            if not _is_whole(path, VOICE_BYTES):  # one of the others, which an older cache_hub has not
                raise BadSegment(f"the voice {key} is not there: run 'tts-launch models fetch kokoro'")
            self._styles[key] = np.fromfile(path, np.float32).reshape(MAX_TOKENS, 256)
        return self._styles[key]


_KNOWN = frozenset(voice.id for voice in VOICES)


def _check(model_dir: Path) -> None:
    sizes = {model_dir / MODEL: MODEL_BYTES}
    needed = [voice for voice in VOICES if voice not in OTHERS]
    sizes |= {model_dir / "voices" / f"{voice.id}.bin": VOICE_BYTES for voice in needed}
    if not all(_is_whole(path, size) for path, size in sizes.items()):
        raise BadConfig("model_missing", model="kokoro", path=model_dir)


def _is_whole(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size


def _vocabulary(model_dir: Path) -> dict[str, int]:
    try:
        return dict(json.loads((model_dir / "vocab.json").read_text("utf-8"))["vocab"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadConfig("model_missing", model="kokoro", path=model_dir) from error


def _feed(tokens: list[int], style: np.ndarray, speed: float) -> dict[str, np.ndarray]:
    return {
        "tokens": np.array([[0, *tokens, 0]], np.int64),
        "style": style,
        "speed": np.array([speed], np.float32),
    }


def _speed(segment: Segment) -> float:
    try:
        speed = float(segment.params.get("speed", 1.0))
    except (TypeError, ValueError):
        raise BadSegment(f"its speed {segment.params['speed']!r} is not a number") from None
    if not SPEEDS[0] <= speed <= SPEEDS[1]:
        raise BadSegment(f"its speed {speed:g} is not in {SPEEDS[0]:g} to {SPEEDS[1]:g}")
    return speed


def _sound(samples: np.ndarray) -> np.ndarray:
    if not len(samples):
        raise BadSegment("the model made no sound")
    if not np.isfinite(samples).all():
        raise BadSegment("the model's sound has values that are no numbers")
    return samples


def _limited(samples: np.ndarray, max_seconds: float) -> np.ndarray:
    most = max(1, int(max_seconds * RATE))
    if len(samples) <= most:
        return samples
    samples = samples[:most].copy()
    fade = min(_FADE, most)
    samples[-fade:] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
    return samples
