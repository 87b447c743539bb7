"""``python -m index_tts_ui.admin keys add|list|revoke --home HOME``: one JSON object on standard output.

``tts-launch keys`` runs it; nothing else writes ``keys.json``.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from ..errors import BadConfig
from ..speech import ROLES
from .keys import Key, KeyStore


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own; a password comes on standard input, where no list of processes shows it."""
    parser.add_argument("action", choices=("add", "list", "revoke"))
    parser.add_argument("--who", default="", help="a name, or an id to revoke")
    parser.add_argument("--home", required=True)
    parser.add_argument("--roles", default="speak", help=f"by comma, of {', '.join(ROLES)}")
    parser.add_argument("--password-stdin", action="store_true")
    parser.add_argument("--days", type=float, default=0.0)
    parser.add_argument("--weight", type=float, default=1.0)
    parser.add_argument("--rate", default="")
    parser.add_argument("--quota", type=int, default=0)


def run(given: argparse.Namespace) -> int:
    """Exit code 0, or 1 with ``{"error": reason}``."""
    store = KeyStore(Path(given.home) / "keys.json")
    try:
        print(json.dumps(_act(store, given)), flush=True)
        return 0
    except BadConfig as error:
        print(json.dumps({"error": str(error.facts["reason"])}), flush=True)
    except OSError as error:
        print(json.dumps({"error": f"{error.filename or given.home}: {error.strerror}"}), flush=True)
    return 1


def _act(store: KeyStore, given: argparse.Namespace) -> dict[str, Any]:
    if given.action == "list":
        return {"keys": [_shown(key) for key in store.ring.keys]}
    if given.action == "revoke":
        return {"revoked": _shown(store.revoke(given.who))}
    key, secret = store.add(
        given.who,
        password=sys.stdin.readline().rstrip("\r\n") if given.password_stdin else None,
        roles=tuple(role.strip() for role in given.roles.split(",") if role.strip()),
        days=given.days,
        weight=given.weight,
        rate=given.rate,
        quota=given.quota,
    )
    return {"added": _shown(key), "key": secret, "first": len(store.ring.keys) == 1}


def _shown(key: Key) -> dict[str, Any]:
    state = "revoked" if key.revoked else ("valid" if key.is_valid(time.time()) else "expired")
    names = ("id", "name", "roles", "created", "expires", "weight", "rate", "quota")
    return {name: getattr(key, name) for name in names} | {"state": state, "password": key.is_password}
