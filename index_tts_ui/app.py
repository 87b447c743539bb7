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

from . import __version__, choice, connections, devices, engines, logs, tls
from .auth import networks
from .backend import Backend
from .config import Config
from .control import Control, inherited_fd
from .drain import Drain
from .host import WorkerPlan
from .jobs import JobDesk
from .outputs import OutputStore
from .pool import WorkerPool
from .room import Limits
from .scheduler import Scheduler
from .service import SpeechService

BACKLOG = 2048
BACKUP_REST = 600.0  # seconds without a request after which the backup leaves memory
BACKUP_OPTION = "backup."
CLEAN_SECONDS = 600.0
GRACE_SECONDS = 2  # for idle connections (the page's heartbeat) once everything is drained


def build_service(config: Config, lock_fd: int | None = None) -> SpeechService:
    """The service with its scheduler and (not yet started) workers. Raises BadConfig."""
    engine = choice.choose(config)
    scheduler = Scheduler(Limits.of(config))
    pool = WorkerPool(scheduler, _plans(config, engine, lock_fd), config.keep_alive)
    outputs = OutputStore(config.outputs, config.outputs_hours, config.outputs_mb)
    primary = Backend(engine, config.cache_hub, scheduler, pool)
    return SpeechService(config, primary, _backup(config, engine, lock_fd), outputs)


def _backup(config: Config, primary: str, lock_fd: int | None) -> Backend | None:
    """What stands in for the engine where that fails; it is not started before it is needed."""
    engine = choice.backup(config, primary)
    if not engine:
        return None
    scheduler = Scheduler(Limits.of(config))
    own = replace(config, device="auto", engine_options=",".join(_options(config, backup=True)))
    pool = WorkerPool(scheduler, _plans(own, engine, lock_fd), config.keep_alive or BACKUP_REST)
    return Backend(engine, config.cache_hub, scheduler, pool, standby=True)


def _options(config: Config, backup: bool = False) -> list[str]:
    """The engine's options; the backup's are those that begin with ``backup.``."""
    given = [f"{key}={value}" for key, value in config.options()]
    mine = [option for option in given if option.startswith(BACKUP_OPTION) == backup]
    return [option.removeprefix(BACKUP_OPTION) for option in mine]


def _plans(config: Config, engine: str, lock_fd: int | None) -> list[WorkerPlan]:
    """One worker per device."""
    spec = engines.REGISTRY[engine]
    arguments = ["--engine", engine, "--model-dir", str(config.cache_hub / (spec.model or engine))]
    arguments += ["--threads", str(config.threads), "--max-rows", str(config.max_batch_size)]
    arguments += ["--extra", ",".join(_options(config)), "--clips", str(config.voices / "clips")]
    arguments += ["--memory-mb", str(config.device_memory_mb)]
    arguments += ["--log-level", config.log_level, "--log-format", config.log_format]
    keep_fds = () if lock_fd is None else (lock_fd,)
    return [
        WorkerPlan(
            [*arguments, "--device", device.argument],
            keep_fds,
            config.worker_memory_mb,
            device.name,
            device.environ,
            str(config.home_dir),
        )
        for device in devices.chosen(config.device, spec.devices)
    ]


def build_app(config: Config, service: SpeechService) -> Any:
    """The ASGI application: API routes, then the page."""
    from . import api, webui  # seconds of imports, while the worker loads beside us

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        service.host.start()
        await desk.start()
        tasks = [asyncio.create_task(service.warm()), asyncio.create_task(_clean_outputs(service))]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await desk.stop()
        await service.close()

    desk = JobDesk(service, config.jobs)
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
    whole = app if config.no_page else webui.mount(app, service, config)
    proxies = networks.parse("trusted_proxies", config.listed("trusted_proxies"))
    return networks.RealAddress(logs.AccessLog(whole), networks.Networks((), proxies))


async def _clean_outputs(service: SpeechService) -> None:
    while True:
        await service.in_pool(service.outputs.clean)
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
    control = Control(inherited_fd("TTS_CONTROL_FD"), int(os.environ.get("TTS_GENERATION", "1")))
    await control.start()
    pair = tls.files(config.tls, config.home_dir / "tls")
    sock = _listening_socket(config)
    service = build_service(config, inherited_fd("TTS_LOCK_FD"))
    loading = asyncio.create_task(_load(control, service))
    app = await asyncio.to_thread(build_app, config, service)
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
    drain = Drain(service, server, control, config.drain_timeout)
    control.on_drain = drain.begin
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, drain.signalled)
    control.send("prepared")
    reporter = asyncio.create_task(_report(service, control, server))
    if await _accepted(control, reporter, drain):
        await server.serve(sockets=[sock])
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
        news = "ready" if status.ready else (status.state, status.fraction, status.text)
        if news != told:
            told = news
            if status.ready:
                control.send("ready")
            else:
                control.send("loading", fraction=status.fraction, text=status.text)
        await asyncio.sleep(0.1)
    control.send("fatal", exit_code=service.gave_up, reason=service.host.reason)
    server.should_exit = True


def run(config: Config) -> int:
    """Set up logging and serve."""
    logs.setup(config)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(serve(config))
