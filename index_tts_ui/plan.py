"""WorkerPlan: how one worker of the service is started, or reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .links import HostedLink, LinkFactory, Listener, LocalLink


@dataclass(frozen=True)
class WorkerPlan:
    """How to start a worker: its command line, its device's part of the environment, descriptors it keeps.

    Or, by ``link``, how to reach one that is no process of ours; of the rest only ``device`` (its name) counts
    then. One that ``returns`` may come back by itself whatever its loads said: it is tried for ever.
    """

    arguments: Sequence[str] = ()
    keep_fds: tuple[int, ...] = ()
    memory_mb: int = 0  # above it a worker is replaced, once what it has is spoken; 0: no limit
    device: str = "cpu"  # as people call it
    environ: Mapping[str, str] = field(default_factory=dict)
    home: str = ""  # this folder's name is kept from people elsewhere, where a reason has it
    link: LinkFactory | None = None  # None: a process of this machine
    returns: bool = False

    def open(self, generation: int, listener: Listener) -> HostedLink:
        """The link of a new generation, not yet started."""
        if self.link is not None:
            return self.link(generation, listener)
        return LocalLink(generation, listener, self.arguments, self.keep_fds, self.environ)
