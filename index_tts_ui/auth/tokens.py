"""JWT of a configured issuer. Only public-key signatures: nobody can sign with what is public."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jwt

from ..errors import BadConfig
from ..speech import ROLES, Owner

ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
LEEWAY = 30  # seconds that clocks may differ
FETCH_SECONDS = 5


class Tokens:
    """``keys``: a file (PEM public key, or JWKS as JSON), or an https address of a JWKS, read when needed."""

    def __init__(self, issuer: str, audience: str, keys: str) -> None:
        if not audience or not keys:
            raise BadConfig("bad_config", name="jwt_issuer", reason="needs jwt_audience and jwt_keys, too")
        self._issuer = issuer
        self._audience = audience
        self._pem: str | None = None
        self._set: jwt.PyJWKSet | None = None
        self._client: jwt.PyJWKClient | None = None
        if keys.startswith("https://"):
            self._client = jwt.PyJWKClient(keys, timeout=FETCH_SECONDS, lifespan=600)
            return
        try:
            text = Path(keys).expanduser().read_text("utf-8")
            if text.lstrip().startswith("{"):
                self._set = jwt.PyJWKSet.from_json(text)
            else:
                self._pem = text
        except (OSError, ValueError, jwt.PyJWTError) as error:
            raise BadConfig("bad_config", name="jwt_keys", reason=f"cannot be read: {error}") from error

    def find(self, token: str) -> Owner | None:
        """Who it names; None where it is wrong in any way. May fetch the issuer's keys: call it in a thread."""
        try:
            claims = jwt.decode(
                token,
                self._key(token),
                algorithms=ALGORITHMS,
                issuer=self._issuer,
                audience=self._audience,
                leeway=LEEWAY,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except (jwt.PyJWTError, ValueError, TypeError):
            return None
        subject = claims["sub"]
        return Owner(f"jwt:{subject}"[:128], subject[:64], _roles(claims)) if subject else None

    def _key(self, token: str) -> Any:
        if self._client is not None:
            return self._client.get_signing_key_from_jwt(token).key
        if self._set is not None:
            wanted = jwt.get_unverified_header(token).get("kid")
            found = [key for key in self._set.keys if wanted in (None, key.key_id)]
            if not found:
                raise jwt.InvalidKeyError("no such key")
            return found[0].key
        return self._pem


def _roles(claims: dict[str, Any]) -> frozenset[str]:
    """Of the claim ``roles`` (a list) or ``scope`` (words); one without either may speak."""
    given = claims.get("roles", claims.get("scope"))
    if given is None:
        return frozenset(("speak",))
    words = given.split() if isinstance(given, str) else given if isinstance(given, list) else []
    return frozenset(role for role in ROLES if role in words)
