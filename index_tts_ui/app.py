"""The composition root: everything is wired here, once, and run under uvicorn."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import uvicorn
import uvloop
from fastapi import FastAPI

from . import __version__, choice, connections, crew, logs, tls
from .auth import networks
from .auth.keys import KeyStore
from .backend import Backend
from .cluster import front as cluster_front
from .config import Config
from .control import Control, inherited_fd
from .drain import Drain
from .jobs import JobDesk
from .outputs import OutputStore
from .pool import WorkerPool
from .remote import crew as upstreams
from .room import Limits
from .scheduler import Scheduler
from .service import SpeechService
from .wyoming import WyomingServer

BACKLOG = 2048
BACKUP_REST = 600.0  # seconds without a request after which the backup leaves memory
CLEAN_SECONDS = 600.0
GRACE_SECONDS = 2  # for idle connections (the page's heartbeat) once everything is drained


def build_service(config: Config, lock_fd: int | None = None) -> SpeechService:
    """The service with its scheduler and (not yet started) workers. Raises BadConfig."""
    engine = choice.choose(config)
    scheduler = Scheduler(Limits.of(config))
    remote = upstreams.gather(config, engine)
    pool = _pool(config, engine, scheduler, lock_fd, remote)
    outputs = OutputStore(config.outputs, config.outputs_hours, config.outputs_mb)
    primary = Backend(engine, config.cache_hub, scheduler, pool, parts=remote.parts if remote else None)
    service = SpeechService(config, primary, _backup(config, engine, lock_fd), outputs)
    if remote is not None and remote.parts is not None:
        remote.catalogue.on_change = service.refresh_voices
    return service


def _pool(
    config: Config, engine: str, scheduler: Scheduler, lock_fd: int | None, remote: upstreams.Crew | None
) -> WorkerPool:
    """Workers of this machine, those that join from elsewhere, and servers that are asked."""
    if config.cluster_port:
        return cluster_front.pool(config, engine, scheduler, remote.plans if remote else ())
    plans = [] if engine == upstreams.ENGINE else crew.plans(config, engine, lock_fd)
    return WorkerPool(scheduler, [*plans, *(remote.plans if remote else ())], config.keep_alive)


def _backup(config: Config, primary: str, lock_fd: int | None) -> Backend | None:
    """What stands in for the engine where that fails; it is not started before it is needed."""
    engine = choice.backup(config, primary)
    if not engine:
        return None
    scheduler = Scheduler(Limits.of(config))
    own = replace(config, device="auto", engine_options=",".join(crew.options(config, backup=True)))
    pool = WorkerPool(scheduler, crew.plans(own, engine, lock_fd), config.keep_alive or BACKUP_REST)
    return Backend(engine, config.cache_hub, scheduler, pool, standby=True)


def build_app(config: Config, service: SpeechService) -> Any:
    """The ASGI application: API routes, then the page."""
    from . import api  # seconds of imports, while the worker loads beside us

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        service.host.start()
        await desk.start()
        tasks = [asyncio.create_task(service.warm()), asyncio.create_task(_clean_outputs(service))]
        tasks.append(asyncio.create_task(service.records.series.keep()))
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await desk.stop()
        await service.close()

    desk = JobDesk(service, config.jobs, KeyStore(config.keys).still_holds)
    app = FastAPI(
        title="index-tts-ui",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        root_path=config.root_path,
    )
    app.state.jobs = desk
    api.install(app, service, config)
    whole = app if config.no_page else _with_page(app, service, config)
    proxies = networks.parse("trusted_proxies", config.listed("trusted_proxies"))
    guarded = api.around(whole, app, service, config)
    return networks.RealAddress(logs.AccessLog(guarded), networks.Networks((), proxies))


def _with_page(app: FastAPI, service: SpeechService, config: Config) -> Any:
    from . import webui  # more than half of the imports, and no use to a server without the page

    return webui.mount(app, service, config)


async def _clean_outputs(service: SpeechService) -> None:
    while True:
        await service.in_pool(service.outputs.clean)
        await service.history.clean()
        await asyncio.sleep(CLEAN_SECONDS)


class Server(uvicorn.Server):
    """uvicorn with our own signals: the first asks for a drain, the second ends it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the application's (see ``run``)."""
        yield


def _listening_socket(config: Config) -> socket.socket:
    """The supervisor's socket, or one of our own. Raises OSError where the port is taken."""
    fd = inherited_fd("TTS_LISTEN_FD")
    if fd is not None:
        return socket.socket(fileno=fd)
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    # named as TCP: asyncio sets TCP_NODELAY only on sockets that say so
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((config.host, config.port))
    sock.listen(BACKLOG)
    os.set_inheritable(sock.fileno(), False)
    return sock


async def serve(config: Config) -> int:
    """Run until told to stop; returns the exit code."""
    generation = int(os.environ.get("TTS_GENERATION", "1"))
    control = Control(inherited_fd("TTS_CONTROL_FD"), generation)
    await control.start()
    pair = tls.files(config.tls, config.home_dir / "tls")
    sock = _listening_socket(config)
    service = build_service(config, inherited_fd("TTS_LOCK_FD"))
    wyoming = WyomingServer(config, service)
    wyoming.open(succeeds=generation > 1)
    loading = asyncio.create_task(_load(control, service))
    gc.disable()  # what is made here stays: to look for garbage in it took a fifth of the start
    try:
        app = await asyncio.to_thread(build_app, config, service)
    finally:
        gc.enable()
    if not control.may_load:
        await service.warm()  # the server before this one still serves: time to spare
    gc.freeze()  # what is there now stays: full collections need not walk through it, holding everybody up
    server = Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            http=connections.protocol(config.max_connections),
            ssl_certfile=pair[0] if pair else None,
            ssl_keyfile=pair[1] if pair else None,
            proxy_headers=False,  # RealAddress believes only trusted_proxies; uvicorn would any local client
            timeout_graceful_shutdown=GRACE_SECONDS,
            timeout_keep_alive=75,
        )
    )
    drain = Drain(service, server, control, config.drain_timeout, wyoming)
    control.on_drain = drain.begin
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, drain.signalled)
    control.send("prepared")
    reporter = asyncio.create_task(_report(service, control, server))
    if await _accepted(control, reporter, drain):
        wyoming.accept()
        await server.serve(sockets=[sock])
    await wyoming.close()
    loading.cancel()
    reporter.cancel()
    await service.close()
    control.send("drained", cancelled=drain.cancelled)
    await control.flush()
    return service.gave_up or 0


async def _load(control: Control, service: SpeechService) -> None:
    """Start the worker as soon as the supervisor says that its memory is free."""
    await control.loads()
    service.host.start()


async def _accepted(control: Control, reporter: asyncio.Task[None], drain: Drain) -> bool:
    """Wait until connections may be taken; False where the server ends before that."""
    accepted = asyncio.create_task(control.accepted())
    ended = asyncio.create_task(drain.ended.wait())
    await asyncio.wait({accepted, ended, reporter}, return_when=asyncio.FIRST_COMPLETED)
    may = accepted.done()
    for task in (accepted, ended):
        task.cancel()
    return may


async def _report(service: SpeechService, control: Control, server: Server) -> None:
    """Tell the supervisor how the load goes and when it can serve; end the server if it never will."""
    told: object = None
    while service.gave_up is None:
        status = service.status()
        # falling asleep and waking up are no news: it can be asked all the while
        # replicas come and go: their front is up without
        up = status.ready or (service.config.cluster_port and service.host.begun)
        news = "ready" if up else (status.state, status.fraction, status.text)
        if news != told:
            told = news
            if up:
                control.send("ready")
            else:
                control.send("loading", fraction=status.fraction, text=status.text)
        await asyncio.sleep(0.5 if up else 0.1)
    control.send("fatal", exit_code=service.gave_up, reason=service.host.reason)
    server.should_exit = True


def run(config: Config) -> int:
    """Set up logging and serve."""
    logs.setup(config)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(serve(config))
