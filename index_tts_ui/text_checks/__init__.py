"""Text checks: what may refuse a text before it is spoken, by name: built in, or a plugin's.

A plugin is an entry point of the group ``index_tts_ui.text_checks``: a factory that is called with the
``Config`` at the start and returns a ``TextCheck``. It raises BadConfig where it cannot work.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Protocol

from ..config import Config
from ..errors import BadConfig
from ..speech import Owner
from .wordlist import WordList

GROUP = "index_tts_ui.text_checks"


class TextCheck(Protocol):
    """Called for each text, in a thread of a pool, before anything else is done with it."""

    def __call__(self, text: str, owner: Owner) -> None:
        """Raises a TTSError, such as ``Invalid("text_refused", param="input")``, where it is not to be spoken."""


BUILT_IN: dict[str, Callable[[Config], TextCheck]] = {"wordlist": lambda config: WordList(config.wordlist)}


def load(config: Config) -> tuple[TextCheck, ...]:
    """The checks that the setting names, in its order. Raises BadConfig."""
    return tuple(_factory(name)(config) for name in config.listed("text_checks"))


def _factory(name: str) -> Callable[[Config], TextCheck]:
    if name in BUILT_IN:
        return BUILT_IN[name]
    found = list(entry_points(group=GROUP, name=name))
    if not found:
        known = ", ".join(sorted({*BUILT_IN, *entry_points(group=GROUP).names}))
        raise BadConfig("bad_config", name="text_checks", reason=f"there is no '{name}', but: {known}")
    try:
        factory: Callable[[Config], TextCheck] = found[0].load()
    except Exception as error:  # whatever somebody else's module raises when it is imported
        reason = f"'{name}' cannot be loaded: {type(error).__name__}: {error}"
        raise BadConfig("bad_config", name="text_checks", reason=reason) from error
    return factory
