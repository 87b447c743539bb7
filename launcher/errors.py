"""The launcher's failures: click exceptions, one exit code each (LSB codes)."""

from __future__ import annotations

from typing import Any, ClassVar

import click

from .messages import say


class LauncherError(click.ClickException):
    """A failure with a sentence in both languages; ``key`` is stable and appears in ``--json``."""

    exit_code: ClassVar[int] = 1  # type: ignore[misc]

    def __init__(self, key: str, **facts: Any) -> None:
        self.key = key
        self.facts = facts
        super().__init__(say(key, **facts))

    def show(self, file: Any = None) -> None:
        """One line on standard error, without click's ``Error:`` in front."""
        click.echo(self.message, file=file, err=file is None)


class Failed(LauncherError):
    """Generic failure (1)."""


class BadArguments(LauncherError):
    """The command line is wrong (2)."""

    exit_code = 2


class NotPermitted(LauncherError):
    """The operating system said no (4)."""

    exit_code = 4


class NotInstalled(LauncherError):
    """A program that is needed is not there (5)."""

    exit_code = 5


class NotConfigured(LauncherError):
    """A model is missing or a setting is wrong (6)."""

    exit_code = 6


class NotRunning(LauncherError):
    """The command needs a running instance (7)."""

    exit_code = 7


class Reported(LauncherError):
    """A failure that a supervisor reported in its own words and with its own exit code."""

    def __init__(self, key: str, message: str, exit_code: int) -> None:
        click.ClickException.__init__(self, message)
        self.key, self.facts = key, {}
        self.exit_code = exit_code  # type: ignore[misc]


class Interrupted(LauncherError):
    """Ctrl+C or SIGTERM reached the command (128 + signal)."""

    def __init__(self, signum: int) -> None:
        super().__init__("interrupted")
        self.exit_code = 128 + signum  # type: ignore[misc]


EXIT_CONFIG = 78  # EX_CONFIG of sysexits.h: the server ends with it when a restart cannot help
EXIT_USAGE = 2  # argparse: the server did not understand a flag
