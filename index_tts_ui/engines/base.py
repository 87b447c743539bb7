"""What an engine and its frontend must be. The worker knows nothing else of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ..speech import Audio, Piece, Reading, Segment, VoiceInfo, VoiceRef

Progress = Callable[[float, str], None]  # fraction 0-1, what is being done
# What a GPU's failure is called, without importing the library that calls it so: classes of torch, and
# words in the messages of plain RuntimeErrors of CUDA and its libraries.
DEVICE_ERRORS = frozenset({"OutOfMemoryError", "AcceleratorError", "CudaError", "DeferredCudaCallError"})
DEVICE_WORDS = (
    "CUDA error",
    "CUDA driver error",
    "CUBLAS_STATUS",
    "CUDNN_STATUS",
    "cuDNN error",
    "device-side assert",
)


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What the worker tells the server once the engine is loaded.

    ``max_rows``: segments that share one step. ``features``: names from
    "speed", "blend", "clone", "emotion", "emotion_text", "seed", "pronunciation", "transcript" (it uses
    what is said in a clip). ``patience``: how many
    times longer than usual one segment, and one step, may take (a large model on a CPU).
    """

    name: str
    version: str
    sample_rate: int  # Hz
    languages: tuple[str, ...]
    features: tuple[str, ...]
    max_rows: int
    patience: float = 1.0


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What the server hands to an engine's constructor."""

    device: str = "cpu"
    threads: int = 0  # 0: the engine's own choice
    max_rows: int = 16  # upper limit from max_batch_size
    extra: tuple[tuple[str, str], ...] = ()  # TTS_ENGINE_OPTIONS, key=value
    clips: Path = Path("voices/clips")  # where the clip of a VoiceRef("clip", key) is: <key>.wav
    memory_mb: int = 0  # of the device, that the engine may use; 0: what it finds free

    def get(self, key: str, default: str) -> str:
        """One value of ``extra``."""
        return dict(self.extra).get(key, default)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one segment: audio, or a failure that costs only this segment.

    ``code`` is "" for success, else a key of ``errors.MESSAGES``. ``engine_seconds``
    is the engine time the segment used.
    """

    segment_id: str
    audio: Audio | None
    code: str = ""
    message: str = ""
    retryable: bool = False
    engine_seconds: float = 0.0


class DeviceFailed(Exception):
    """The device failed under the engine (out of memory beyond mending, a CUDA error) and is of no more use
    to this process. An engine lets it, or the library's own error, out of ``step``: the worker ends, the next
    one takes the segments up again, one at a time."""


def is_device_failure(error: BaseException) -> bool:
    """Whether the GPU failed, in which case nothing more can be done with it in this process."""
    names = {kind.__name__ for kind in type(error).__mro__}
    return (
        isinstance(error, DeviceFailed)
        or bool(names & DEVICE_ERRORS)
        or (isinstance(error, RuntimeError) and any(word in str(error) for word in DEVICE_WORDS))
    )


class Engine(Protocol):
    """Called from the worker's engine thread only, except :meth:`cancel`.

    An engine whose step waits for something else than the device (threads of its own) may have ``nudge()``, too,
    for any thread: something has come for it, and a step that waits returns.
    """

    def __init__(self, options: EngineOptions) -> None: ...

    def load(self, model_dir: Path, progress: Progress) -> EngineInfo:
        """Read the weights and warm up. Raises ``BadConfig`` where a restart cannot help."""

    def free(self) -> int:
        """How many more segments may be admitted now (rows and later stages' backlog)."""

    def admit(self, segment: Segment) -> None:
        """Take a segment; bad input becomes a Result of a later step, not an exception."""

    def step(self) -> list[Result]:
        """One unit of work (<= 30 ms on a GPU; up to a whole row for a CPU engine). [] is fine: ask again while
        it is busy.

        Memory that ran out for some segments while the device is still good is a Result for each of
        them, ``retryable``: it then runs again, alone. Raises ``DeviceFailed`` (or a CUDA error of
        the library) where the device is good for nothing more.
        """

    def busy(self) -> bool:
        """Whether a step has anything to do."""

    def cancel(self, segment_id: str) -> None:
        """Drop a segment, also in the middle of a step. Any thread. Unknown ids are ignored.

        A cancelled segment yields no Result (or one that nobody reads).
        """

    def warm(self, voice: VoiceRef) -> None:
        """Prepare a voice ahead of its first segment."""

    def stats(self) -> dict[str, Any]:
        """Small, JSON-able figures for metrics: rows, memory, ..."""

    def close(self) -> None:
        """Let go of the device."""


class Frontend(Protocol):
    """The torch-free half: runs in the server, needs no model, may be called from any thread."""

    max_tokens: int  # the most tokens one segment may hold

    def voices(self) -> Sequence[VoiceInfo]:
        """The built-in voices, best first for each language."""

    def split(
        self,
        text: str,
        language: str = "",
        voice_language: str = "zh-CN",
        budget: int | None = None,
        readings: Sequence[Reading] = (),
    ) -> list[Piece]:
        """Clean, normalise and cut ``text`` at sentence ends; [] where nothing can be spoken.

        The first piece is kept short, so that its sound comes soon. No piece is over
        ``budget`` tokens (default: the engine's own choice, never above ``max_tokens``),
        none is cut inside a word or number. ``language`` ("zh", "en", "") "" is decided
        by the text, and by ``voice_language`` ("zh-CN", "en-US", "en-GB": the accent, too)
        where the text, such as "2026", does not tell. ``readings`` are said wherever their words stand, in
        the sentences of their language; of a kind that the engine has not, they are left out.
        """

    def unsayable(self, reading: Reading) -> str:
        """The part of a reading, of a kind that the engine has, which is none to it; "" where it can say it all."""

    def count(self, text: str, language: str = "", voice_language: str = "zh-CN") -> int:
        """Tokens that ``text`` costs."""
