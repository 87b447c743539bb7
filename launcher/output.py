"""What commands print: lines for people, JSON for programs."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .messages import say
from .options import Settings

if TYPE_CHECKING:
    from .models import Fetched
    from .start import Started
    from .status import Status


def show(data: dict[str, Any], lines: list[str], as_json: bool) -> None:
    """One or the other."""
    click.echo(json.dumps(data, ensure_ascii=False) if as_json else "\n".join(lines))


@contextmanager
def loading_bar(quiet: bool) -> Iterator[Callable[[float, str], None]]:
    """A bar for the loading of the model, on a terminal only."""
    from .progress import Bar

    bar = Bar(1, quiet=quiet or not sys.stderr.isatty())
    try:
        yield lambda fraction, text: bar.update(fraction, text or say("loading"))
    finally:
        bar.close()


def fetch_model(cache_hub: Path, model: str, source: str = "", quiet: bool = False) -> Fetched:
    """Fetch with a bar; silent and quick where the model is there."""
    from .hub import ask

    return ask.fetch(cache_hub, model, source, quiet=quiet)


def show_started(started: Started, wanted: Settings, as_json: bool) -> None:
    """Address, addresses to share, warning, logs, and how to stop."""
    from . import ports

    record = started.record
    where = (record.host, record.port, record.https)
    address, shared = ports.url(*where), ports.lan_urls(*where)
    server_pid = record.server.pid if record.server else None
    data = {
        "pid": server_pid,
        "supervisor_pid": started.supervisor.pid,
        "address": address,
        "share": shared,
        "already_running": not started.ours,
        "ended_leftovers": list(started.ended),
        "public": ports.is_public(record.host),
        "logs": str(wanted.instance.logs),
        "stop": command_line("stop", wanted),
    }
    lines = [say("ended_leftovers", count=len(started.ended))] if started.ended else []
    lines += [] if started.ours else [say("already"), *_differences(started, wanted)]
    lines += [say("ready", address=address, pid=server_pid)]
    lines += [say("share", address=item) for item in shared]
    lines += [say("public_warning")] if ports.is_public(record.host) and not wanted.instance.has_keys else []
    lines += [say("logs_at", path=wanted.instance.logs), say("stop_with", command=data["stop"])]
    show(data, lines, as_json)


def _differences(started: Started, wanted: Settings) -> list[str]:
    pairs = ((key, getattr(started.record, key)) for key in wanted.given if hasattr(started.record, key))
    differ = [f"{key} {now}" for key, now in pairs if now != getattr(wanted, key)]
    return [say("other_settings", differences=", ".join(differ))] if differ else []


def command_line(command: str, settings: Settings) -> str:
    """A command that works when pasted into a shell here."""
    program = sys.argv[0] if "/" in sys.argv[0] and not sys.argv[0].endswith("__main__.py") else "tts-launch"
    parts = [program, command]
    if settings.instance.home != _here():
        parts += ["--home", str(settings.instance.home)]
    if settings.instance.name != "default":
        parts += ["--name", settings.instance.name]
    return shlex.join(parts)


def _here() -> Path | None:
    try:
        return Path(os.environ.get("PWD") or ".").resolve()
    except OSError:  # the current folder has been deleted
        return None


def status_lines(seen: Status) -> list[str]:
    """The state in words."""
    data = seen.to_json()
    note = ""
    if seen.code == 0:
        percent = f"{data['fraction']:.0%}"
        note = say("is_ready") if seen.ready else say("is_loading", percent=percent)
    address = (seen.code == 0 and data["address"]) or ""
    lines = [say("status_line", name=data["name"], state=seen.state, ready=note, address=address).rstrip()]
    if seen.supervisor:
        pids = {"server": data["server_pid"] or "-", "supervisor": data["supervisor_pid"]}
        rest = {"restarts": data["restarts"], "engine": data["engine"] or "-"}
        lines.append(say("status_pids", uptime=_duration(data["uptime"]), **pids, **rest))
    lines += [say("status_reason", reason=data["reason"])] if data["reason"] else []
    return lines + [f"    {line}" for line in data["log_tail"]]


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    hours, rest = divmod(int(seconds), 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}"
