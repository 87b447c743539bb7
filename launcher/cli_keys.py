"""``tts-launch keys add | list | revoke``: the application writes the keys, in a process of its own."""

from __future__ import annotations

import sys
from typing import Any

import click

from . import application, options
from .cli_options import instance, options_of
from .errors import BadArguments, Failed
from .messages import help_of, say
from .output import show

SECONDS = 60.0
LEAST = 8  # characters of a password


@click.group(help=help_of("keys"))
def keys() -> None:
    """See ``index_tts_ui.auth.command``."""


_limits = options_of(
    ("--roles", {"default": "speak", "show_default": True, "help": help_of("keys_roles")}),
    ("--password", {"is_flag": True, "help": help_of("keys_password")}),
    ("--days", {"type": click.FloatRange(0), "default": 0.0, "help": help_of("keys_days")}),
    ("--weight", {"type": click.FloatRange(0.01, 100), "default": 1.0, "help": help_of("keys_weight")}),
    ("--rate", {"default": "", "help": help_of("keys_rate")}),
    ("--quota", {"type": click.IntRange(0), "default": 0, "help": help_of("keys_quota")}),
)


@keys.command("add", help=help_of("keys_add"))
@click.argument("who", metavar="NAME")
@_limits
@instance
def add(who: str, json: bool, password: bool, **given: Any) -> None:
    """The key is printed once."""
    limits = {name: given.pop(name) for name in ("roles", "days", "weight", "rate", "quota")}
    home = _home(given)
    words = [f"--{name}={value}" for name, value in limits.items()]
    secret = _password() if password else None
    made = _ask(
        home, "add", f"--who={who}", *words, *(["--password-stdin"] if password else []), secret=secret
    )
    facts = {"name": made["added"]["name"], "roles": ", ".join(made["added"]["roles"])}
    lines = [say("key_password", **facts)] if password else [say("key_made", **facts), made["key"]]
    show(made, [*lines, *([say("key_first")] if made["first"] else [])], json)


@keys.command("list", help=help_of("keys_list"))
@instance
def list_keys(json: bool, **given: Any) -> None:
    """One line each."""
    found = _ask(_home(given), "list")
    lines = [_line(key) for key in found["keys"]]
    show(found, [say("keys_head"), *lines] if lines else [say("keys_none")], json)


@keys.command("revoke", help=help_of("keys_revoke"))
@click.argument("who", metavar="NAME|ID")
@instance
def revoke(who: str, json: bool, **given: Any) -> None:
    """It stays in the list."""
    gone = _ask(_home(given), "revoke", f"--who={who}")
    facts = {"name": gone["revoked"]["name"], "id": gone["revoked"]["id"]}
    show(gone, [say("key_revoked", **facts)], json)


def _home(given: dict[str, Any]) -> str:
    return str(options.resolve(given).instance.home)


def _line(key: dict[str, Any]) -> str:
    state = say(f"keys_state_{key['state']}")
    return f"{key['id']:<9} {state:<8} {','.join(key['roles']):<19} {key['name']}"


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    given: str = click.prompt("", prompt_suffix="> ", hide_input=True, err=True)
    again: str = click.prompt("", prompt_suffix="> ", hide_input=True, err=True)
    if given != again or len(given) < LEAST:
        raise BadArguments("keys_password_short")
    return given


def _ask(home: str, action: str, *words: str, secret: str | None = None) -> dict[str, Any]:
    """What the application answers. Raises Failed."""
    answer = application.ask(["keys", action, f"--home={home}", *words], SECONDS, "keys_failed", secret)
    if "error" in answer:
        raise Failed("keys_failed", reason=answer["error"].rstrip("."))
    return answer
