"""``tts-launch usage``: what was spoken, by day and caller."""

from __future__ import annotations

from typing import Any

import click

from . import options
from .cli_options import instance
from .messages import help_of, say
from .output import show

GROUPINGS = {"day": ("day",), "caller": ("caller",), "both": ("day", "caller")}


@click.command("usage", help=help_of("usage"))
@click.option(
    "--days",
    type=click.FloatRange(0.01, 100_000),
    default=30.0,
    show_default=True,
    help=help_of("usage_days"),
)
@click.option(
    "--by", type=click.Choice(list(GROUPINGS)), default="both", show_default=True, help=help_of("usage_by")
)
@click.option("--rows", "each", is_flag=True, help=help_of("usage_rows"))
@click.option("--csv", "as_csv", is_flag=True, help=help_of("usage_csv"))
@instance
def usage(json: bool, days: float, by: str, each: bool, as_csv: bool, **given: Any) -> None:
    """Also while nothing runs."""
    from . import usage as book

    path = options.resolve(given).instance.home / "usage.sqlite3"
    found = book.rows(path, days) if each else book.sums(path, days, GROUPINGS[by])
    if not found:
        lines = [] if as_csv else [say("usage_empty", days=f"{days:g}")]
    else:
        lines = [book.as_csv(found)] if as_csv else book.table(found)
    show({"usage": found}, lines, json)
