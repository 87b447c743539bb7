"""The command line: tts-launch start|stop|restart|status|logs|run and models fetch|path|check.

What is slow to import is imported inside the command that needs it.
"""

from __future__ import annotations

import json as jsonlib
import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import click

from . import options
from .errors import Failed, LauncherError, NotRunning
from .messages import help_of, say
from .output import fetch_model, loading_bar, show, show_started, status_lines

START_TIMEOUT = 300.0  # seconds
_FORWARDING = {"ignore_unknown_options": True, "allow_interspersed_args": True}
Decorated = Callable[..., Any]


def _options(*specs: tuple[str, dict[str, Any]]) -> Callable[[Decorated], Decorated]:
    def decorate(function: Decorated) -> Decorated:
        for name, extra in reversed(specs):
            function = click.option(name, **extra)(function)
        return function

    return decorate


_instance = _options(
    ("--home", {"help": "Folder of cache_hub, logs, run (TTS_HOME; default: the current folder)."}),
    ("--name", {"help": "Name of the instance (default: default)."}),
    ("--json", {"is_flag": True, "help": "Print JSON."}),
)
_server = _options(
    ("--host", {"help": "Address to listen on; 0.0.0.0 opens it to the LAN (default: 127.0.0.1)."}),
    ("--port", {"type": click.IntRange(1, 65535), "help": "Port of page and API (default: 7860)."}),
    ("--engine", {"help": "Speech engine (default: auto)."}),
    ("--device", {"help": "Device of the engine (default: auto)."}),
)
_timeout = _options(
    (
        "--start-timeout",
        {"type": click.FloatRange(0.1), "default": START_TIMEOUT, "show_default": True, "help": "Seconds."},
    )
)
_forwarded = click.argument("forwarded", nargs=-1, type=click.UNPROCESSED)


@click.group(help=help_of("main"), context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """See ``messages.HELP``."""


@cli.command(help=help_of("start"), context_settings=_FORWARDING)
@_instance
@_server
@_timeout
@click.option("--fetch", is_flag=True, help="Fetch the engine's model first if it is missing.")
@_forwarded
def start(json: bool, start_timeout: float, fetch: bool, forwarded: tuple[str, ...], **given: Any) -> None:
    """Print the address once it is ready."""
    from . import models as store
    from .start import start as run_start

    settings = options.resolve(given, forwarded)
    if fetch and (model := store.needed_by(settings.engine)):
        fetch_model(settings.instance.cache_hub, model, quiet=json)
    with loading_bar(json) as progress:
        started = run_start(settings, start_timeout, progress)
    show_started(started, settings, json)


@cli.command(help=help_of("restart"), context_settings=_FORWARDING)
@_instance
@_server
@_timeout
@_forwarded
def restart(json: bool, start_timeout: float, forwarded: tuple[str, ...], **given: Any) -> None:
    """Print the address once it is ready again."""
    from .restart import restart as run_restart

    settings = options.resolve(given, forwarded)
    with loading_bar(json) as progress:
        started = run_restart(settings, given, forwarded, start_timeout, progress)
    show_started(started, settings, json)


@cli.command(help=help_of("stop"))
@_instance
@click.option("--force", is_flag=True, help="Do not wait for running requests.")
def stop(json: bool, force: bool, **given: Any) -> None:
    """Also fine when nothing runs."""
    from .stop import stop as run_stop

    stopped = run_stop(options.resolve(given).instance, force)
    show({"stopped": stopped}, [say("stopped" if stopped else "not_running")], json)


@cli.command(help=help_of("status"))
@_instance
@click.option("--ready", is_flag=True, help="Exit 1 unless it can serve now.")
def status(json: bool, ready: bool, **given: Any) -> None:
    """LSB exit codes."""
    from .status import look

    seen = look(options.resolve(given).instance)
    show(seen.to_json(), status_lines(seen), json)
    sys.exit(1 if ready and seen.code == 0 and not seen.ready else seen.code)


@cli.command(help=help_of("logs"))
@_instance
@click.option("-f", "--follow", is_flag=True, help="Go on with new lines.")
@click.option(
    "-n", "--lines", type=click.IntRange(0), default=50, show_default=True, help="Lines of each file."
)
def logs(json: bool, follow: bool, lines: int, **given: Any) -> None:
    """All files of the instance's log folder."""
    from . import logs as reader

    instance = options.resolve(given).instance
    if not (follow or reader.files(instance)):
        raise NotRunning("no_logs", path=instance.logs)

    def out(name: str, line: str) -> None:
        show({"file": name, "line": line}, [f"{name.removesuffix('.log')}: {line}"], json)

    reader.show(instance, lines, out, follow)


@cli.command(help=help_of("run"), context_settings=_FORWARDING)
@_instance
@_server
@click.option("--report-fd", type=int, hidden=True)
@_forwarded
def run(json: bool, report_fd: int | None, forwarded: tuple[str, ...], **given: Any) -> None:
    """The exit code is the server's where it failed."""
    from .run import run as supervise

    sys.exit(supervise(options.resolve(given, forwarded), report_fd))


@cli.group(help=help_of("models"))
def models() -> None:
    """See ``launcher.models``."""


@models.command(help=help_of("fetch"))
@click.argument("model")
@_instance
@click.option("--source", type=click.Choice(["registry", "hub"]), help="Default: whichever answers.")
def fetch(model: str, json: bool, source: str | None, **given: Any) -> None:
    """Quick when the model is there."""
    done = fetch_model(options.resolve(given).instance.cache_hub, model, source or "", quiet=json)
    data = {"model": model, "path": str(done.folder), "adopted": done.adopted, "fetched": done.fetched}
    show(data, [say("fetched", model=model, path=done.folder)], json)


@models.command(help=help_of("path"))
@click.argument("model")
@_instance
def path(model: str, json: bool, **given: Any) -> None:
    """Printed whether it is there or not."""
    from . import catalogue

    folder = options.resolve(given).instance.cache_hub / catalogue.load(model).model
    show({"model": model, "path": str(folder)}, [str(folder)], json)


@models.command(help=help_of("check"))
@click.argument("model")
@_instance
@click.option("--deep", is_flag=True, help="Read and hash every byte.")
def check(model: str, json: bool, deep: bool, **given: Any) -> None:
    """Exit 6 where something is missing."""
    from . import models as store

    folder = options.resolve(given).instance.cache_hub / model
    found = store.check(folder.parent, model, deep)
    if json:
        findings = [{"file": item.name, "kind": item.kind} for item in found]
        show({"model": model, "path": str(folder), "findings": findings}, [], json)
        sys.exit(6 if found else 0)
    if error := store.problems(found, folder):
        raise error
    click.echo(say("fetched", model=model, path=folder))


def main() -> None:
    """Entry point: every end is an exit code and at most a few lines, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that cannot show Chinese still shows the rest
    try:
        cli.main(prog_name="tts-launch", standalone_mode=False)
    except LauncherError as error:
        _fail(error)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads: not a failure
        sys.exit(0)
    except OSError as error:  # no disk, no memory, no processes left
        _fail(Failed("system", reason=error.strerror or error, path=error.filename or "-"))


def _fail(error: LauncherError) -> NoReturn:
    if "--json" in sys.argv:
        click.echo(
            jsonlib.dumps({"error": error.key, "message": error.message, "exit_code": error.exit_code})
        )
    else:
        error.show()
    sys.exit(error.exit_code)
