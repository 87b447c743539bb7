"""``tts-launch doctor | ps | kill-leftovers | service | completion``: tools around an instance."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from . import cli_options, options
from .cli_options import instance
from .errors import BadArguments, Failed, NotPermitted
from .messages import help_of, say
from .output import show

if TYPE_CHECKING:
    from .doctor import Finding
    from .identity import Identity
    from .leftovers import Foreign
    from .service import Scope, Unit

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command(help=help_of("doctor"))
@instance
@cli_options.server
@click.option(
    "--timeout",
    type=click.FloatRange(0.5, 600),
    default=8.0,
    show_default=True,
    help=help_of("doctor_timeout"),
)
def doctor(json: bool, timeout: float, **given: Any) -> None:
    """Reads no settings itself: a home folder that hangs must hang only a child."""
    from .doctor import examine, exit_code

    found = examine(given, timeout)
    code = exit_code(found)
    counts = Counter(item.state for item in found)
    lines = [line for item in found for line in _finding_lines(item)]
    lines.append(say("doctor_summary", ok=counts["ok"], warn=counts["warn"], fail=counts["fail"]))
    show({"ok": code == 0, "findings": [asdict(item) for item in found]}, lines, json)
    sys.exit(code)


def _finding_lines(item: Finding) -> list[str]:
    state = click.style(f"{say(f'state_{item.state}'):<4}", fg=_COLOURS[item.state])
    fix = [f"{'':<17}{say('doctor_fix', fix=item.fix)}"] if item.fix else []
    return [f"{state}  {item.check:<10} {item.text}", *fix]


@click.command(help=help_of("ps"))
@instance
@click.option("--all", "every", is_flag=True, help=help_of("ps_all"))
def ps(json: bool, every: bool, **given: Any) -> None:
    """An empty table is an answer, too."""
    import shutil

    from . import ps as processes

    found = processes.everywhere() if every else processes.of(options.resolve(given).instance)
    width = shutil.get_terminal_size((0, 0)).columns if sys.stdout.isatty() else 0
    show(processes.to_json(found), processes.table(found, titled=every, width=width), json)


@click.command("kill-leftovers", help=help_of("kill-leftovers"))
@instance
@click.option("--all", "every", is_flag=True, help=help_of("left_all"))
@click.option("--dry-run", is_flag=True, help=help_of("left_dry_run"))
@click.option("--unmarked", is_flag=True, help=help_of("left_unmarked"))
@click.option("--pid", "pids", type=int, multiple=True, help=help_of("left_pid"))
@click.option("--yes", is_flag=True, help=help_of("left_yes"))
def kill_leftovers(
    json: bool, every: bool, dry_run: bool, unmarked: bool, pids: tuple[int, ...], yes: bool, **given: Any
) -> None:
    """Exit 1 where something survives SIGKILL, 4 where it is another user's."""
    from . import gpu, leftovers

    if pids and not unmarked:
        raise BadArguments("left_pid_without_unmarked")
    place = options.resolve(given).instance
    foreign = leftovers.foreign()
    chosen = _chosen(foreign, pids) if unmarked else []
    if chosen and not (dry_run or yes):
        _confirm(chosen)
    found = leftovers.everywhere(place) if every else leftovers.of(place)
    commands = {item.pid: leftovers.shown(leftovers.arguments(item.pid)) for item in found}
    left: list[Identity] = []
    if not dry_run:
        try:
            found, left = leftovers.end(place, every)
            left += leftovers.end_these([item.process for item in chosen])
        except PermissionError as error:
            raise NotPermitted("other_user", pid="?") from error
    said = "left_would_end" if dry_run else "left_ended"
    commands |= {item.pid: item.command for item in chosen}
    ended = [*(item.pid for item in found), *(item.pid for item in chosen)]
    spared = [item for item in foreign if item not in chosen]
    if left:
        raise Failed("not_ending", pids=", ".join(str(item.pid) for item in left))
    held = gpu.still_held(set(ended), wait=1.0) if ended and not dry_run else []
    lines = [say(said, pid=pid, command=commands.get(pid, "?")) for pid in ended] or [say("left_none")]
    lines += [gpu.line_of(item) for item in held]
    lines += [_foreign_line(item) for item in spared] + ([say("left_how")] if spared else [])
    listed = [
        {
            "pid": item.pid,
            "sure": item.guess == leftovers.SURE,
            "folder": item.folder,
            "command": item.command,
        }
        for item in spared
    ]
    holding = [{"gpu": item.gpu.index, "pid": item.pid, "memory": item.memory} for item in held]
    show({"dry_run": dry_run, "ended": ended, "foreign": listed, "gpu_held": holding}, lines, json)


def _chosen(foreign: list[Foreign], pids: tuple[int, ...]) -> list[Foreign]:
    """Those named, or all that surely are speech servers."""
    from .leftovers import SURE

    known = {item.pid: item for item in foreign}
    for pid in pids:
        if pid not in known:
            raise Failed("left_no_such_foreign", pid=pid)
    return [known[pid] for pid in pids] if pids else [item for item in foreign if item.guess == SURE]


def _confirm(chosen: list[Foreign]) -> None:
    """Raises click.Abort on no, BadArguments where nobody can answer."""
    if not sys.stdin.isatty():
        raise BadArguments("left_needs_yes")
    lines = "\n".join(f"  pid {item.pid}  {item.folder}  {item.command}" for item in chosen)
    click.confirm(say("left_confirm", lines=lines), abort=True, err=True)


def _foreign_line(item: Foreign) -> str:
    from .leftovers import SURE

    key = "left_foreign" if item.guess == SURE else "left_foreign_maybe"
    return say(key, pid=item.pid, folder=item.folder or "?", command=item.command)


@click.group(help=help_of("service"))
def service() -> None:
    """See ``launcher.service``."""


_scope = cli_options.options_of(
    ("--system/--user", {"default": None, "help": help_of("service_scope")}),
    (
        "--backup-to",
        {"default": "", "help": help_of("service_backup_to")},
    ),
    ("--root", {"default": "", "help": help_of("service_root")}),
)
_force = cli_options.options_of(("--force", {"is_flag": True, "help": help_of("service_force")}))


@service.command("install", help=help_of("service_install"), context_settings=cli_options.FORWARDING)
@instance
@cli_options.server
@_scope
@_force
@cli_options.forwarded
def install(
    json: bool,
    system: bool | None,
    backup_to: str,
    root: str,
    force: bool,
    forwarded: tuple[str, ...],
    **given: Any,
) -> None:
    """Idempotent."""
    from . import service as units

    scope, found = _plan(given, forwarded, system, root, backup_to)
    changed = units.install(found, force)
    reloaded = bool(changed) and scope.reload()
    lines = [say("unit_written", path=path) for path in changed] or [say("unit_unchanged")]
    lines += _reload_lines(scope, reloaded) if changed else []
    enable = units.enable_command(scope, found)
    lines.append(say("unit_next", command=enable))
    if not scope.system:
        lines.append(say("unit_linger", command="loginctl enable-linger"))
    data = {"written": [str(path) for path in changed], "reloaded": reloaded, "next": enable}
    show({**data, "units": [str(unit.path) for unit in found]}, lines, json)


@service.command("uninstall", help=help_of("service_uninstall"))
@instance
@_scope
@_force
def uninstall(json: bool, system: bool | None, backup_to: str, root: str, force: bool, **given: Any) -> None:
    """Refused while a unit runs."""
    from . import service as units

    scope, found = _plan(given, (), system, root, backup_to)
    removed = units.uninstall(found, scope, force)
    reloaded = bool(removed) and scope.reload()
    lines = [say("unit_removed", path=path) for path in removed] or [say("unit_none", path=scope.folder)]
    lines += _reload_lines(scope, reloaded) if removed else []
    show({"removed": [str(path) for path in removed], "reloaded": reloaded}, lines, json)


@service.command("show", help=help_of("service_show"), context_settings=cli_options.FORWARDING)
@instance
@cli_options.server
@_scope
@cli_options.forwarded
def show_units(
    json: bool, system: bool | None, backup_to: str, root: str, forwarded: tuple[str, ...], **given: Any
) -> None:
    """Writes nothing."""
    _, found = _plan(given, forwarded, system, root, backup_to)
    lines = [
        line
        for unit in found
        for line in (say("unit_shown", path=unit.path, state=say(f"unit_state_{unit.state}")), unit.text)
    ]
    listed = [{"path": str(unit.path), "state": unit.state, "text": unit.text} for unit in found]
    show({"units": listed}, lines, json)


def _plan(
    given: dict[str, Any], forwarded: tuple[str, ...], system: bool | None, root: str, backup_to: str
) -> tuple[Scope, list[Unit]]:
    from . import service as units

    scope = units.Scope(units.default_scope() if system is None else system, root.rstrip("/"))
    return scope, units.plan(options.resolve(given, forwarded), scope, backup_to)


def _reload_lines(scope: Scope, reloaded: bool) -> list[str]:
    from .service import reload_command

    key = "unit_reloaded" if reloaded else "unit_not_reloaded"
    return [say(key, command=reload_command(scope))]


@click.command(help=help_of("completion"))
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@instance
@click.pass_context
def completion(context: click.Context, shell: str, json: bool, **given: Any) -> None:
    """Click's script for a shell; it asks tts-launch itself at each Tab."""
    from click.shell_completion import ShellComplete, get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    script = ShellComplete.source(kind(context.find_root().command, {}, "tts-launch", "_TTS_LAUNCH_COMPLETE"))
    show({"shell": shell, "script": script}, [script], json)


COMMANDS = (doctor, ps, kill_leftovers, service, completion)
