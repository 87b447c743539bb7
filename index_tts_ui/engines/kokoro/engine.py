"""Kokoro-82M through onnxruntime on the CPU: one segment a step."""

from __future__ import annotations

import json
import os
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import BadConfig
from ...speech import Audio, Segment, VoiceRef
from ..base import EngineInfo, EngineOptions, Progress, Result
from .voices import VOICES

RATE = 24_000  # Hz
MAX_TOKENS = 510
MODEL_BYTES = 92_361_271
VOICE_BYTES = 522_240  # float32 [510, 1, 256]: one style for each number of tokens
SPEEDS = (0.25, 4.0)
_WARM_UP = "həlˈO."
_FADE = RATE // 100  # samples; a sound cut at max_seconds ends without a click


class BadSegment(Exception):
    """The segment cannot be spoken; its text says why."""


class KokoroEngine:
    """See ``engines.base.Engine``. ``params`` may hold "speed"; voices blend by their weights."""

    def __init__(self, options: EngineOptions) -> None:
        self._threads = options.threads or min(4, len(os.sched_getaffinity(0)))
        self._session: Any = None
        self._failures: tuple[type[Exception], ...] = ()
        self._vocabulary: dict[str, int] = {}
        self._folder = Path()
        self._styles: dict[str, np.ndarray] = {}  # id: float32 [510, 256]
        self._lock = threading.Lock()  # guards the two below, which cancel() touches
        self._waiting: deque[Segment] = deque()
        self._running: tuple[str, Any] | None = None  # segment id, onnxruntime.RunOptions
        self._spoken = 0
        self._audio_seconds = 0.0
        self._engine_seconds = 0.0

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
        self._open(model_dir)
        progress(0.8, "warming up")
        self._infer(self._tokens(_WARM_UP), self._style((VoiceRef("builtin", VOICES[0].id),), 1), 1.0, None)
        progress(1.0, "ready")
        return EngineInfo("kokoro", "1.0-int8", RATE, ("zh", "en"), ("speed", "blend"), max_rows=1)

    def free(self) -> int:
        """1, or 0 while a segment waits or runs."""
        with self._lock:
            return 0 if self._waiting or self._running else 1

    def admit(self, segment: Segment) -> None:
        """Queue a segment for the next step."""
        with self._lock:
            self._waiting.append(segment)

    def busy(self) -> bool:
        """Whether a segment waits."""
        with self._lock:
            return bool(self._waiting)

    def step(self) -> list[Result]:
        """Speak the oldest waiting segment, whole. [] where there is none or it was cancelled."""
        import onnxruntime

        with self._lock:
            if not self._waiting:
                return []
            segment = self._waiting.popleft()
            options = onnxruntime.RunOptions()
            self._running = (segment.id, options)
        try:
            return self._speak(segment, options)
        finally:
            with self._lock:
                self._running = None

    def cancel(self, segment_id: str) -> None:
        """Drop a waiting segment, or end the model's run within milliseconds. Any thread."""
        with self._lock:
            self._waiting = deque(segment for segment in self._waiting if segment.id != segment_id)
            if self._running and self._running[0] == segment_id:
                self._running[1].terminate = True

    def warm(self, voice: VoiceRef) -> None:
        """Read a voice's styles ahead; an unknown voice fails with its segment, not here."""
        if voice.key in _KNOWN:
            self._pack(voice.key)

    def stats(self) -> dict[str, Any]:
        """``rows`` in work, segments ``spoken``, and the real-time factor ``rtf`` so far."""
        with self._lock:
            rows = len(self._waiting) + (self._running is not None)
        rtf = self._engine_seconds / self._audio_seconds if self._audio_seconds else 0.0
        return {"rows": rows, "spoken": self._spoken, "threads": self._threads, "rtf": round(rtf, 3)}

    def close(self) -> None:
        """Let go of the model."""
        self._session = None
        self._styles.clear()

    # ---- one segment

    def _speak(self, segment: Segment, options: Any) -> list[Result]:
        began = time.monotonic()
        try:
            tokens = self._tokens(segment.spoken)
            style = self._style(segment.voices, len(tokens))
            samples = self._infer(tokens, style, _speed(segment), options)
            samples = _limited(_sound(samples), segment.max_seconds)
        except BadSegment as error:
            return [_failure(segment, str(error), time.monotonic() - began)]
        except self._failures as error:
            if options.terminate:
                return []
            return [_failure(segment, f"the model failed: {error}", time.monotonic() - began)]
        seconds = time.monotonic() - began
        self._spoken += 1
        self._audio_seconds += len(samples) / RATE
        self._engine_seconds += seconds
        return [Result(segment.id, Audio(RATE, samples), engine_seconds=seconds)]

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
            data = np.fromfile(self._folder / "voices" / f"{key}.bin", np.float32)
            self._styles[key] = data.reshape(MAX_TOKENS, 256)
        return self._styles[key]

    def _infer(self, tokens: list[int], style: np.ndarray, speed: float, options: Any) -> np.ndarray:
        feed = {
            "tokens": np.array([[0, *tokens, 0]], np.int64),
            "style": style,
            "speed": np.array([speed], np.float32),
        }
        return np.asarray(self._session.run(None, feed, options)[0], np.float32).reshape(-1)

    def _open(self, model_dir: Path) -> None:
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as native

        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = self._threads
        settings.log_severity_level = 4  # a cancelled run is no error to log
        # threads that spin while they wait make everything else on the machine 2-5 times slower
        settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(
                str(model_dir / "model.onnx"), settings, providers=["CPUExecutionProvider"]
            )
        except (native.InvalidProtobuf, native.InvalidGraph, native.Fail, native.NoSuchFile) as error:
            raise BadConfig("model_missing", model="kokoro", path=model_dir) from error
        self._failures = (native.Fail, native.RuntimeException, native.InvalidArgument, RuntimeError)


_KNOWN = frozenset(voice.id for voice in VOICES)


def _check(model_dir: Path) -> None:
    sizes = {model_dir / "model.onnx": MODEL_BYTES}
    sizes |= {model_dir / "voices" / f"{voice.id}.bin": VOICE_BYTES for voice in VOICES}
    for path, size in sizes.items():
        if not path.is_file() or path.stat().st_size != size:
            raise BadConfig("model_missing", model="kokoro", path=model_dir)


def _vocabulary(model_dir: Path) -> dict[str, int]:
    try:
        return dict(json.loads((model_dir / "vocab.json").read_text("utf-8"))["vocab"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadConfig("model_missing", model="kokoro", path=model_dir) from error


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


def _failure(segment: Segment, reason: str, seconds: float) -> Result:
    return Result(segment.id, None, "engine_failed", reason, retryable=False, engine_seconds=seconds)
