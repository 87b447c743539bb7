"""Numbers, dates, units and symbols in words, each stretch in its own language."""

from __future__ import annotations

from .chinese import normalise_zh
from .english import normalise_en
from .language import runs


def normalise(text: str, language: str = "") -> str:
    """``text`` as it is said. ``language`` as for :func:`.language.runs`, which decides run by run."""
    return "".join(normalise_run(run, spoken_in) for spoken_in, run in runs(text, language))


def normalise_run(text: str, language: str) -> str:
    """One run of one ``language`` ("zh" or "en"); white space at its ends stays."""
    if not text.strip():
        return text
    head = text[: len(text) - len(text.lstrip())]
    tail = text[len(text.rstrip()) :]
    said = (normalise_zh if language == "zh" else normalise_en)(text.strip())
    return f"{head}{said.strip()}{tail}"
