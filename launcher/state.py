"""What the supervisor says of itself: its states as a table, and the state file, written atomically."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from .errors import NotPermitted
from .identity import Identity

VERSION = 1
_LIMIT = 1 << 20  # bytes of a state file that are worth reading


class State(StrEnum):
    """Supervisor's states (names as in Supervisor)."""

    STARTING = "STARTING"
    RUNNING = "RUNNING"
    BACKOFF = "BACKOFF"
    STOPPING = "STOPPING"
    EXITED = "EXITED"
    FATAL = "FATAL"


class Event(StrEnum):
    """What can happen to the server."""

    READY = "ready"  # it says that it can serve
    DIED = "died"  # it ended, and not well
    FINISHED = "finished"  # it ended by itself with code 0
    REFUSED = "refused"  # it ended with a code that no restart can mend
    STOP = "stop"  # somebody asked for a stop
    RETRY = "retry"  # the back-off is over
    GIVE_UP = "give_up"  # too many deaths in the window
    GONE = "gone"  # after a stop: nothing of it is left
    HANDOVER = "handover"  # a prepared server takes its place


TABLE: dict[tuple[State, Event], State] = {
    (State.STARTING, Event.READY): State.RUNNING,
    (State.STARTING, Event.DIED): State.BACKOFF,
    (State.STARTING, Event.FINISHED): State.BACKOFF,  # a server that ends before it is ready has failed
    (State.STARTING, Event.REFUSED): State.FATAL,
    (State.STARTING, Event.GIVE_UP): State.FATAL,  # it does not even die
    (State.STARTING, Event.STOP): State.STOPPING,
    (State.RUNNING, Event.DIED): State.BACKOFF,
    (State.RUNNING, Event.FINISHED): State.EXITED,
    (State.RUNNING, Event.REFUSED): State.FATAL,
    (State.RUNNING, Event.GIVE_UP): State.FATAL,
    (State.RUNNING, Event.STOP): State.STOPPING,
    (State.RUNNING, Event.HANDOVER): State.STARTING,
    (State.BACKOFF, Event.RETRY): State.STARTING,
    (State.BACKOFF, Event.GIVE_UP): State.FATAL,
    (State.BACKOFF, Event.STOP): State.STOPPING,
    (State.STOPPING, Event.GONE): State.EXITED,
}

FINAL = frozenset({State.EXITED, State.FATAL})


def after(state: State, event: Event) -> State:
    """The next state; an event that a state does not know changes nothing (a crash during a stop)."""
    return TABLE.get((state, event), state)


@dataclass
class Record:
    """The state file. ``arguments`` may hold secrets: it is for restart only and never printed."""

    state: State = State.STARTING
    ready: bool = False
    supervisor: Identity | None = None
    server: Identity | None = None
    generation: int = 0
    restarts: int = 0
    host: str = ""
    port: int = 0
    engine: str = ""
    device: str = ""
    fraction: float = 0.0
    text: str = ""
    reason: str = ""
    exit_code: int | None = None
    log_tail: list[str] = field(default_factory=list)
    stop_seconds: float = 60.0  # a stop takes at most this long
    given: dict[str, Any] = field(default_factory=dict)
    arguments: list[str] = field(default_factory=list)
    https: bool = False
    graceful: bool = False  # the supervisor takes restart requests; SIGUSR2 would end an older one
    answers: dict[str, Any] = field(default_factory=dict)  # to the last requests, by their id
    version: int = VERSION

    def to_bytes(self) -> bytes:
        """JSON; identities as objects."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1).encode("utf-8", "replace") + b"\n"


def parse(data: bytes) -> Record | None:
    """Tolerant: unknown keys are ignored, missing ones keep their default, nonsense is None."""
    try:
        raw = json.loads(data)
        values = {item.name: raw[item.name] for item in fields(Record) if item.name in raw}
        values["state"] = State(values.get("state", ""))
    except (ValueError, TypeError, RecursionError):
        return None
    for key in ("supervisor", "server"):
        values[key] = Identity.from_json(values.get(key))
    record = Record(**values)
    default = Record()
    for item in fields(Record):  # a value of the wrong type is as good as missing
        value, normal = getattr(record, item.name), getattr(default, item.name)
        if normal is not None and not isinstance(
            value, (int, float) if isinstance(normal, float) else type(normal)
        ):
            setattr(record, item.name, normal)
    return record


def read(path: Path) -> Record | None:
    """The record, or None where there is none that makes sense. Bounded; follows no link.

    Raises:
        NotPermitted: the path is a folder, a pipe or a link, or may not be read.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NotPermitted("cannot_read", path=path, reason=error.strerror) from error
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise NotPermitted("not_a_file", path=path)
        return parse(os.read(fd, _LIMIT))
    finally:
        os.close(fd)


def write_atomic(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Replace ``path``: temporary name beside it, flushed, renamed; readers see old or new, never half.

    Raises:
        OSError: the old file is as it was.
    """
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise NotPermitted("not_a_file", path=path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
        with open(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def pid_line(identity: Identity) -> bytes:
    """server.pid: the pid on a line of its own, then the rest of the identity."""
    return f"{identity.pid}\n{identity.host} {identity.boot} {identity.ticks}\n".encode()
