"""Options that commands share, as decorators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from .messages import help_of

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
    ("--home", {"help": help_of("opt_home")}),
    ("--name", {"help": help_of("opt_name")}),
    ("--json", {"is_flag": True, "help": help_of("opt_json")}),
)
server = options_of(
    ("--host", {"help": help_of("opt_host")}),
    ("--port", {"type": click.IntRange(1, 65535), "help": help_of("opt_port")}),
    ("--engine", {"help": help_of("opt_engine")}),
    ("--device", {"help": help_of("opt_device")}),
    ("--gpu", {"is_flag": False, "flag_value": "0", "metavar": "[N,...]", "help": help_of("opt_gpu")}),
)
timeout = options_of(
    (
        "--start-timeout",
        {
            "type": click.FloatRange(0.1),
            "default": START_TIMEOUT,
            "show_default": True,
            "help": help_of("opt_start_timeout"),
        },
    )
)
forwarded = click.argument("forwarded", nargs=-1, type=click.UNPROCESSED)
