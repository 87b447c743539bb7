"""Options that commands share, as decorators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

START_TIMEOUT = 300.0  # seconds
FORWARDING = {"ignore_unknown_options": True, "allow_interspersed_args": True}
Decorated = Callable[..., Any]


def options_of(*specs: tuple[str, dict[str, Any]]) -> Callable[[Decorated], Decorated]:
    """Several options as one decorator."""

    def decorate(function: Decorated) -> Decorated:
        for name, extra in reversed(specs):
            function = click.option(name, **extra)(function)
        return function

    return decorate


instance = options_of(
    ("--home", {"help": "Folder of cache_hub, logs, run (TTS_HOME; default: the current folder)."}),
    ("--name", {"help": "Name of the instance (default: default)."}),
    ("--json", {"is_flag": True, "help": "Print JSON."}),
)
server = options_of(
    ("--host", {"help": "Address to listen on; 0.0.0.0 opens it to the LAN (default: 127.0.0.1)."}),
    ("--port", {"type": click.IntRange(1, 65535), "help": "Port of page and API (default: 7860)."}),
    ("--engine", {"help": "Speech engine (default: auto)."}),
    ("--device", {"help": "Device of the engine (default: auto)."}),
)
timeout = options_of(
    (
        "--start-timeout",
        {"type": click.FloatRange(0.1), "default": START_TIMEOUT, "show_default": True, "help": "Seconds."},
    )
)
forwarded = click.argument("forwarded", nargs=-1, type=click.UNPROCESSED)
