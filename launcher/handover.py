"""A graceful restart: the next server prepares itself beside the present one, then takes its place.

One model at a time: the next server imports and waits; the present one leaves the shared socket
to its backlog, finishes what it has, frees its model; then the next one loads, and takes the
connections that have waited once it is ready. With ``overlap`` it loads first and nobody waits.
Whatever goes wrong before the exchange leaves the present server untouched.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import options, request
from .errors import EXIT_CONFIG, BadArguments, Failed, LauncherError
from .messages import say
from .options import Settings
from .process import Server, describe
from .request import Request
from .state import FINAL, Event, State

if TYPE_CHECKING:
    from .supervisor import Supervisor

NEVER = float("inf")
_MARGIN = 2.0  # seconds beyond its drain that the old server has, to end its model
_KEPT = 8  # answers that stay in the state file
_NOT_CONFIGURED = 6


class Handover:
    """The supervisor's second server: the one that comes until the exchange, the one that goes after it."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._boss = supervisor
        self.other: Server | None = None
        self.deadline = NEVER  # when ``other`` must have done its part
        self._comes = False  # ``other`` is the new one
        self._request: Request | None = None  # under way, or waiting for a server that is starting
        self._ids: list[str] = []  # whom to tell
        self._wanted: Settings = supervisor.settings
        self._prepared = self._late = False  # of the one that comes
        self._closed = self._released = self._pressed = False  # of the one that goes
        self._held = False  # the server in charge takes no connection before it is ready
        self._reason = ""  # why we end the new one

    @property
    def coming(self) -> Server | None:
        """The new server, before the exchange."""
        return self.other if self._comes else None

    @property
    def active(self) -> bool:
        """From the request until the new server is ready, or given up."""
        return bool(self._ids)

    # the request

    def asked(self) -> None:
        """SIGUSR2: look what is wanted, and say in the state file what becomes of it."""
        if wanted := request.take(self._boss.settings.instance):
            try:
                self._take(wanted)
            except LauncherError as error:
                self._answer([wanted.id], error)

    def _take(self, wanted: Request) -> None:
        boss = self._boss
        settings = options.again(boss.settings, wanted.given, wanted.forwarded)
        if boss.keeper.state in (State.STOPPING, *FINAL):
            raise Failed("graceful_stopping")
        if (settings.host, settings.port) != (boss.settings.host, boss.settings.port):
            raise BadArguments("graceful_socket", host=settings.host, port=settings.port)
        if self.other or self.active:
            if settings != self._wanted:
                raise Failed("graceful_busy")
            self._ids.append(wanted.id)  # one restart serves both
            self._answer([wanted.id], generation=0 if self._request and not self.other else boss.spawned)
            return
        boss.log("a graceful restart is asked for")
        self._request, self._ids, self._wanted = wanted, [wanted.id], settings
        self._answer(self._ids, generation=0)
        if boss.keeper.state == State.BACKOFF:
            boss.retry()
        elif boss.keeper.state == State.RUNNING:
            self._begin()

    def _begin(self) -> None:
        """Start the next server; the present one knows nothing of it."""
        boss = self._boss
        try:
            self.other = boss.new_server(self._wanted)
        except LauncherError as error:
            self._fail(error.message, error.exit_code)
            return
        self._comes, self._prepared, self._late, self._reason = True, False, False, ""
        self.deadline = time.monotonic() + boss.policy.hello
        self._answer(self._ids, generation=boss.spawned)

    def _answer(self, ids: list[str], error: LauncherError | None = None, generation: int = 0) -> None:
        said: dict[str, Any] = {"generation": generation}
        if error:
            said = {"error": error.key, "message": error.message, "exit_code": error.exit_code}
        answers = {**self._boss.keeper.record.answers, **dict.fromkeys(ids, said)}
        self._boss.keeper.update(answers=dict(list(answers.items())[-_KEPT:]))

    def _fail(self, reason: str, code: int | None) -> None:
        """The restart comes to nothing: everybody who asked is told, the present server goes on."""
        self._boss.log(f"graceful restart given up: {reason}")
        error = Failed("graceful_failed", reason=reason)
        error.exit_code = _NOT_CONFIGURED if code == EXIT_CONFIG else 1  # type: ignore[misc]
        self._answer(self._ids, error)
        self._ids, self._request = [], None

    # what is heard

    def listen(self) -> None:
        """Take in what the other server says."""
        for message in self.other.receive() if self.other else ():
            if handler := (_COMING if self._comes else _GOING).get(message["type"]):
                handler(self, message)

    def on_prepared(self, message: dict[str, Any]) -> None:
        """All that it needs without the model is there."""
        self._prepared = True
        if self._request and self._request.overlap and self.other:
            self.other.send("load")
        else:
            self._exchange()

    def on_coming_beat(self, message: dict[str, Any]) -> None:
        """It loads beside the old one, for as long as it gives signs of life."""
        if self._prepared:
            self.deadline = time.monotonic() + self._boss.policy.silence

    def on_coming_ready(self, message: dict[str, Any]) -> None:
        """It has loaded beside the old one."""
        self._exchange()
        self._boss.on_ready(message)

    def on_fatal(self, message: dict[str, Any]) -> None:
        """Why it is about to end."""
        if self.other:
            self.other.reason = str(message.get("reason", ""))[:500]

    def on_listener_closed(self, message: dict[str, Any]) -> None:
        """New connections are no longer the old server's."""
        self._boss.log("the old server has left the socket")
        self._closed = True
        self.permit()

    def on_drained(self, message: dict[str, Any]) -> None:
        """The old server's requests are done and its model is gone."""
        if not self._released:
            self._boss.log(f"the old server is drained, {message.get('cancelled', 0)} cancelled")
            self.deadline = time.monotonic() + self._boss.policy.term
        self._released = True
        self.permit()

    # what is done

    def _exchange(self) -> None:
        """The new server is in charge from now on, the old one goes."""
        boss, new, old = self._boss, self.other, self._boss.server
        if new is None or old is None or boss.keeper.state != State.RUNNING:
            return
        drain = boss.settings.drain_timeout
        self.other, self._comes, self._request = old, False, None
        self._closed = self._released = self._pressed = False
        self._held = True
        self.deadline = time.monotonic() + (0 if boss.hung else drain + _MARGIN)
        boss.log(f"server {new.pid} takes over from server {old.pid}")
        boss.keeper.apply(Event.HANDOVER)
        boss.use(self._wanted)
        boss.install(new, boss.policy.silence)
        boss.keeper.update(text=say("handing_over"))
        old.send("handover", seconds=drain)

    def permit(self) -> None:
        """Let the server in charge do what the one that goes no longer hinders."""
        alone = self.other is None or self._comes
        if self._boss.server is None:
            return
        if not self._held or (self._boss.ready_at and (alone or self._closed)):
            self._held = False
            self._boss.server.send("accept")
        elif alone or self._released:
            self._boss.server.send("load")

    def ready(self) -> None:
        """The server in charge can serve: a restart has succeeded, or one that has waited begins."""
        self.permit()
        if self._comes:
            return
        if self._request:
            self._begin()
        else:
            self._ids = []

    def successor(self) -> Server | None:
        """The server in charge has died, another is wanted now: the one that comes, if there is one.

        A restart that has waited needs no other server than that which is started now.
        """
        waits, comes = self._request and not self.other, self.other if self._comes else None
        if self._late or not (waits or comes):
            self._held = self.other is not None and not self._comes and not self._released
            return None
        self._boss.use(self._wanted)
        self._request, self._held = None, False
        self._answer(self._ids, generation=self._boss.spawned + (comes is None))
        if comes:
            self.other, self._comes, self.deadline = None, False, NEVER
        return comes

    def stop(self, force: bool) -> None:
        """A stop wins: what comes is ended at once, what goes has its time unless ``force``."""
        if self.active:
            self._answer(self._ids, Failed("graceful_stopping"))
            self._ids, self._request = [], None
        if self.other and (self._comes or force):
            self._kill("a stop")

    def ended(self, server: Server, code: int) -> None:
        """The other server is gone, by itself or not."""
        self.listen()
        comes, self.other, self._comes, self.deadline = self._comes, None, False, NEVER
        self._boss.bury(server, code)
        self._boss.family.sweep(server, self._boss.policy.orphans)
        if comes and self.active:
            self._fail(self._reason or server.reason or describe(code), code)
        else:
            self._closed = self._released = True
            self.permit()
        self._boss.stopping.check()

    def judge(self) -> None:
        """Its time is over: one that comes is given up, one that goes is ended step by step."""
        if self.other is None or time.monotonic() < self.deadline:
            return
        if self._comes:
            self._reason = self._reason or say("graceful_late", seconds=self._boss.policy.hello)
            self._kill(self._reason)
        elif not self._pressed:
            self._pressed = self.other.identity.signal(signal.SIGTERM)
            self.deadline = time.monotonic() + self._boss.policy.term
        else:
            self._kill("it does not end")

    def _kill(self, why: str) -> None:
        """SIGKILL to its tree; reaping does the rest."""
        if self.other:
            self._boss.log(f"killing server {self.other.pid} and its tree: {why}")
            self._late = True
            self.deadline = time.monotonic() + self._boss.policy.kill
            if self._boss.family.sweep(self.other, 0):
                self.other, self._comes, self.deadline = None, False, NEVER
                self._boss.stopping.check()


_Handlers = dict[str, Callable[[Handover, dict[str, Any]], None]]
_COMING: _Handlers = {
    "prepared": Handover.on_prepared,
    "beat": Handover.on_coming_beat,
    "loading": Handover.on_coming_beat,
    "ready": Handover.on_coming_ready,
    "fatal": Handover.on_fatal,
}
_GOING: _Handlers = {
    "listener_closed": Handover.on_listener_closed,
    "drained": Handover.on_drained,
}
