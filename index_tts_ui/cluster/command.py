"""``python -m index_tts_ui.admin cluster settings|probe|deploy|look|down|manifest``: one JSON object on the last line.

``tts-launch cluster`` runs it; what Ray prints goes to standard error.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import platform
import sys
from importlib import metadata
from typing import Any

from .. import __version__, choice, config
from ..config import Config
from ..errors import BadConfig
from . import settings as cluster_settings
from . import token
from .handshake import Lost, Refused, facts, introduce
from .peer import Peer
from .settings import ClusterSettings
from .station import address_of

PROBE_SECONDS = 10.0


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own; the service's settings may follow."""
    parser.add_argument("action", choices=tuple(_ACTIONS))
    parser.add_argument("--front", default="", help="host:port, for probe")
    config.add_flags(parser)


def run(given: argparse.Namespace) -> int:
    """Exit code 0, or 1 with ``{"error": reason}``."""
    flags = {key: value for key, value in vars(given).items() if key not in ("command", "action", "front")}
    try:
        loaded = config.load(flags)
        with contextlib.redirect_stdout(sys.stderr):
            found = _ACTIONS[given.action](loaded, given.front)
        print(json.dumps(found), flush=True)
        return 0
    except BadConfig as error:
        reason = error.message()
    except ImportError as error:
        reason = f"a package is missing ({error.name}): pip install 'index-tts-ui[cluster]'"
    except (OSError, RuntimeError, ValueError) as error:  # ConnectionError is what Ray raises
        lines = str(error).strip().splitlines()
        reason = (lines[0] if lines else type(error).__name__)[:500]
    print(json.dumps({"error": reason}), flush=True)
    return 1


def versions() -> dict[str, str]:
    """What must be the same on all machines of a cluster; "" for Ray where it is not installed."""
    try:
        ray = metadata.version("ray")
    except metadata.PackageNotFoundError:
        ray = ""
    return {"version": __version__, "python": platform.python_version(), "ray": ray}


def _settings(loaded: Config, front: str) -> dict[str, Any]:
    found = cluster_settings.load(loaded.home_dir)
    return {**found.to_json(), **versions(), "engine": choice.choose(loaded), "host": loaded.host}


def _probe(loaded: Config, front: str) -> dict[str, Any]:
    """Whether the front can be reached and knows our token, and what it is."""
    return asyncio.run(_ask(front, token.read(loaded.home_dir)))


async def _ask(front: str, secret: str) -> dict[str, Any]:
    peer, known = Peer(), dict[str, Any]()
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            await asyncio.get_running_loop().create_connection(lambda: peer.wire, *address_of(front))
            ours = await introduce(peer, secret, {**facts(""), "asks": True}, known.update)
        return {"front": ours, "refused": ""}
    except Refused as error:
        return {"front": known, "refused": str(error)}
    except (OSError, Lost, TimeoutError) as error:
        reason = getattr(error, "strerror", None) or str(error) or f"no answer in {PROBE_SECONDS:g} s"
        raise OSError(f"{front}: {reason}") from error
    finally:
        peer.wire.abort()


def _with_ray(name: str, loaded: Config, found: ClusterSettings) -> dict[str, Any]:
    from . import deploy

    if name == "deploy":
        return deploy.deploy(loaded, found)
    return deploy.look(found) if name == "look" else deploy.take_down(found)


def _manifest(loaded: Config, front: str) -> dict[str, Any]:
    from . import manifest

    return {"manifest": manifest.manifest(loaded, cluster_settings.load(loaded.home_dir))}


_ACTIONS: dict[str, Any] = {
    "settings": _settings,
    "probe": _probe,
    "manifest": _manifest,
    **{
        name: (
            lambda loaded, front, name=name: _with_ray(name, loaded, cluster_settings.load(loaded.home_dir))
        )
        for name in ("deploy", "look", "down")
    },
}
