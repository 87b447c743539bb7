"""A voice library as one server holds it."""

from __future__ import annotations

from pathlib import Path

from index_tts_ui.librarian import Librarian
from index_tts_ui.library import VoiceLibrary
from index_tts_ui.speech import VoiceInfo
from index_tts_ui.voices import VoiceStore
from tests.recordings import MINE, recording


class Place:
    """A library with its librarian and store, as one server holds them."""

    def __init__(self, folder: Path, builtin: tuple[VoiceInfo, ...] = (), default: str = "") -> None:
        self.library = VoiceLibrary(folder)
        self.store = VoiceStore(builtin, default, self.library, "tone-clone", blends=bool(builtin))
        self.librarian = Librarian(self.library, self.store)

    def add(self, name: str, seed: int = 0, **details: object) -> VoiceInfo:
        """A voice of a recording of its own."""
        key = self.library.add_clip(recording(seed)).key
        return self.librarian.add(key, name, statement=MINE, owner="me", **details)  # type: ignore[arg-type]
