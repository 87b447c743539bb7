"""The watcher, with processes that only look like servers."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from launcher.identity import MARKER, Identity, marker, this_host

from .ledger import Ledger
from .place import Place, wait
from .watch import INTERVAL, Watcher

# sys.argv says what it looks like; with "forks", a child that never comes to a program of its own
LIKE_A_SERVER = "import os, sys, time\nif 'forks' in sys.argv: os.fork()\ntime.sleep(60)"


@pytest.fixture
def place() -> Iterator[Place]:
    """An instance that was never started."""
    made = Place()
    yield made
    made.clean_up()


@contextlib.contextmanager
def servers(place: Place, *arguments: str) -> Iterator[None]:
    """One process for each argument, all of one supervisor, which is gone: ending them must not end the test."""
    supervisor = Identity(*this_host(), 1 << 22, 1)
    environ = os.environ | {MARKER: marker(place.instance.key, supervisor)}
    with contextlib.ExitStack() as stack:
        for argument in arguments:
            argv = [sys.executable, "-c", LIKE_A_SERVER, "index_tts_ui", argument]
            child = stack.enter_context(subprocess.Popen(argv, env=environ))
            stack.callback(child.kill)
        yield


@pytest.mark.parametrize(
    ("arguments", "violated"), [(("forks",), False), (("", ""), True), (("", "forks"), True)]
)
def test_a_child_before_its_own_program_is_no_second_server(
    place: Place, arguments: tuple[str, ...], violated: bool
) -> None:
    with servers(place, *arguments):
        processes = len(arguments) + arguments.count("forks")
        wait("all of them", lambda: len(place.role("server")) == processes)
        ledger = Ledger()
        watcher = Watcher(place, ledger)
        watcher.start()
        wait("three looks", lambda: watcher.looks >= 3, 30 * INTERVAL + 10)
        watcher.stop()
        assert any("2 servers at once" in said for said in ledger.violations) == violated
