"""What can go wrong with a running instance, each as one function that leaves it running again.

Every deed begins with a ready instance. It says in the ledger what may lose requests, and how.
"""

from __future__ import annotations

import json
import random
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from email.utils import parsedate_to_datetime

from launcher.identity import Identity

from .ledger import Ledger
from .place import POLICY, Place, wait
from .watch import Watcher


class Deeds:
    """The conductor's repertoire."""

    def __init__(self, place: Place, ledger: Ledger, watcher: Watcher, chance: random.Random) -> None:
        self.place = place
        self.ledger = ledger
        self.watcher = watcher
        self.chance = chance

    def all(self) -> dict[str, Callable[[], None]]:
        """Name and function of those that work here."""
        found = {
            "restart": self.restart,
            "stop, start": self.stop_and_start,
            "forced stop, start": self.forced,
            "three starts at once": self.starts,
            "two restarts at once": self.restarts,
            "start while it runs": self.start_again,
            "SIGKILL of the server": self.kill_server,
            "SIGKILL of the worker": self.kill_worker,
            "SIGKILL of the supervisor": self.kill_supervisor,
            "SIGKILL of a command": self.kill_command,
            "SIGSTOP of the server": self.freeze_server,
            "a thief of the port": self.thief,
            "deleted run files": self.delete,
        }
        if self.place.graceful:
            found["graceful restart"] = self.graceful
        if self.place.clock.works:
            found["jump of the clock"] = self.jump
        if self.place.disks:
            found |= {"full disk for state": self.full_run, "full disk for logs": self.full_logs}
        return found

    def begin(self) -> None:
        """The first start."""
        self.place.must(0, "start")
        self.settled()

    def settled(self) -> None:
        """Wait until it serves and ``status`` says the truth."""
        wait("it serves", self.place.is_serving)
        wait("status says the truth", self._is_true, 20)
        self.ledger.ready()

    def _is_true(self) -> bool:
        said = self.place.status()
        return said["code"] == 0 and said["ready"] and self._pids("server") == [said["server_pid"]]

    def gone(self) -> None:
        """After a stop: nothing is left, and ``status`` says so."""
        if left := self.place.left():
            raise RuntimeError(f"after a stop there are still {sorted(left)}")
        self.place.must(3, "status")

    # commands

    def restart(self) -> None:
        """Stops accepting for a while, so requests may be refused."""
        self.ledger.outage("stop or restart", drained=True)
        self.place.must(0, "restart")

    def graceful(self) -> None:
        """No outage: nothing may be lost."""
        self.watcher.overlap.set()
        try:
            before = self.place.status()["server_pid"]
            self.place.must(0, "restart", "--graceful")
            wait("the old server is gone", lambda: before not in self._pids("server"))
        finally:
            self.watcher.overlap.clear()
        if self.place.status()["server_pid"] == before:
            raise RuntimeError("the server is still the old one")

    def stop_and_start(self) -> None:
        """With the drain."""
        self.ledger.outage("stop or restart", drained=True)
        self.place.must(0, "stop")
        self.gone()
        time.sleep(self.chance.uniform(0, 1))
        self.place.must(0, "start")

    def forced(self) -> None:
        """Without."""
        self.ledger.outage("forced stop")
        self.place.must(0, "stop", "--force")
        self.gone()
        self.place.must(0, "start")

    def starts(self) -> None:
        """One wins, all succeed."""
        self.ledger.outage("stop or restart", drained=True)
        self.place.must(0, "stop")
        self._together("start", 3)

    def restarts(self) -> None:
        """One after the other, or one for both."""
        self.ledger.outage("stop or restart", drained=True)
        self._together("restart", 2)

    def _together(self, command: str, count: int) -> None:
        children = [self.place.spawn(command, "--json") for _ in range(count)]
        ends = [self.place.finish(child) for child in children]
        if any(code for code, _ in ends):
            raise RuntimeError(f"{count} times {command}: {ends}")
        pids = {json.loads(out.splitlines()[-1])["pid"] for _, out in ends}
        if command == "start" and len(pids) != 1:
            raise RuntimeError(f"{command} made several servers: {pids}")

    def start_again(self) -> None:
        """The same server."""
        before = self.place.status()["server_pid"]
        if json.loads(self.place.must(0, "start", "--json").splitlines()[-1])["pid"] != before:
            raise RuntimeError("a start beside a running server made another one")

    def kill_command(self) -> None:
        """Somewhere in the middle; the next start finds out what is to be done."""
        command = self.chance.choice(["start", "stop", "restart"])
        self.ledger.outage("killed command")
        child = self.place.spawn(command)
        with suppress(subprocess.TimeoutExpired):
            child.wait(timeout=self.chance.uniform(0.05, 2))
        child.kill()
        child.communicate(timeout=60)
        self.place.must(0, "start")
        # a stop or restart that had reached its supervisor goes on without its command
        wait("it stays up", self._stays)

    def _stays(self) -> bool:
        before = self.place.supervisor()
        time.sleep(0.5)
        return before is not None and self.place.supervisor() == before and self.place.is_serving()

    # signals

    def _pids(self, role: str) -> list[int]:
        return [item.process.pid for item in self.place.role(role)]

    def _one(self, role: str) -> Identity:
        return self.chance.choice(self.place.role(role)).process

    def kill_server(self) -> None:
        """The socket stays open: only what was under way is lost."""
        before = self._one("server")
        self.ledger.outage("killed server", stays_open=True)
        before.signal(signal.SIGKILL)
        wait("another server", lambda: (pids := self._pids("server")) and before.pid not in pids)

    def freeze_server(self) -> None:
        """It is found hung, and replaced."""
        before = self._one("server")
        self.ledger.outage("frozen server", stays_open=True)
        before.signal(signal.SIGSTOP)
        wait("another server", lambda: (pids := self._pids("server")) and before.pid not in pids)

    def kill_worker(self) -> None:
        """No outage: nothing may be lost. Not twice in a row, since a segment is tried twice."""
        before = self._one("worker")
        before.signal(signal.SIGKILL)
        wait("another worker", lambda: (pids := self._pids("worker")) and before.pid not in pids)
        wait("it serves", self.place.is_serving)

    def kill_supervisor(self) -> None:
        """All the rest ends within seconds, or before the next start."""
        supervisor = self.place.supervisor()
        assert supervisor
        self.ledger.outage("killed supervisor")
        supervisor.signal(signal.SIGKILL)
        if self.chance.random() < 0.5:
            wait("all has ended", lambda: not self.place.left(), 10)
            self.place.must(1, "status")
        self.place.must(0, "start")

    # the world around

    def thief(self) -> None:
        """A start fails in one line, and works once the port is free."""
        self.ledger.outage("stop or restart", drained=True)
        self.place.must(0, "stop")
        with socket.create_server(("127.0.0.1", self.place.port)):
            said = self.place.must(1, "start")
            if "in use" not in said or self.place.left():
                raise RuntimeError(f"with a stolen port: {said}, {self.place.left()}")
        self.place.must(0, "start")

    def delete(self) -> None:
        """It is still the same instance, and the files come back."""
        before = self.place.status()["server_pid"]
        files = [path for path in self.place.instance.run.iterdir() if path.is_file()]
        for path in self.chance.sample(files, self.chance.randint(1, len(files))):
            path.unlink(missing_ok=True)
        if self.place.status()["code"] != 0:
            raise RuntimeError("after files were deleted, status does not find it")
        wait("the files are back", self.place.instance.state.exists)
        self.start_again()
        if before not in self._pids("server"):
            raise RuntimeError("the server changed")

    def jump(self) -> None:
        """Hours or days, ahead or back: nobody ends, and nothing may be lost."""
        before = {role: self._pids(role) for role in ("server", "worker")}
        away = self.chance.choice((-48, -1, 1, 48)) * 3600
        self.place.clock.jump(away)
        wait("the server lives by it", lambda: abs(self._server_time() - time.time() - away) < 60)
        time.sleep(POLICY["silence"] + 1)  # whoever measured silence by this clock has acted by now
        if before != (after := {role: self._pids(role) for role in before}):
            raise RuntimeError(f"after a jump of {away} s: {after}, before: {before}")

    def _server_time(self) -> float:
        """Seconds since the epoch, by the server's own clock."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.place.port}/healthz", timeout=10) as answer:
            return parsedate_to_datetime(answer.headers["Date"]).timestamp()

    def full_run(self) -> None:
        """A death is mended though its state cannot be written."""
        self._full("run")

    def full_logs(self) -> None:
        """And though nothing can be logged."""
        self._full("logs")

    def _full(self, name: str) -> None:
        ballast = self.place.home / name / "ballast"
        with ballast.open("wb", buffering=0) as file, suppress(OSError):
            for size in (1 << 16, 1 << 10, 1):
                with suppress(OSError):
                    while file.write(b"x" * size):
                        pass
        try:
            self.kill_server()
            wait("it serves", self.place.is_serving)
        finally:
            ballast.unlink()
