"""Two network namespaces with a cable between them: two machines, as far as a network can tell."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

HEAD, OTHER = "10.213.7.1", "10.213.7.2"


class NoNamespaces(Exception):
    """This machine makes none, and why."""


@dataclass(frozen=True)
class Cable:
    """The namespaces' names at both ends, and the link at the second."""

    head: str
    other: str
    link: str

    def cut(self) -> None:
        """Nothing passes from now on."""
        _ip("-n", self.other, "link", "set", self.link, "down")


@contextlib.contextmanager
def laid() -> Iterator[Cable]:
    """Gone afterwards. Raises NoNamespaces."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        raise NoNamespaces("network namespaces need root and iproute2")
    tag = f"{os.getpid() % 100000}"
    links = (f"va{tag}", f"vb{tag}")
    cable = Cable(f"ttsa{tag}", f"ttsb{tag}", links[1])
    names = (cable.head, cable.other)
    try:
        try:
            for name in names:
                _ip("netns", "add", name)
            pair = ("type", "veth", "peer", links[1], "netns", names[1])
            _ip("link", "add", links[0], "netns", names[0], *pair)
        except subprocess.CalledProcessError as error:
            raise NoNamespaces(f"no network namespaces here: {error.stderr.decode().strip()}") from error
        for name, link, address in zip(names, links, (HEAD, OTHER), strict=True):
            _ip("-n", name, "link", "set", "lo", "up")
            _ip("-n", name, "address", "add", f"{address}/24", "dev", link)
            _ip("-n", name, "link", "set", link, "up")
            _ip("-n", name, "route", "add", "default", "dev", link)
        yield cable
    finally:
        for name in names:
            with contextlib.suppress(subprocess.CalledProcessError):
                _ip("netns", "delete", name)


def inside(name: str) -> list[str]:
    """What goes before a command that runs in a namespace."""
    return ["ip", "netns", "exec", name]


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=20)
