"""What fetching looks like to a person: a bar, and the question whether a licence is accepted."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..messages import say

if TYPE_CHECKING:
    from ..models import Fetched, Wish
    from ..progress import Bar


def fetch(
    cache_hub: Path,
    model: str,
    source: str = "",
    accept: bool = False,
    quiet: bool = False,
    parallel: int = 0,
) -> Fetched:
    """Fetch with a bar; silent and quick where the model is there. Raises as ``models.fetch`` does."""
    from .. import models

    if models.is_settled(cache_hub, model):
        return models.fetch(cache_hub, model)
    accepted = agreed(cache_hub, model, accept, quiet)
    if not quiet:
        click.echo(say("fetching", model=model, path=cache_hub / model), err=True)
    with bar(quiet) as moving:
        return models.fetch(cache_hub, model, wish(moving, source, accepted, parallel))


def wish(moving: Bar, source: str, accepted: bool, parallel: int = 0) -> Wish:
    """How to fetch, with the bar as its listener."""
    from ..models import Wish

    return Wish(source, accepted, moving.update, moving.restart, parallel)


def agreed(cache_hub: Path, model: str, accept: bool, quiet: bool) -> bool:
    """Whether the licence is accepted: by option, or now by a person at a terminal. An earlier yes is recorded."""
    from .. import catalogue
    from . import record

    item = catalogue.load(model)
    if accept or not item.licence_url or record.read(cache_hub / model).accepted:
        return accept
    if quiet or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    return click.confirm(say("licence_question", licence=item.licence, url=item.licence_url), err=True)


@contextmanager
def bar(quiet: bool) -> Iterator[Bar]:
    """A bar whose total the work sets."""
    from ..progress import Bar

    moving = Bar(1, quiet=quiet)
    try:
        yield moving
    finally:
        moving.close()
