"""Text before any engine: clean it, say its numbers in words, cut it into pieces (zh, en, mixed)."""

from .clean import clean
from .language import dominant, has_words, runs
from .normalise import normalise
from .split import Limits, Rendered, split, unhurried

__all__ = ["Limits", "Rendered", "clean", "dominant", "has_words", "normalise", "runs", "split", "unhurried"]
