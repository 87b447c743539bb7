"""``tts-launch backup | restore``: the application copies its state, in a process of its own.

A restore holds the locks of every instance of the home meanwhile, so that none runs and none can be started.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from . import application, options
from .cli_options import instance
from .errors import Failed
from .instance import Instance
from .messages import MESSAGES, help_of, say
from .output import show

PARTS = ("settings", "usage", "history", "dictionary", "voices", "sounds", "keys")
SECONDS = 4 * 3600.0  # models are large, and disks may be slow
LOCK_SECONDS = 5.0


@click.command("backup", help=help_of("backup"))
@click.argument("target", required=False, type=click.Path(path_type=Path))
@click.option("--models", is_flag=True, help=help_of("backup_models"))
@click.option("--without", "without", multiple=True, type=click.Choice(PARTS), help=help_of("backup_without"))
@click.option("--overwrite", is_flag=True, help=help_of("backup_overwrite"))
@instance
def backup(
    target: Path | None, json: bool, models: bool, without: tuple[str, ...], overwrite: bool, **given: Any
) -> None:
    """Also while it runs."""
    home = options.resolve(given).instance.home
    place = Path(os.path.abspath(target)) if target else _usual(home)
    words = [f"--without={name}" for name in without]
    words += [*(["--models"] if models else []), *(["--overwrite"] if overwrite else [])]
    made = _ask("backup", home, f"--to={place}", *words)
    lines = [say("backup_made", path=made["path"], megabytes=_megabytes(made["size"])), _holds(made)]
    show(made, [*lines, *([] if "keys" in without else [say("backup_secret")])], json)


@click.command("restore", help=help_of("restore"))
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help=help_of("restore_replace"))
@click.option("--check", is_flag=True, help=help_of("restore_check"))
@instance
def restore(source: Path, json: bool, replace: bool, check: bool, **given: Any) -> None:
    """Nothing may run in the home."""
    place, path = options.resolve(given).instance, f"--from={os.path.abspath(source)}"
    if check:
        found = _ask("restore", place.home, path, "--check")
        lines = [say("restore_whole", path=source)]
    else:
        with _nothing_runs(place):
            found = _ask("restore", place.home, path, *(["--replace"] if replace else []))
        lines = [say("restored", path=place.home)]
        lines += [say("restore_aside", path=found["aside"])] if found["aside"] else []
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(found["made"]))
    lines.insert(1, say("restore_made", when=when, release=found["release"]))
    lines.insert(2, _holds(found))
    show(found, [*lines, *(say(item["key"], **item["facts"]) for item in found["notices"])], json)


def _usual(home: Path) -> Path:
    """A folder of the home; a new file in it is named after the time."""
    folder = home / "backups"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _holds(found: dict[str, Any]) -> str:
    counts = ", ".join(f"{name} {count}" for name, count in found["files"].items() if count)
    return say("backup_holds", counts=counts or "-", megabytes=_megabytes(found["bytes"]))


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f}"


def _ask(command: str, home: Path, *words: str) -> dict[str, Any]:
    answer = application.ask([command, f"--home={home}", *words], SECONDS, "backup_failed")
    if "error" in answer:
        if answer["error"] in MESSAGES:
            raise Failed(answer["error"], **answer["facts"])
        raise Failed("backup_failed", reason=answer["error"])
    return answer


@contextlib.contextmanager
def _nothing_runs(place: Instance) -> Iterator[None]:
    """Hold every lock of the home; raises Failed where one is held, or a server runs there without any."""
    from .lock import Lock

    if place.home.exists() and (pid := _by_hand(place.home)):
        raise Failed("restore_by_hand", home=place.home, pid=pid)
    with contextlib.ExitStack() as stack:
        for each in _instances(place):
            each.prepare()
            command = stack.enter_context(Lock(each.command_lock))
            command.acquire(LOCK_SECONDS)
            command.write(f"{os.getpid()}\n")
            lock = stack.enter_context(Lock(each.lock))
            if not lock.try_acquire():
                raise Failed("restore_running", name=each.name, home=each.home, pid=lock.holder() or "?")
        yield


def _instances(place: Instance) -> list[Instance]:
    """Those that ever ran in the home, and ``place``."""
    names = {place.name, "default", *(path.parent.name for path in (place.home / "run").glob("*/lock"))}
    return [Instance(place.home, name) for name in sorted(names)]


def _by_hand(home: Path) -> int:
    """The pid of a server that somebody runs there without the launcher; 0 where there is none."""
    from . import leftovers

    for item in leftovers.foreign():
        argv = leftovers.arguments(item.pid)
        named = [word.partition("=")[2] for word in argv if word.startswith("--home=")]
        named += [after for word, after in itertools.pairwise(argv) if word == "--home"]
        if item.guess == leftovers.SURE and Path(item.folder, *(named[-1:] or ["."])).resolve() == home:
            return item.pid
    return 0
