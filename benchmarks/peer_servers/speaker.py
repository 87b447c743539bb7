"""The engine that every peer serves, as one would call it by hand: texts in, sound out."""

from __future__ import annotations

import itertools
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from index_tts_ui import engines
from index_tts_ui.engines.base import EngineOptions
from index_tts_ui.speech import Segment, VoiceRef

VARIABLE = "TTS_PEER_SETTINGS"


@dataclass(frozen=True)
class Settings:
    """What a peer is started with. ``voice``: a built-in voice's name, or the sha256 of a clip."""

    port: int
    engine: str
    options: str
    model_dir: str
    clips: str
    voice: str
    rows: int = 16
    threads: int = 0

    @property
    def together(self) -> int:
        """How many texts to batch: Kokoro runs a few side by side, IndexTTS as many as it has rows."""
        return 2 if self.engine == "kokoro" else self.rows

    @classmethod
    def given(cls) -> Settings:
        """Those of this process: its argument, or the variable where the peer starts its own processes."""
        text = sys.argv[1] if sys.argv[1:2] and sys.argv[1].startswith("{") else os.environ[VARIABLE]
        os.environ[VARIABLE] = text
        return cls(**json.loads(text))

    def text(self) -> str:
        """The inverse of :meth:`given`."""
        return json.dumps(asdict(self))


class Speaker:
    """One engine, loaded. Not for two threads at once."""

    def __init__(self, settings: Settings) -> None:
        spec = engines.REGISTRY[settings.engine]
        self._frontend = engines.resolve(spec.frontend)(
            *((Path(settings.model_dir),) if spec.frontend_reads_model else ())
        )
        pairs = (part.partition("=") for part in settings.options.split(",") if part)
        options = EngineOptions(
            threads=settings.threads,
            max_rows=settings.rows,
            extra=tuple((key, value) for key, _, value in pairs),
            clips=Path(settings.clips),
        )
        self._engine = engines.resolve(spec.engine)(options)
        info = self._engine.load(Path(settings.model_dir), lambda _fraction, _text: None)
        self.rows: int = info.max_rows  # how many texts share a step
        self._voice = VoiceRef("clip" if len(settings.voice) == 64 else "builtin", settings.voice)
        self._numbers = itertools.count()

    def speak(self, texts: Sequence[str]) -> list[bytes]:
        """Each text's sound as 16 bit pcm; returns when all of them are done."""
        wanted = [self._segments(text) for text in texts]
        waiting = [segment for one in wanted for segment in one][::-1]
        missing = {segment.id for segment in waiting}
        spoken: dict[str, np.ndarray] = {}
        while missing:
            while waiting and self._engine.free() > 0:
                self._engine.admit(waiting.pop())
            for result in self._engine.step():
                assert result.audio is not None, result.message
                missing.discard(result.segment_id)
                spoken[result.segment_id] = result.audio.samples
        return [_pcm([spoken[segment.id] for segment in one]) for one in wanted]

    def _segments(self, text: str) -> list[Segment]:
        number = next(self._numbers)
        return [
            Segment(f"{number}/{n}", piece.text, piece.spoken, piece.tokens, piece.language, (self._voice,))
            for n, piece in enumerate(self._frontend.split(text))
        ]


def _pcm(parts: Sequence[np.ndarray]) -> bytes:
    return (np.clip(np.concatenate(parts), -1, 1) * 32767).astype("<i2").tobytes()
