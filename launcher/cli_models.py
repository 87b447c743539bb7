"""``tts-launch models ...``: what is in cache_hub, whether it is whole, and how it comes, goes and is kept."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import options
from .cli_options import instance
from .hub import ask
from .messages import help_of, say
from .output import show

if TYPE_CHECKING:
    from .hub.backup import Copied
    from .hub.check import Finding
    from .models import Fetched
    from .progress import Bar

NOT_PERMITTED, NOT_CONFIGURED = 4, 6
_source = click.option(
    "--source", type=click.Choice(["registry", "hub", "modelscope"]), help=help_of("models_source")
)
_accept = click.option("--accept-license", is_flag=True, help=help_of("models_accept"))
_parallel = click.option(
    "--parallel", type=click.IntRange(1, 16), default=4, show_default=True, help=help_of("models_parallel")
)
_deep = click.option("--deep", is_flag=True, help=help_of("models_deep"))


@click.group(help=help_of("models"))
def models() -> None:
    """See ``launcher.models``."""


@models.command("list", help=help_of("models_list"))
@instance
def list_models(json: bool, **given: Any) -> None:
    """Absent models are shown too: they can be fetched."""
    from .hub.overview import overview

    seen = overview(_cache_hub(given))
    lines = []
    for item in seen:
        state, size = say(f"state_{item.state}"), f"{(item.size or item.wanted) / 1e6:.0f} MB"
        lines.append(say("model_line", model=item.model, state=state, size=size, path=item.path))
        lines += [f"    {text}" for text in (item.description, item.licence) if text]
    show({"models": [item.to_json() for item in seen]}, lines, json)


@models.command(help=help_of("models_path"))
@click.argument("model")
@instance
def path(model: str, json: bool, **given: Any) -> None:
    """Printed whether it is there or not."""
    from . import catalogue

    folder = _cache_hub(given) / catalogue.load(model).model
    show({"model": model, "path": str(folder)}, [str(folder)], json)


@models.command(help=help_of("models_check"))
@click.argument("model", required=False)
@instance
@_deep
def check(model: str | None, json: bool, deep: bool, **given: Any) -> None:
    """Exit 6 where something needed is missing or damaged, 4 where something may not be read."""
    from . import models as store
    from .hub.overview import present

    cache_hub = _cache_hub(given)
    names = [model] if model else present(cache_hub) or [store.needed_by("auto")]
    found = {}
    for name in names:
        with ask.bar(json or not (deep or sys.stderr.isatty())) as bar:
            bar.restart(_weight(cache_hub, name) if deep else 1)
            found[name] = store.check(cache_hub, name, deep, bar.update if deep else _by_files(bar, name))
    everything = [item for items in found.values() for item in items]
    lines = [item.line for item in everything]
    whole = [name for name, items in found.items() if not any(item.needed for item in items)]
    lines += [say("fetched", model=name, path=cache_hub / name) for name in whole]
    paths = {name: str(cache_hub / name) for name in names}
    data = {"model": model or names[0], "path": paths[names[0]], "models": paths}
    show({**data, "findings": [item.to_json() for item in everything]}, lines, json)
    sys.exit(_code(everything))


@models.command(help=help_of("models_fetch"))
@click.argument("model")
@instance
@_source
@_accept
@_parallel
def fetch(
    model: str, json: bool, source: str | None, accept_license: bool, parallel: int, **given: Any
) -> None:
    """Quick when the model is there."""
    from . import models as store

    done = ask.fetch(_cache_hub(given), model, source or "", accept_license, json, parallel)
    _show_fetched(model, done, json, store.check(done.folder.parent, model))


@models.command(help=help_of("models_repair"))
@click.argument("model", required=False)
@instance
@_deep
@_source
@_accept
def repair(
    model: str | None, json: bool, deep: bool, source: str | None, accept_license: bool, **given: Any
) -> None:
    """Valid files are not touched. Without a model: every one that is there."""
    from . import models as store
    from .hub.overview import present

    cache_hub = _cache_hub(given)
    done, found = {}, []
    for name in [model] if model else present(cache_hub):
        with ask.bar(json) as bar:
            wish = ask.wish(bar, source or "", ask.agreed(cache_hub, name, accept_license, json))
            done[name] = store.repair(cache_hub, name, deep, wish)
        found += store.check(cache_hub, name)
    lines = [item.line for item in found]
    lines += [say("repaired", model=name, count=one.fetched, path=one.folder) for name, one in done.items()]
    fetched = {name: one.fetched for name, one in done.items()}
    show({"fetched": fetched, "findings": [item.to_json() for item in found]}, lines, json)
    sys.exit(_code(found))


@models.command(help=help_of("models_adopt"))
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@instance
@click.option("--model", help=help_of("models_which"))
@click.option(
    "--how",
    type=click.Choice(["auto", "reflink", "hardlink", "symlink", "copy"]),
    default="auto",
    show_default=True,
    help=help_of("models_how"),
)
@_deep
def adopt(folder: Path, json: bool, model: str | None, how: str, deep: bool, **given: Any) -> None:
    """Exit 6 where the model is not complete even so."""
    from . import models as store
    from .hub.adopt import adopt as take

    cache_hub = _cache_hub(given)
    with ask.bar(json or not sys.stderr.isatty()) as bar:
        done = take(cache_hub, folder, model or "", how, deep, _by_files(bar, model or ""))
    found = store.check(cache_hub, done.model)
    lines = [item.line for item in (*done.refused, *found)]
    lines.append(
        say("adopted", model=done.model, taken=len(done.taken), kept=len(done.kept), path=done.folder)
    )
    data: dict[str, Any] = {"model": done.model, "path": str(done.folder)}
    data |= {
        "taken": done.taken,
        "kept": done.kept,
        "absent": done.absent,
        "refused": [item.to_json() for item in done.refused],
    }
    show({**data, "findings": [item.to_json() for item in found]}, lines, json)
    sys.exit(_code(found))


@models.command(help=help_of("models_backup"))
@click.argument("dest", type=click.Path(path_type=Path))
@instance
@_deep
def backup(dest: Path, json: bool, deep: bool, **given: Any) -> None:
    """Exit 1 where a file could not be copied, 6 where one was damaged and left out."""
    _mirror(_cache_hub(given), dest, deep, True, json)


@models.command(help=help_of("models_restore"))
@click.argument("src", type=click.Path(exists=True, file_okay=False, path_type=Path))
@instance
@_deep
@click.option("--overwrite", is_flag=True, help=help_of("models_overwrite"))
def restore(src: Path, json: bool, deep: bool, overwrite: bool, **given: Any) -> None:
    """Exit codes as for backup."""
    _mirror(src, _cache_hub(given), deep, overwrite, json)


def _mirror(source: Path, target: Path, deep: bool, overwrite: bool, json: bool) -> None:
    from .hub.backup import mirror

    with ask.bar(json) as bar:
        done = mirror(source, target, deep, overwrite, bar.update, bar.restart)
    show({"from": str(source), "to": str(target), **done.to_json()}, _mirror_lines(done, target), json)
    sys.exit(1 if done.failed else _code(done.skipped))


def _mirror_lines(done: Copied, target: Path) -> list[str]:
    lines = [item.line for item in done.skipped]
    lines += [say("not_copied", name=name, reason=reason) for name, reason in done.failed.items()]
    lines += [say("kept_other", name=name) for name in done.kept]
    counts = {"copied": len(done.copied), "unchanged": done.unchanged, "left": len(lines)}
    return [*lines, say("mirrored", path=target, megabytes=f"{done.bytes / 1e6:.0f}", **counts)]


def _code(found: list[Finding]) -> int:
    needed = [item for item in found if item.needed]
    if any(item.kind == "denied" for item in needed):
        return NOT_PERMITTED
    return NOT_CONFIGURED if needed else 0


def _show_fetched(model: str, done: Fetched, json: bool, found: list[Finding]) -> None:
    data = {"model": model, "path": str(done.folder), "adopted": done.adopted, "fetched": done.fetched}
    lines = [item.line for item in found]
    whole = not any(item.needed for item in found)
    lines += [say("fetched", model=model, path=done.folder)] if whole else []
    show({**data, "findings": [item.to_json() for item in found]}, lines, json)
    sys.exit(_code(found))


def _cache_hub(given: dict[str, Any]) -> Path:
    return options.resolve(given).instance.cache_hub


def _by_files(bar: Bar, model: str) -> Any:
    """A bar that counts files; the share is all that it shows."""
    from . import catalogue

    count = len(catalogue.load(model).files) if model in catalogue.names() else 20
    return lambda done, what: bar.update(done / count, what)


def _weight(cache_hub: Path, model: str) -> int:
    """Bytes of the model on disk."""
    from .hub.overview import weight

    return weight(cache_hub, model)
