"""Gradio, imported as this page wants it: it asks nobody outside, and starts in two thirds of its time.

Import it from here first; after that ``import gradio`` finds it as it is.
"""

from __future__ import annotations

import contextlib
import inspect
import os
from collections.abc import Iterator
from typing import Any

# Read when gradio is imported: no look-ups outside, no summary of usage after each event.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", "1000000000")
os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "1")


@contextlib.contextmanager
def no_stubs() -> Iterator[None]:
    """Each start Gradio parses its components' sources, to write stubs for editors beside them: a second of work.

    Not where ``inspect`` knows no file of a component, as with one that was typed into a console.
    """
    getfile = inspect.getfile

    def of_others(thing: Any) -> str:
        if getattr(thing, "__module__", None) and thing.__module__.startswith("gradio."):
            raise OSError("stubs are for editors")
        return getfile(thing)

    inspect.getfile = of_others  # type: ignore[assignment]
    try:
        yield
    finally:
        inspect.getfile = getfile


with no_stubs():
    import gradio

__all__ = ["gradio"]
