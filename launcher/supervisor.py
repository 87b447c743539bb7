"""Keeps one server alive: spawn, listen, judge, restart with back-off, give up, stop.

A signal handler only records; the loop acts. All times are monotonic.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

from . import journal, tree
from .errors import EXIT_CONFIG, EXIT_USAGE, LauncherError, NotInstalled
from .identity import Identity, marked, me
from .keeper import Keeper
from .lock import Lock
from .messages import say
from .options import Settings
from .policy import Backoff, Policy
from .process import Server, describe, spawn
from .signals import Signals
from .state import FINAL, Event, Record, State

_PR_SET_CHILD_SUBREAPER = 36  # prctl(2)
_TICK = 1.0  # seconds; the longest sleep, so that even a missed wake-up heals
_NEVER = float("inf")
_UP = (State.STARTING, State.RUNNING)


class Supervisor:
    """One instance's supervisor; ``run`` returns its exit code."""

    def __init__(self, settings: Settings, lock: Lock, sock: socket.socket, log: journal.Journal) -> None:
        self.settings = settings
        self.lock = lock
        self.sock = sock
        self.log = log
        self.policy = Policy.load(os.environ)
        self.backoff = Backoff(self.policy)
        self.me = me()
        self.keeper = Keeper(settings.instance, self._first_record(), log)
        self.server: Server | None = None
        self.deadline = _NEVER  # when the present state's next decision is due
        self.ready_at: float | None = None
        self.hung = self.asked = self.force = self.termed = False
        self.interrupts = 0
        self.left: list[Identity] = []
        self.signals = Signals((signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGCHLD))

    def _first_record(self) -> Record:
        settings, policy = self.settings, self.policy
        bound = settings.drain_timeout + policy.term + policy.kill + policy.orphans + 10
        shared = {key: getattr(settings, key) for key in ("host", "port", "engine", "device", "given")}
        return Record(supervisor=self.me, stop_seconds=bound, arguments=list(settings.forwarded), **shared)

    def run(self, started: Callable[[], None] = lambda: None) -> int:
        """Until the server has ended for good. Raises OSError where the state cannot be written."""
        adopt_orphans()
        self.keeper.write()  # before there is a child: a full disk leaves nothing behind
        started()
        self.spawn()
        while self.keeper.state not in FINAL:
            self.sleep()
            self.obey()
            self.listen()
            self.reap()
            self.judge()
        self.sock.close()
        return self.keeper.close(self.asked, self.left)

    # what is heard

    def sleep(self) -> None:
        """Until something happens or the next deadline comes."""
        sockets = [self.server.control] if self.server else []
        self.signals.wait(min(_TICK, self.deadline - time.monotonic()), sockets)
        self.keeper.restore()

    def obey(self) -> None:
        """Act on signals: a stop, and with a second Ctrl+C (or SIGQUIT) a quick one."""
        for number in self.signals.take():
            if number == signal.SIGCHLD or (number == signal.SIGHUP and os.getsid(0) == os.getpid()):
                continue  # a detached supervisor has no terminal that could hang up
            self.interrupts += number == signal.SIGINT
            self.force |= number == signal.SIGQUIT or self.interrupts > 1
            self.stop(signal.Signals(number).name)

    def listen(self) -> None:
        """Take in what the server says; any message is a sign of life."""
        for message in self.server.receive() if self.server else ():
            if self.keeper.state in _UP and not self.hung:
                self.deadline = time.monotonic() + self.policy.silence
            if handler := _HANDLERS.get(message["type"]):
                handler(self, message)

    def on_hello(self, message: dict[str, Any]) -> None:
        """Its process is up; from now on its loop beats."""
        self.log(f"server {message.get('pid')} says hello (generation {message.get('generation')})")

    def on_loading(self, message: dict[str, Any]) -> None:
        """Progress of the model."""
        fraction = message.get("fraction")
        known = min(1.0, max(0.0, fraction)) if isinstance(fraction, (int, float)) else 0.0
        self.keeper.update(fraction=known, text=str(message.get("text", ""))[:200], ready=False)

    def on_ready(self, message: dict[str, Any]) -> None:
        """It can serve."""
        self.ready_at = self.ready_at or time.monotonic()
        self.backoff.ever_ready = True
        self.keeper.apply(Event.READY)
        self.keeper.update(ready=self.keeper.state == State.RUNNING, fraction=1.0, text="", reason="")

    def on_drained(self, message: dict[str, Any]) -> None:
        """Nothing is under way in it any more: no need to wait longer."""
        self.log(f"drained, {message.get('cancelled', 0)} cancelled")
        if self.keeper.state == State.STOPPING and not self.termed:
            self.deadline = time.monotonic()

    def on_fatal(self, message: dict[str, Any]) -> None:
        """Why it is about to end."""
        self.keeper.record.reason = str(message.get("reason", ""))[:500]

    # what is done

    def spawn(self) -> None:
        """The next generation; it may serve at once, since nothing of an older one is left."""
        self.hung, self.ready_at = False, None
        self.deadline = time.monotonic() + self.policy.hello
        record = self.keeper.record
        record.generation += 1
        self.keeper.update(fraction=0.0, text="", log_tail=[])
        try:
            self.server = spawn(self.settings, record.generation, self.sock.fileno(), self.lock.fd, self.me)
        except LauncherError as error:
            self.not_spawned(error)
            return
        self.log(f"server {self.server.pid} started (generation {record.generation})")
        self.server.send("accept")
        self.keeper.update(server=self.server.identity)
        self.keeper.write_pid(self.server.identity)

    def not_spawned(self, error: LauncherError) -> None:
        """A missing program stays missing; want of memory or processes may pass."""
        self.log(error.message)
        self.keeper.update(reason=error.message, exit_code=error.exit_code)
        self.keeper.apply(Event.REFUSED if isinstance(error, NotInstalled) else Event.DIED)
        self.back_off()

    def stop(self, why: str) -> None:
        """Begin to stop, or hurry a stop that is under way; it is never undone."""
        if self.keeper.state != State.STOPPING:
            self.log(f"stopping ({why})")
            self.asked = True
            self.keeper.apply(Event.STOP)
            self.keeper.update(ready=False, reason="")
            self.deadline = time.monotonic()
            if self.server and self.ready_at and not self.force:
                self.server.send("drain", seconds=self.settings.drain_timeout)
                self.deadline += self.settings.drain_timeout + 1
        if self.force:
            self.deadline = time.monotonic()

    def reap(self) -> None:
        """Collect every ended child: the server, and orphans of its tree that came to us."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if self.server and pid == self.server.pid:
                self.ended(self.server, os.waitstatus_to_exitcode(status))

    def ended(self, server: Server, code: int) -> None:
        """The server has ended with ``code`` (negative: by that signal)."""
        self.listen()  # its last words
        self.server = None
        server.popen.returncode = code
        server.close()
        self.log(f"server {server.pid} ended: {describe(code)}")
        self.sweep(self.policy.orphans)
        self.keeper.update(server=None, ready=False, exit_code=code)
        if self.keeper.state == State.STOPPING:
            self.keeper.apply(Event.GONE)
            return
        record = self.keeper.record
        hung = say("hung", seconds=self.policy.silence) if self.hung else ""
        record.reason = hung or record.reason or describe(code)
        record.log_tail = journal.tail(self.settings.instance.server_log, 12, server.log_start)
        self.keeper.apply(judgement(code))
        self.back_off()

    def sweep(self, gentle: float) -> None:
        """End what is left of the tree; after ``gentle`` seconds in which workers end by themselves."""
        self.left = tree.end(self.members, gentle, self.policy.kill, signum=0)
        for item in self.left:
            self.log(f"pid {item.pid} does not end (state D, a stuck driver?)")

    def members(self) -> set[Identity]:
        """All below us, and all that carry our marker."""
        ours = {item.process for item in marked(self.settings.instance.key) if item.supervisor == self.me}
        return (ours | tree.descendants([os.getpid()])) - {self.me}

    def back_off(self) -> None:
        """After a death: wait longer each time, and give up after too many."""
        if self.keeper.state == State.BACKOFF:
            now = time.monotonic()
            delay = self.backoff.died(now, now - self.ready_at if self.ready_at else 0.0)
            if delay is None:
                reason = say("crash_loop", deaths=self.backoff.limit, reason=self.keeper.record.reason)
                self.keeper.apply(Event.GIVE_UP)
                self.keeper.record.reason = reason
            else:
                self.keeper.record.restarts += 1
                self.deadline = now + delay
                self.log(f"restart in {delay:.1f} s")
        self.keeper.update()

    # what is decided when a deadline comes

    def judge(self) -> None:
        """Each state has one deadline and one thing to do then."""
        if time.monotonic() >= self.deadline and (decide := _DECISIONS.get(self.keeper.state)):
            decide(self)

    def retry(self) -> None:
        """The back-off is over."""
        self.keeper.apply(Event.RETRY)
        self.spawn()

    def press(self) -> None:
        """A stop's next step: SIGTERM after the drain, SIGKILL of the whole tree after that."""
        if self.server is None:
            self.sweep(0)
            self.keeper.apply(Event.GONE)
        elif not (self.termed or self.force):
            self.termed = self.server.identity.signal(signal.SIGTERM)
            self.deadline = time.monotonic() + self.policy.term
        else:
            self.kill()

    def end_hung(self) -> None:
        """A silent server: ask for its stacks, SIGABRT (which writes them too), then SIGKILL."""
        if self.server and not self.hung:
            self.hung, self.deadline = True, time.monotonic() + self.policy.dump
            self.log("no sign of life: dumping the server's stacks, then ending it")
            self.server.send("dump_stacks")
            self.server.identity.signal(signal.SIGABRT)
        else:
            self.kill()

    def kill(self) -> None:
        """SIGKILL to the whole tree; what survives that is reported and not waited for again."""
        self.log("killing the whole tree")
        self.sweep(0)
        self.deadline = time.monotonic() + self.policy.kill
        if self.left:
            self.keeper.apply(Event.GONE)


_HANDLERS: dict[str, Callable[[Supervisor, dict[str, Any]], None]] = {
    "hello": Supervisor.on_hello,
    "loading": Supervisor.on_loading,
    "ready": Supervisor.on_ready,
    "drained": Supervisor.on_drained,
    "fatal": Supervisor.on_fatal,
}

_DECISIONS: dict[State, Callable[[Supervisor], None]] = {
    State.STARTING: Supervisor.end_hung,
    State.RUNNING: Supervisor.end_hung,
    State.BACKOFF: Supervisor.retry,
    State.STOPPING: Supervisor.press,
}


def judgement(code: int) -> Event:
    """What an exit code means for the state table."""
    if code in (EXIT_CONFIG, EXIT_USAGE):
        return Event.REFUSED
    return Event.FINISHED if code == 0 else Event.DIED


def adopt_orphans() -> None:
    """Grandchildren that lose their parent come to us instead of to init, so the tree stays whole."""
    try:
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    except (OSError, AttributeError):
        pass  # then the marker alone finds them
