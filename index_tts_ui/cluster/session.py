"""Session: what one front asked of a replica, since it connected."""

from __future__ import annotations

from typing import Any

from ..speech import Segment
from .peer import Peer


class Session:
    """What one front asked for, since it was connected."""

    def __init__(self, peer: Peer, number: int) -> None:
        self.peer = peer
        # the same segment may come again by the next connection, while the worker still drops the first one
        self.mark = f"@{number}" if number > 1 else ""
        self.generation = 0
        self.base = 0  # segments the worker had been sent before; the front counts from there
        self.live: dict[str, int] = {}  # segments under way, and their attempts
        self.waiting: dict[str, tuple[Segment, int, bool, set[str]]] = {}  # those that lack clips

    def landed(self, marked: str, attempt: int) -> str:
        """The front's name of a segment that came back; "" where it waits for none such."""
        name = marked.removesuffix(self.mark)
        if not marked.endswith(self.mark) or self.live.get(name) != attempt:
            return ""
        del self.live[name]
        return name

    def say(self, kind: str, **fields: Any) -> None:
        """To the front, about the worker that it asked for."""
        self.peer.send(kind, generation=self.generation, **fields)
