"""One server process: spawned in its own session with what it inherits, talked to over its control channel."""

from __future__ import annotations

import errno
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import journal
from .errors import Failed, NotInstalled
from .identity import MARKER, Identity, marker
from .kernel import dying_with_parent
from .messages import say
from .options import Settings
from .rotation import open_append

COMMAND = (
    "TTS_SERVER_COMMAND"  # replaces "python -m index_tts_ui"; the tests' server speaks the same protocol
)
_LINE = 1 << 16  # a longer control line is nonsense


def command(settings: Settings, environ: Mapping[str, str]) -> list[str]:
    """The server's command line. ``-P``: a file in the current folder must not shadow a module."""
    chosen = shlex.split(environ.get(COMMAND, "")) or [sys.executable, "-P", "-m", "index_tts_ui"]
    return chosen + settings.flags()


@dataclass
class Server:
    """A live child and the supervisor's end of its control channel (whose closing tells it to exit)."""

    identity: Identity
    generation: int
    control: socket.socket
    log_start: int  # where its output begins in server.log
    popen: subprocess.Popen[bytes]
    buffer: bytearray = field(default_factory=bytearray)
    open: bool = True  # whether it may still say something
    reason: str = ""  # why it is about to end, in its own words

    @property
    def pid(self) -> int:
        """Its pid; ours to reap, so it cannot be reused before that."""
        return self.identity.pid

    def send(self, kind: str, **fields: Any) -> None:
        """One control line; a server that has ended or does not read loses it, and never blocks us."""
        try:
            self.control.send(json.dumps({"type": kind, **fields}).encode() + b"\n")
        except OSError:
            pass  # its death is noticed by reaping, its hanging by its silence

    def receive(self) -> list[dict[str, Any]]:
        """The messages that have come; nonsense is dropped."""
        while True:
            try:
                data = self.control.recv(1 << 16)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            if not data:
                self.open = False
                break
            self.buffer += data
        *lines, rest = bytes(self.buffer).split(b"\n")
        self.buffer = bytearray(rest if len(rest) < _LINE else b"")
        return [message for line in lines if (message := _parse(line))]

    def close(self) -> None:
        """Close the channel: a server that still lives exits."""
        self.control.close()


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        message = json.loads(line)
    except ValueError:
        return None
    return message if isinstance(message, dict) and isinstance(message.get("type"), str) else None


def spawn(settings: Settings, generation: int, listen_fd: int, lock_fd: int, supervisor: Identity) -> Server:
    """Start one server. Its output goes to a file, never to a pipe that could fill or break.

    Raises:
        NotInstalled: the program is not there.
        Failed: no processes, descriptors or memory left.
    """
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    argv = command(settings, os.environ)
    log = settings.instance.server_log
    start = journal.size(log)
    environ = _environ(settings, supervisor, generation) | {
        "TTS_LISTEN_FD": str(listen_fd),
        "TTS_LOCK_FD": str(lock_fd),
        "TTS_CONTROL_FD": str(theirs.fileno()),
    }
    try:
        with theirs, open_append(log) as output:
            popen = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=settings.instance.home,
                env=environ,
                pass_fds=(listen_fd, lock_fd, theirs.fileno()),
                start_new_session=True,
                preexec_fn=dying_with_parent(),
            )
    except OSError as error:
        ours.close()
        missing = isinstance(error, (FileNotFoundError, PermissionError, NotADirectoryError))
        if missing or error.errno == errno.ENOEXEC:
            raise NotInstalled("cannot_execute", program=argv[0], reason=error.strerror) from error
        raise Failed("cannot_spawn", reason=error.strerror) from error
    # Not yet reaped, so /proc still shows it even if it has ended.
    identity = Identity.of(popen.pid) or Identity(supervisor.host, supervisor.boot, popen.pid, 0)
    return Server(identity, generation, ours, start, popen)


def _environ(settings: Settings, supervisor: Identity, generation: int) -> dict[str, str]:
    environ = {key: value for key, value in os.environ.items() if key != COMMAND}
    environ |= {
        MARKER: marker(settings.instance.key, supervisor),
        "TTS_GENERATION": str(generation),
        "PYTHONUNBUFFERED": "1",  # the last lines before a crash reach the log
        "PYTHONFAULTHANDLER": "1",  # SIGABRT writes the stacks of all threads
    }
    return environ


def describe(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return say("exit_code", code=code)
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = str(-code)
    return say("oom" if -code == signal.SIGKILL else "by_signal", signal=name)
