"""The processes below a supervisor, told apart by the server that they belong to."""

from __future__ import annotations

import os
from collections.abc import Callable

from . import tree
from .identity import Identity, marked
from .journal import Journal
from .policy import Policy
from .process import Server


class Family:
    """``servers`` names those that live; ``left`` is what the last sweep could not end."""

    def __init__(
        self, key: str, me: Identity, policy: Policy, log: Journal, servers: Callable[[], list[Server]]
    ) -> None:
        self.left: list[Identity] = []
        self._key = key
        self._me = me
        self._policy = policy
        self._log = log
        self._servers = servers

    def sweep(self, server: Server | None, gentle: float) -> list[Identity]:
        """End what is left of a server's tree, after ``gentle`` seconds in which workers end by themselves.

        Returns what even SIGKILL does not end.
        """
        self.left = tree.end(lambda: self.members(server), gentle, self._policy.kill, signum=0)
        for item in self.left:
            self._log(f"pid {item.pid} does not end (state D, a stuck driver?)")
        return self.left

    def members(self, server: Server | None) -> set[Identity]:
        """All below us, and all that carry our marker, but for other servers and what is below those."""
        spared = [item for item in self._servers() if item is not server]
        others = {item.identity for item in spared} | tree.descendants(item.pid for item in spared)
        ours = {item.process for item in marked(self._key) if item.supervisor == self._me}
        return (ours | tree.descendants([os.getpid()])) - others - {self._me}
