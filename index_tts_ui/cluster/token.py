"""The cluster's token: who knows it may join. It never crosses the network, only proofs that both ends know it."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from ..errors import BadConfig

VARIABLE = "TTS_CLUSTER_TOKEN"
FILE = "cluster.token"
_LEAST = 16  # characters


def read(home: Path) -> str:
    """The token in the environment, else in ``home``. Raises BadConfig where there is none, or a guessable one."""
    token = os.environ.get(VARIABLE, "").strip()
    if not token:
        try:
            token = (home / FILE).read_text("utf-8").strip()
        except FileNotFoundError:
            raise BadConfig("cluster_no_token", path=home / FILE, variable=VARIABLE) from None
        except (OSError, UnicodeDecodeError) as error:
            raise BadConfig("bad_config", name=FILE, reason=f"cannot be read: {error}") from error
    if len(token) < _LEAST:
        raise BadConfig("bad_config", name=FILE, reason=f"needs {_LEAST} characters or more")
    return token


def nonce() -> str:
    """Something that was never there before."""
    return secrets.token_hex(16)


def proof(token: str, role: str, theirs: str, mine: str) -> str:
    """HMAC-SHA256 (RFC 2104) over both nonces: a recording of it is worth nothing in another handshake, and the
    proof of one role nothing in the other."""
    return hmac.new(token.encode(), f"{role}:{theirs}:{mine}".encode(), hashlib.sha256).hexdigest()


def fits(given: object, expected: str) -> bool:
    """Whether a proof is right, in constant time."""
    return isinstance(given, str) and hmac.compare_digest(given.encode(), expected.encode())
