"""VoxCPM 1.5 and 2 as engines: one segment at a time, a patch of sound (0.16 s) in a step."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from ...audio import at_speed
from ...speech import Audio, Segment, VoiceRef
from ..base import EngineInfo, EngineOptions, Progress, Result, is_device_failure
from ..indextts.clips import ClipError, read
from . import model
from .prompt import Row, Voice

STEPS, GUIDANCE = 10, 2.0  # the package's own
VOICES = 64  # clips whose patches are kept: a tenth of a megabyte each
CPU_PATIENCE = 60.0
DTYPES = {"auto": "auto", "fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}


class Refused(Exception):
    """One segment cannot be spoken; ``code`` is a key of ``errors.MESSAGES``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class _Speech:
    """The segment in work."""

    segment: Segment
    row: Row
    coming: Iterator[torch.Tensor]
    began: float
    patches: list[torch.Tensor] = field(default_factory=list)


class VoxCPMEngine:
    """See ``engines.base.Engine``. Options: dtype (auto, fp32, bf16, fp16)."""

    name = ""
    languages: tuple[str, ...] = ()

    def __init__(self, options: EngineOptions) -> None:
        self._options = options
        self._model: model.Model
        self._voices: OrderedDict[str, Voice] = OrderedDict()
        self._lock = threading.Lock()  # guards the three below, which cancel() touches
        self._waiting: list[Segment] = []
        self._speech: _Speech | None = None
        self._dropped = ""  # id of a segment in work
        self._spoken = 0
        self._seconds = [0.0, 0.0]  # of work, of sound

    def load(self, model_dir: Path, progress: Progress) -> EngineInfo:
        """Read the weights. Raises BadConfig, and ImportError where the package is missing."""
        options = self._options
        if options.threads:
            torch.set_num_threads(options.threads)
        progress(0.1, "loading the model")
        dtype = DTYPES.get(options.get("dtype", "auto"), "auto")
        self._model = model.load(model_dir, self.name, options.device, dtype)
        progress(1.0, "ready")
        on_cpu = options.device == "cpu"
        return EngineInfo(
            self.name,
            self.name.removeprefix("voxcpm"),
            self._model.rate,
            self.languages,
            ("speed", "clone", "seed", "transcript"),
            max_rows=1,
            patience=CPU_PATIENCE if on_cpu else 1.0,
        )

    # ---- the worker's questions

    def free(self) -> int:
        """One, while nothing waits or is spoken."""
        with self._lock:
            return 0 if self._waiting or self._speech else 1

    def admit(self, segment: Segment) -> None:
        """The next step begins it, or the one after what is in work."""
        with self._lock:
            self._waiting.append(segment)

    def busy(self) -> bool:
        """Whether there is one."""
        with self._lock:
            return bool(self._waiting or self._speech)

    def cancel(self, segment_id: str) -> None:
        """The next step goes without it. Any thread."""
        with self._lock:
            self._waiting = [segment for segment in self._waiting if segment.id != segment_id]
            if self._speech is not None and self._speech.segment.id == segment_id:
                self._dropped = segment_id

    def warm(self, voice: VoiceRef) -> None:
        """Hear a clip ahead of its first segment; what is wrong with it is told then."""
        try:
            self._voice(voice)
        except (Refused, ClipError):
            pass

    def stats(self) -> dict[str, Any]:
        """``rows`` in work, segments ``spoken``, and the real-time factor ``rtf`` so far."""
        with self._lock:
            rows = len(self._waiting) + (self._speech is not None)
        work, sound = self._seconds
        return {"rows": rows, "spoken": self._spoken, "rtf": round(work / sound, 3) if sound else 0.0}

    def close(self) -> None:
        """Nothing: the process's end lets go of the device."""

    # ---- one segment

    def step(self) -> list[Result]:
        """One patch more, or the sound of all of them."""
        speech = self._current()
        if speech is None:
            return []
        if isinstance(speech, Result):
            return [speech]
        try:
            patch = next(speech.coming, None)
            if patch is not None:
                speech.patches.append(patch)
                return []
            return [self._finished(speech)]
        except model.TooLong:
            return [
                self._end(_failure(speech.segment, "engine_failed", "text and clip are too long together"))
            ]
        except torch.OutOfMemoryError as error:
            return [self._end(_failure(speech.segment, "out_of_memory", str(error)[:200], retryable=True))]
        except RuntimeError as error:
            if is_device_failure(error):
                raise
            return [self._end(_failure(speech.segment, "engine_failed", f"the model failed: {error}"[:300]))]

    def _current(self) -> _Speech | Result | None:
        """What is in work, or begins now; a Result where it cannot begin."""
        with self._lock:
            if self._speech is not None and self._dropped == self._speech.segment.id:
                self._speech = None
            self._dropped = ""
            if self._speech is not None:
                return self._speech
            segment = self._waiting.pop(0) if self._waiting else None
        if segment is None:
            return None
        try:
            speech = self._begun(segment)
        except (Refused, ClipError) as error:
            return _failure(segment, error.code, str(error))
        with self._lock:
            self._speech = speech
        return speech

    def _begun(self, segment: Segment) -> _Speech:
        began = time.monotonic()
        voice = segment.voices[0] if segment.voices else None
        if voice is None or voice.kind != "clip":
            raise Refused("engine_failed", "it has no clip to speak like")
        if self._model.needs_words and not voice.text:
            raise Refused("transcript_missing", voice.key[:8])
        params = segment.params
        take = model.Take(
            int(params.get("inference_timesteps", STEPS)),
            float(params.get("cfg_value", GUIDANCE)),
            segment.seed,
            segment.max_seconds,
        )
        row = self._model.row(segment.spoken, voice.text, self._voice(voice))
        return _Speech(segment, row, self._model.patches(row, segment.spoken, take), began)

    def _voice(self, voice: VoiceRef) -> Voice:
        if voice.key not in self._voices:
            self._voices[voice.key] = self._model.hear(read(self._options.clips, voice.key))
        self._voices.move_to_end(voice.key)
        while len(self._voices) > VOICES:
            self._voices.popitem(last=False)
        return self._voices[voice.key]

    def _finished(self, speech: _Speech) -> Result:
        samples = self._model.sound(speech.row, speech.patches)
        audio = at_speed(Audio(self._model.rate, samples), float(speech.segment.params.get("speed", 1.0)))
        seconds = time.monotonic() - speech.began
        self._spoken += 1
        self._seconds[0] += seconds
        self._seconds[1] += audio.seconds
        return self._end(Result(speech.segment.id, audio, engine_seconds=seconds))

    def _end(self, result: Result) -> Result:
        with self._lock:
            self._speech = None
        return result


class VoxCPM15Engine(VoxCPMEngine):
    """VoxCPM 1.5: 44.1 kHz; a voice needs the words of its clip."""

    name = "voxcpm1.5"
    languages = ("zh", "en")


class VoxCPM2Engine(VoxCPMEngine):
    """VoxCPM 2: 48 kHz; the words of a clip bring the clone closer."""

    name = "voxcpm2"
    languages = ("zh", "en", "ja", "es", "ar")


def _failure(segment: Segment, code: str, message: str, retryable: bool = False) -> Result:
    return Result(segment.id, None, code, message, retryable)
