"""Who may talk to whom: both ends prove that they know the token, then compare what they are."""

from __future__ import annotations

import platform
from collections.abc import Callable
from importlib import metadata
from typing import Any

from .. import __version__, messages
from . import token as tokens
from .peer import Lost, Peer

PROTOCOL = 1  # of the messages between front and replica, beyond those of a worker


class Refused(Exception):
    """The other end said no, or is not to be trusted; in words."""


def facts(engine: str) -> dict[str, Any]:
    """What each end says of itself. Sound and segments cross as a worker's messages: these must be the same."""
    return {
        "version": __version__,
        "protocols": [PROTOCOL, messages.PROTOCOL],
        "python": platform.python_version(),
        "ray": _version("ray"),
        "engine": engine,
    }


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def against(ours: dict[str, Any], theirs: dict[str, Any]) -> str:
    """Why the two do not fit together, seen from the front; "" where they do."""
    same = all(theirs.get(name) == ours[name] for name in ("version", "protocols"))
    if not same:
        return f"it runs index-tts-ui {theirs.get('version')}, the front {ours['version']}: install the same on both"
    if theirs.get("engine") not in ("", ours["engine"]):
        return f"it speaks with {theirs.get('engine')}, the front with {ours['engine']}: deploy it again"
    return ""


async def receive(peer: Peer, token: str, ours: dict[str, Any]) -> dict[str, Any]:
    """The front's part; returns what the replica says of itself. Raises Refused or Lost."""
    mine = tokens.nonce()
    peer.send("challenge", nonce=mine)
    kind, header = await peer.next()
    theirs = str(header.get("nonce", ""))
    if kind != "join" or not tokens.fits(header.get("proof"), tokens.proof(token, "replica", mine, theirs)):
        peer.send("refused", reason="its token is not the front's", ours={})
        raise Refused("wrong token")
    said: dict[str, Any] = header.get("facts") or {}
    proof = tokens.proof(token, "front", theirs, mine)
    if reason := against(ours, said):
        peer.send("refused", reason=reason, ours=ours, proof=proof)
        raise Refused(reason)
    peer.send("welcome", ours=ours, proof=proof)
    return said


async def introduce(
    peer: Peer, token: str, said: dict[str, Any], told: Callable[[dict[str, Any]], None] = lambda front: None
) -> dict[str, Any]:
    """The replica's part; returns what the front says of itself, ``told`` hears it also where that refuses.

    Raises Refused (in the front's words) or Lost.
    """
    kind, header = await peer.next()
    theirs = str(header.get("nonce", ""))
    if kind != "challenge":
        raise Refused("what answers there is no front")
    mine = tokens.nonce()
    proof = tokens.proof(token, "replica", theirs, mine)
    peer.send("join", nonce=mine, proof=proof, facts=said)
    kind, header = await peer.next()
    known = tokens.fits(header.get("proof"), tokens.proof(token, "front", mine, theirs))
    if known:
        told(header.get("ours") or {})
    if kind == "refused":
        raise Refused(str(header.get("reason", ""))[:300])
    if kind != "welcome" or not known:
        raise Refused("what answers there does not know the token")
    return header.get("ours") or {}


__all__ = ["Lost", "Refused", "against", "facts", "introduce", "receive"]
