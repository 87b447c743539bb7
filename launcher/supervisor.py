"""Keeps one server alive: spawn, listen, judge, restart with back-off, give up, stop.

A signal handler only records; the loop acts. All times are monotonic.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

from . import journal, way
from .errors import LauncherError, NotInstalled
from .family import Family
from .handover import NEVER, Handover
from .identity import me
from .keeper import Keeper
from .kernel import adopt_orphans
from .lock import Lock
from .messages import say
from .notify import Notify
from .options import Settings
from .policy import Backoff, Policy, judgement
from .process import Server, describe, spawn
from .rotation import Rotation
from .signals import Signals
from .state import FINAL, Event, Record, State
from .stopping import Stopping

_TICK = 1.0  # seconds; the longest sleep, so that even a missed wake-up heals
_UP = (State.STARTING, State.RUNNING)
_SIGNALS = (
    *(signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP),  # stop
    *(signal.SIGCHLD, signal.SIGUSR2),  # a child has ended; a request has come
)


class Supervisor:
    """One instance's supervisor; ``run`` returns its exit code."""

    def __init__(
        self, settings: Settings, lock: Lock, sock: socket.socket, log: journal.Journal, notify: Notify
    ) -> None:
        self.settings = settings
        self.lock = lock
        self.sock = sock
        self.log = log
        self.notify = notify
        self.policy = Policy.load(os.environ)
        self.backoff = Backoff(self.policy)
        self.me = me()
        self.keeper = Keeper(settings.instance, Record(supervisor=self.me, graceful=True), log)
        self.use(settings)
        self.server: Server | None = None  # the one in charge
        self.spawned = 0  # generations so far
        self.handover = Handover(self)
        self.stopping = Stopping(self)
        self.rotation = Rotation.of(settings, log)
        self.family = Family(settings.instance.key, self.me, self.policy, log, self.servers)
        self.deadline = NEVER  # when the present state's next decision is due
        self.ready_at: float | None = None
        self.hung = False
        self.signals = Signals(_SIGNALS)

    def use(self, settings: Settings) -> None:
        """The options of the next server."""
        self.settings = settings
        self.keeper.use(settings, self.policy)

    def servers(self) -> list[Server]:
        """Those that live: the one in charge, and in a graceful restart one that comes or goes."""
        return [server for server in (self.server, self.handover.other) if server]

    def run(self, started: Callable[[], None] = lambda: None) -> int:
        """Until the server has ended for good. Raises OSError where the state cannot be written."""
        adopt_orphans()
        self.keeper.write()  # before there is a child: a full disk leaves nothing behind
        started()
        self.spawn()
        while self.keeper.state not in FINAL or self.handover.other:
            self.sleep()
            self.obey()
            self.listen()
            self.reap()
            self.judge()
            self.tell()
        self.sock.close()
        return self.keeper.close(self.stopping.asked, self.family.left)

    # what is heard

    def sleep(self) -> None:
        """Until something happens or the next deadline comes."""
        due = min(self.deadline, self.handover.deadline, self.notify.due) - time.monotonic()
        self.signals.wait(min(_TICK, due), [server.control for server in self.servers() if server.open])
        self.keeper.restore()
        unready = self.handover.coming if self.ready_at else self.server
        self.rotation.check(unready.log_start if unready else None)

    def obey(self) -> None:
        """Act on signals: SIGUSR2 is a request, the others ask for a stop."""
        for number in self.signals.take():
            if number == signal.SIGUSR2:
                self.handover.asked()
                continue
            if number == signal.SIGCHLD or (number == signal.SIGHUP and os.getsid(0) == os.getpid()):
                continue  # a detached supervisor has no terminal that could hang up
            self.stopping.signalled(number)

    def listen(self) -> None:
        """Take in what the server says; any message is a sign of life."""
        for message in self.server.receive() if self.server else ():
            if self.keeper.state in _UP and not self.hung:
                self.deadline = time.monotonic() + self.policy.silence
            if handler := _HANDLERS.get(message["type"]):
                handler(self, message)
        self.handover.listen()

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
        self.handover.ready()

    def on_drained(self, message: dict[str, Any]) -> None:
        """Nothing is under way in it any more."""
        self.log(f"drained, {message.get('cancelled', 0)} cancelled")
        self.stopping.drained()

    def on_fatal(self, message: dict[str, Any]) -> None:
        """Why it is about to end."""
        if self.server:
            self.server.reason = str(message.get("reason", ""))[:500]

    # what is done

    def spawn(self) -> None:
        """The next generation: one that a graceful restart has prepared, or a new one."""
        self.keeper.update(fraction=0.0, text="", log_tail=[])
        try:
            server = self.handover.successor() or self.new_server(self.settings)
        except LauncherError as error:
            self.not_spawned(error)
            return
        self.install(server, self.policy.hello)
        self.handover.permit()

    def new_server(self, settings: Settings) -> Server:
        """Start a server, which waits for what it may do. Raises NotInstalled, Failed."""
        self.spawned += 1
        settings = way.with_engine(settings, self.log)
        server = spawn(settings, self.spawned, self.sock.fileno(), self.lock.fd, self.me)
        self.log(f"server {server.pid} started (generation {self.spawned})")
        return server

    def install(self, server: Server, bound: float) -> None:
        """``server`` is in charge from now on; within ``bound`` seconds it must be heard."""
        self.server, self.hung, self.ready_at = server, False, None
        self.deadline = time.monotonic() + bound
        self.keeper.update(server=server.identity, generation=server.generation, ready=False, fraction=0.0)
        self.keeper.write_pid(server.identity)

    def not_spawned(self, error: LauncherError) -> None:
        """A missing program stays missing; want of memory or processes may pass."""
        self.log(error.message)
        self.keeper.update(reason=error.message, exit_code=error.exit_code)
        self.keeper.apply(Event.REFUSED if isinstance(error, NotInstalled) else Event.DIED)
        self.back_off()

    def reap(self) -> None:
        """Collect every ended child: servers, and orphans of their trees that came to us."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for server in self.servers():
                if pid == server.pid:
                    ended = self.ended if server is self.server else self.handover.ended
                    ended(server, os.waitstatus_to_exitcode(status))

    def ended(self, server: Server, code: int) -> None:
        """The server has ended with ``code`` (negative: by that signal)."""
        self.listen()  # its last words
        self.server = None
        self.bury(server, code)
        self.family.sweep(server, self.policy.orphans)
        self.keeper.update(server=None, ready=False, exit_code=code)
        if self.keeper.state == State.STOPPING:
            self.stopping.check()
            return
        record = self.keeper.record
        hung = say("hung", seconds=self.policy.silence) if self.hung else ""
        if not self.ready_at:
            self.rotation.cut(server.log_start)  # a crash loop must not fill the disk
        record.reason = hung or server.reason or describe(code)
        record.log_tail = journal.tail(self.settings.instance.server_log, 12, server.log_start)
        self.keeper.apply(judgement(code))
        self.back_off()

    def bury(self, server: Server, code: int) -> None:
        """What is left to do for a server that has been reaped."""
        server.popen.returncode = code
        server.close()
        self.log(f"server {server.pid} ended: {describe(code)}")

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
                delay = 0.0 if self.handover.coming else delay
                self.keeper.record.restarts += 1
                self.deadline = now + delay
                self.log(f"restart in {delay:.1f} s")
        if self.keeper.state in FINAL:
            self.deadline = NEVER
            self.handover.stop(force=False)
        self.keeper.update()

    # what is decided when a deadline comes

    def judge(self) -> None:
        """Each state has one deadline and one thing to do then."""
        if time.monotonic() >= self.deadline and (decide := _DECISIONS.get(self.keeper.state)):
            decide(self)
        self.handover.judge()

    def tell(self) -> None:
        """What systemd wants to know."""
        self.notify.update(self.keeper.record, not self.hung, self.handover.active)

    def retry(self) -> None:
        """The back-off is over."""
        self.keeper.apply(Event.RETRY)
        self.spawn()

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
        """SIGKILL to the whole tree; what survives that is reported and not waited for again.

        No other server is started beside it: it may still have the model's memory.
        """
        self.log("killing the whole tree")
        self.deadline = time.monotonic() + self.policy.kill
        if self.family.sweep(self.server, 0):
            self.keeper.apply(Event.GONE if self.keeper.state == State.STOPPING else Event.GIVE_UP)
            self.deadline = NEVER


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
    State.STOPPING: lambda supervisor: supervisor.stopping.press(),
}
