"""The real embedded engine as a function, for tests of what comes after it."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from index_tts_ui.engines import REGISTRY, resolve
from index_tts_ui.engines.base import EngineOptions, Result
from index_tts_ui.speech import Piece, Reading, Segment, VoiceRef

DEADLINE = 120.0  # seconds for one text; a loaded machine needs a few


class Speaker:
    """Kokoro, loaded once; what was said stays remembered."""

    def __init__(self, model_dir: Path) -> None:
        spec = REGISTRY["kokoro"]
        self._frontend = resolve(spec.frontend)()
        self._engine = resolve(spec.engine)(EngineOptions(threads=2))
        self._engine.load(model_dir, lambda fraction, text: None)
        self._said: dict[tuple[str, str, tuple[Reading, ...]], np.ndarray] = {}

    def say(self, text: str, voice: str, readings: tuple[Reading, ...] = ()) -> np.ndarray:
        """``text`` as the engine gives it, segment after segment, nothing levelled or trimmed."""
        key = text, voice, readings
        if key not in self._said:
            pieces = self._frontend.split(text, readings=readings)
            self._said[key] = np.concatenate([self._speak(piece, voice) for piece in pieces])
        return self._said[key]

    def close(self) -> None:
        """Let the model go."""
        self._engine.close()

    def _speak(self, piece: Piece, voice: str) -> np.ndarray:
        self._engine.admit(
            Segment(
                id="test/0",
                text=piece.text,
                spoken=piece.spoken,
                tokens=piece.tokens,
                language=piece.language,
                voices=(VoiceRef("builtin", voice),),
            )
        )
        result = self._result()
        assert result.audio is not None, (
            f"the engine failed on {piece.text!r}: {result.code} {result.message}"
        )
        return result.audio.samples

    def _result(self) -> Result:
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            for result in self._engine.step():
                return result
        raise AssertionError(f"the engine gave no result within {DEADLINE:g} s")
