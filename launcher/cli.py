"""The command line: tts-launch start|stop|restart|status|logs|run and models fetch|path|check.

What is slow to import is imported inside the command that needs it.
"""

from __future__ import annotations

import json as jsonlib
import os
import sys
from typing import Any, NoReturn

import click

from . import cli_options, options
from .cli_backup import backup, restore
from .cli_cluster import cluster
from .cli_keys import keys
from .cli_models import models
from .cli_tools import COMMANDS as TOOLS
from .cli_usage import usage
from .errors import Failed, LauncherError, NotRunning
from .messages import help_of, say
from .output import fetch_model, loading_bar, show, show_started, status_lines

LOGS = ("access", "error", "debug", "server", "launcher")  # logs.NAMES, which is imported late


@click.group(help=help_of("main"), context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """See ``messages.HELP``."""


@cli.command(help=help_of("start"), context_settings=cli_options.FORWARDING)
@cli_options.instance
@cli_options.server
@cli_options.timeout
@click.option("--fetch", is_flag=True, help=help_of("opt_fetch_first"))
@cli_options.forwarded
def start(json: bool, start_timeout: float, fetch: bool, forwarded: tuple[str, ...], **given: Any) -> None:
    """Print the address once it is ready."""
    from . import fitting
    from . import models as store
    from .start import start as run_start

    settings = options.resolve(given, forwarded)
    if fetch and (model := store.needed_by(fitting.best(settings))):
        hub = settings.instance.cache_hub
        if not store.is_started(hub, model):  # what else there is of it, `models fetch` brings
            fetch_model(hub, model, quiet=json)
    with loading_bar(json) as progress:
        started = run_start(settings, start_timeout, progress)
    show_started(started, settings, json)


@cli.command(help=help_of("restart"), context_settings=cli_options.FORWARDING)
@cli_options.instance
@cli_options.server
@cli_options.timeout
@click.option("--graceful", is_flag=True, help=help_of("opt_graceful"))
@click.option("--overlap", is_flag=True, help=help_of("opt_overlap"))
@cli_options.forwarded
def restart(
    json: bool, start_timeout: float, graceful: bool, overlap: bool, forwarded: tuple[str, ...], **given: Any
) -> None:
    """Print the address once it is ready again."""
    settings = options.resolve(given, forwarded)
    with loading_bar(json) as progress:
        if graceful or overlap:
            from .graceful import restart as restart_gracefully

            started = restart_gracefully(settings, given, forwarded, start_timeout, progress, overlap)
        else:
            from .restart import restart as run_restart

            started = run_restart(settings, given, forwarded, start_timeout, progress)
    show_started(started, settings, json)


@cli.command(help=help_of("stop"))
@cli_options.instance
@click.option("--force", is_flag=True, help=help_of("opt_force_stop"))
def stop(json: bool, force: bool, **given: Any) -> None:
    """Also fine when nothing runs."""
    from .stop import stop as run_stop

    stopped = run_stop(options.resolve(given).instance, force)
    show({"stopped": stopped}, [say("stopped" if stopped else "not_running")], json)


@cli.command(help=help_of("status"))
@cli_options.instance
@click.option("--ready", is_flag=True, help=help_of("opt_ready_only"))
def status(json: bool, ready: bool, **given: Any) -> None:
    """LSB exit codes."""
    from .status import look

    seen = look(options.resolve(given).instance)
    show(seen.to_json(), status_lines(seen), json)
    sys.exit(1 if ready and seen.code == 0 and not seen.ready else seen.code)


@cli.command(help=help_of("logs"))
@cli_options.instance
@click.option("-f", "--follow", is_flag=True, help=help_of("opt_follow"))
@click.option(
    "-n", "--lines", type=click.IntRange(0), default=50, show_default=True, help=help_of("opt_lines")
)
@click.option("--file", "names", multiple=True, type=click.Choice(LOGS), help=help_of("opt_file"))
def logs(json: bool, follow: bool, lines: int, names: tuple[str, ...], **given: Any) -> None:
    """All files of the instance's log folder, or some."""
    from . import logs as reader

    instance = options.resolve(given).instance
    if not (follow or reader.files(instance, names)):
        raise NotRunning("no_logs", path=instance.logs)

    def out(name: str, line: str) -> None:
        show({"file": name, "line": line}, [f"{name.removesuffix('.log')}: {line}"], json)

    try:
        reader.show(instance, lines, out, follow, names)
    except BrokenPipeError:  # click would make it exit code 1
        _nobody_reads()


@cli.command(help=help_of("run"), context_settings=cli_options.FORWARDING)
@cli_options.instance
@cli_options.server
@click.option("--report-fd", type=int, hidden=True)
@cli_options.forwarded
def run(json: bool, report_fd: int | None, forwarded: tuple[str, ...], **given: Any) -> None:
    """The exit code is the server's where it failed."""
    from .run import run as supervise

    sys.exit(supervise(options.resolve(given, forwarded), report_fd))


for command in (backup, restore, cluster, keys, models, usage, *TOOLS):
    cli.add_command(command)


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
        _nobody_reads()
    except OSError as error:  # no disk, no memory, no processes left
        _fail(Failed("system", reason=error.strerror or error, path=error.filename or "-"))


def _nobody_reads() -> NoReturn:
    """Whoever read the output has seen enough: not a failure."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(0)


def _fail(error: LauncherError) -> NoReturn:
    if "--json" in sys.argv:
        click.echo(
            jsonlib.dumps({"error": error.key, "message": error.message, "exit_code": error.exit_code})
        )
    else:
        error.show()
    sys.exit(error.exit_code)
