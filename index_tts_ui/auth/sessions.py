"""Page sessions: a signed cookie that names a key's entry. Revoking the key ends them."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable

from .keys import Key, KeyStore

COOKIE = "tts_session"
LIFE = 7 * 86_400  # seconds


class Sessions:
    """Nothing is stored: the cookie holds the entry's id, its end, and a MAC over both and the entry's hash."""

    def __init__(self, store: KeyStore, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock

    def new(self, key: Key) -> str:
        """The cookie's value."""
        expires = int(self._clock()) + LIFE
        return f"{key.id}.{expires}.{self._mac(key, expires)}"

    def find(self, value: str) -> Key | None:
        """The valid entry behind a cookie."""
        key_id, _, rest = value.partition(".")
        expires, _, mac = rest.partition(".")
        if not (expires.isascii() and expires.isdigit() and len(expires) <= 12 and mac.isascii()):
            return None
        key = self._store.of_id(key_id)
        if key is None or self._clock() >= int(expires):
            return None
        return key if hmac.compare_digest(mac, self._mac(key, int(expires))) else None

    def _mac(self, key: Key, expires: int) -> str:
        secret = bytes.fromhex(self._store.ring.secret)
        return hmac.new(secret, f"session {key.id} {expires} {key.hash}".encode(), hashlib.sha256).hexdigest()
