"""A replica of this machine, from its settings: its own home folder, its own device, the front's choice of engine."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Sequence

from .. import choice, crew
from ..config import Config
from ..errors import BadConfig
from . import token
from .clips import ClipCache
from .handshake import facts
from .replica import Replica


def address_of(text: str) -> tuple[str, int]:
    """``host:port``; IPv6 as ``[::1]:7861``. Raises BadConfig."""
    host, colon, port = text.rpartition(":")
    if not (colon and host and port.isdecimal() and 0 < int(port) < 65536):
        raise BadConfig("bad_config", name="front", reason=f"'{text}' is not host:port")
    return host.strip("[]"), int(port)


def build(config: Config, front: str, node: str = "") -> Replica:
    """One replica, on the first device of ``config``. Raises BadConfig."""
    engine = choice.choose(config)
    plan = crew.plans(config, engine, None)[0]
    said = {**facts(engine), "node": node or socket.gethostname()}
    return Replica(
        address_of(front), token.read(config.home_dir), plan, ClipCache(config.voices / "clips"), said
    )


async def serve(config: Config, front: str, node: str = "", stops: Sequence[int] = ()) -> None:
    """Without Ray: until a signal of ``stops``; what it has is spoken first."""
    replica = build(config, front, node)
    loop, asked = asyncio.get_running_loop(), asyncio.Event()
    for number in stops:
        loop.add_signal_handler(number, asked.set)
    running = asyncio.create_task(replica.run())
    waiting = asyncio.create_task(asked.wait())
    await asyncio.wait((running, waiting), return_when=asyncio.FIRST_COMPLETED)
    if not running.done():
        await replica.leave("it was told to stop")
    waiting.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
