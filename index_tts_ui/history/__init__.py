"""What was made, and with which settings: kept for each owner, found again, and used again."""

from .record import Entry, Preset, emotion_of, settings_of
from .store import History

__all__ = ["Entry", "History", "Preset", "emotion_of", "settings_of"]
