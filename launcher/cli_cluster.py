"""``tts-launch cluster up | join | status | down | manifest``: one front, engine replicas on several machines."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from . import application, cli_options, options
from .cli_options import instance
from .errors import BadArguments, Failed, NotInstalled
from .instance import Instance
from .messages import help_of, say
from .output import loading_bar, show, show_started

SETTINGS_SECONDS, PROBE_SECONDS, DEPLOY_SECONDS = 60.0, 30.0, 300.0


@click.group(help=help_of("cluster"))
def cluster() -> None:
    """See ``index_tts_ui.cluster``."""


@cluster.command("up", help=help_of("cluster_up"), context_settings=cli_options.FORWARDING)
@instance
@cli_options.server
@cli_options.timeout
@cli_options.forwarded
def up(json: bool, start_timeout: float, forwarded: tuple[str, ...], **given: Any) -> None:
    """What runs already is left as it is."""
    from . import ray_node, state
    from .start import start as run_start

    place = options.resolve(given, forwarded).instance
    record = state.read(place.state)
    alive = record and record.supervisor and record.supervisor.alive()
    if record and alive and "--cluster-port" not in record.arguments:
        raise Failed("cluster_runs_alone")
    found = _settings(place)
    ray_node.keep_token(place)
    _head(place, found)
    flags = _words(options.resolve(given, forwarded).flags())
    deployed = _ask(place, "deploy", *flags, seconds=DEPLOY_SECONDS)
    more = ("--cluster-port", str(found["cluster_port"]), "--cluster-host", found["address"])
    settings = options.resolve(given, (*forwarded, *more))
    with loading_bar(json) as progress:
        started = run_start(settings, start_timeout, progress)
    if not json:
        click.echo(
            say(
                "cluster_deployed",
                least=found["min_replicas"],
                most=found["max_replicas"],
                front=found["front"],
            )
        )
        command = f"tts-launch cluster join {found['front']} --token-file cluster.token"
        click.echo(say("cluster_join_with", token=ray_node.token_file(place), command=command))
    show_started(started, settings, json)
    del deployed


def _head(place: Instance, found: dict[str, Any]) -> None:
    """Ray's first node, unless it runs."""
    from . import ports, ray_node

    if ray_node.members(place):
        return
    for name in ("ray_port", "node_port", "object_port", "cluster_port"):
        ports.check_free(found["address"], found[name])
    words = ["--head", f"--port={found['ray_port']}", f"--node-ip-address={found['address']}"]
    ray_node.start(place, [*words, "--include-dashboard=false", *ray_node.ports(found)])
    click.echo(say("cluster_ray_up", address=f"{found['address']}:{found['ray_port']}"), err=True)


@cluster.command("join", help=help_of("cluster_join"))
@click.argument("head", metavar="HEAD[:PORT]")
@click.option(
    "--token-file", type=click.Path(exists=True, dir_okay=False), help=help_of("cluster_token_file")
)
@click.option("--address", default="", help=help_of("cluster_address"))
@instance
def join(json: bool, head: str, token_file: str | None, address: str, **given: Any) -> None:
    """The front is asked first: token, ports and versions are explained before Ray is started."""
    from . import ray_node

    place = options.resolve(given).instance
    found = _settings(place)
    if ray_node.members(place):
        raise Failed("cluster_is_member")
    _token(place, token_file)
    host, _, port = head.rpartition(":") if ":" in head else (head, "", str(found["cluster_port"]))
    front = f"{host}:{port}"
    try:
        seen = _ask(place, "probe", "--front", front, seconds=PROBE_SECONDS)
    except Failed as error:
        raise Failed("cluster_not_reached", reason=error.facts["reason"], port=port) from error
    _check_versions(seen["front"], found)
    if seen["refused"]:
        raise Failed("cluster_refused", front=front, reason=seen["refused"].rstrip("."))
    own = [f"--node-ip-address={address}"] if address else []
    ray_node.start(place, [f"--address={host}:{found['ray_port']}", *own, *ray_node.ports(found)])
    show({"joined": front}, [say("cluster_joined", front=front)], json)


def _token(place: Instance, token_file: str | None) -> None:
    from . import ray_node

    if token_file:
        with open(token_file, encoding="utf-8", errors="replace") as file:
            ray_node.keep_token(place, file.read(4096) or "-")
    elif given := os.environ.get(ray_node.TOKEN, ""):
        ray_node.keep_token(place, given)
    elif not ray_node.token_file(place).exists():
        raise BadArguments("cluster_no_token")


def _check_versions(theirs: dict[str, Any], ours: dict[str, Any]) -> None:
    """Ray takes no node of another release, nor of another Python. Raises Failed."""
    for what, name in (("index-tts-ui", "version"), ("Ray", "ray"), ("Python", "python")):
        mine, other = ours[name], theirs.get(name, "")
        if name == "python":
            mine, other = (".".join(text.split(".")[:2]) for text in (mine, other))
        if other and mine != other:
            raise Failed("cluster_other_version", what=what, ours=mine, theirs=other)


@cluster.command("status", help=help_of("cluster_status"))
@instance
def status(json: bool, **given: Any) -> None:
    """As the head's Ray sees it; on the head."""
    place = options.resolve(given).instance
    found = _ask(place, "look", seconds=SETTINGS_SECONDS)
    counts = ", ".join(f"{count} {state}" for state, count in found["replicas"].items()) or "0"
    lines = [say("cluster_machines", ray=found["ray"])]
    for node in found["nodes"]:
        alive = say("cluster_alive" if node["alive"] else "cluster_dead")
        lines.append(say("cluster_node", **{**node, "state": alive}))
    lines.append(say("cluster_replicas", status=found["status"], counts=counts))
    show(found, [*lines, *([found["message"]] if found.get("message") else [])], json)
    sys.exit(0 if found["status"] == "RUNNING" else 1)


@cluster.command("down", help=help_of("cluster_down_"))
@instance
def down(json: bool, **given: Any) -> None:
    """Also fine where nothing runs."""
    from . import ray_node
    from .stop import stop as run_stop

    place = options.resolve(given).instance
    ended = [*(["front"] if run_stop(place, False) else []), *(["ray"] if ray_node.end(place) else [])]
    line = say("cluster_down", what=", ".join(ended)) if ended else say("cluster_nothing")
    show({"ended": ended}, [line], json)


@cluster.command("manifest", help=help_of("cluster_manifest"), context_settings=cli_options.FORWARDING)
@instance
@cli_options.server
@cli_options.forwarded
def manifest(json: bool, forwarded: tuple[str, ...], **given: Any) -> None:
    """To standard output."""
    settings = options.resolve(given, forwarded)
    found = _ask(settings.instance, "manifest", *_words(settings.flags()), seconds=SETTINGS_SECONDS)
    show(found, [found["manifest"].rstrip()], json)


def _words(flags: list[str]) -> list[str]:
    """The service's flags without home and name, which ``_ask`` gives."""
    return flags[4:]


def _settings(place: Instance) -> dict[str, Any]:
    found = _ask(place, "settings", seconds=SETTINGS_SECONDS)
    if not found["ray"]:
        raise NotInstalled("cluster_no_ray")
    return found


def _ask(place: Instance, action: str, *words: str, seconds: float) -> dict[str, Any]:
    """What the application answers. Raises Failed with its reason."""
    from . import ray_node

    os.environ.update(ray_node.environ(place))
    del os.environ[ray_node.VARIABLE]  # a driver is no part of the node
    own = ["--home", str(place.home), "--name", place.name]
    found = application.ask(["cluster", action, *own, *words], seconds, "cluster_failed")
    if "error" in found:
        raise Failed("cluster_failed", reason=str(found["error"]).rstrip("."))
    return found
