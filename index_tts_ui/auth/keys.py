"""KeyStore: the API keys and passwords in ``keys.json``, of which only hashes are kept.

A key is 256 random bits, so a plain SHA-256 of it cannot be turned back; a password is weak, so it is
stretched with scrypt. Revoked entries stay in the list: a server whose last key was revoked must not
become one that asks for none.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import hmac
import json
import os
import re
import secrets
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ..errors import BadConfig
from ..speech import ROLES, Owner

VERSION = 1
KEY = re.compile(r"tts_([0-9a-f]{8})_[A-Za-z0-9_-]{43}")
NAME = re.compile(r"[A-Za-z0-9._@-]{1,64}")
RATE = re.compile(r"auto|off|(\d+(\.\d+)?)(:\d+)?")
SCRYPT = {"n": 1 << 14, "r": 8, "p": 1}  # 16 MiB and about 50 ms
LEAST_PASSWORD = 8  # characters
_NOBODY = hashlib.sha256(b"").hexdigest()
Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Key:
    """One entry. Times are seconds since 1970, 0 for never; ``weight``, ``rate``, ``quota`` as in ``Owner``."""

    id: str
    name: str
    hash: str  # sha256 in hex, or "scrypt$salt$hash" for a password
    roles: tuple[str, ...] = ("speak",)
    created: float = 0.0
    expires: float = 0.0
    revoked: float = 0.0
    weight: float = 1.0
    rate: str = ""
    quota: int = 0

    @property
    def is_password(self) -> bool:
        """Whether a person chose it."""
        return self.hash.startswith("scrypt$")

    def is_valid(self, now: float) -> bool:
        """Neither revoked nor expired."""
        return not self.revoked and not (self.expires and now >= self.expires)

    def owner(self) -> Owner:
        """Who asks with it."""
        return Owner(f"key:{self.id}", self.name, frozenset(self.roles), self.weight, self.rate, self.quota)


@dataclass(frozen=True, slots=True)
class Ring:
    """What the file says. ``secret`` (hex) signs sessions."""

    secret: str = ""
    keys: tuple[Key, ...] = ()


class KeyStore:
    """The file as an object; any thread may call it. Changes of other processes are seen at once."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._read: tuple[Stamp | None, Ring] = None, Ring()  # replaced whole: readers take no lock

    @property
    def ring(self) -> Ring:
        """What there is now. Raises BadConfig where the file is damaged: nobody is let in by mistake."""
        stamp = self._stamp()
        if stamp != self._read[0]:
            self._read = stamp, Ring() if stamp is None else self._load()
        return self._read[1]

    def find(self, given: str) -> Key | None:
        """The valid entry of an API key. Takes as long for a wrong one as for a right one."""
        match = KEY.fullmatch(given)
        entry = self.of_id(match[1]) if match else None
        wanted = _NOBODY if entry is None or entry.is_password else entry.hash
        right = hmac.compare_digest(hashlib.sha256(given.encode("utf-8", "replace")).hexdigest(), wanted)
        return entry if right and entry is not None else None

    def of_id(self, key_id: str) -> Key | None:
        """The valid entry of that id."""
        now = self._clock()
        return next((key for key in self.ring.keys if key.id == key_id and key.is_valid(now)), None)

    def still_holds(self, owner: str) -> bool:
        """Whether an owner's key (``Owner.key``) is valid; what is no key of ours, or cannot be read, is let be."""
        kind, _, key_id = owner.partition(":")
        try:
            return kind != "key" or self.of_id(key_id) is not None
        except BadConfig:
            return True

    def of_password(self, name: str, password: str) -> Key | None:
        """The valid entry of a name and its password: slow on purpose, so call it off the event loop."""
        now = self._clock()
        named = [key for key in self.ring.keys if key.name == name and key.is_password and key.is_valid(now)]
        wanted = named[0].hash if named else f"scrypt${'00' * 16}${_NOBODY}"
        return named[0] if _matches(password, wanted) and named else None

    # ---- changes

    def add(
        self,
        name: str,
        *,
        password: str | None = None,
        roles: tuple[str, ...] = ("speak",),
        days: float = 0.0,
        weight: float = 1.0,
        rate: str = "",
        quota: int = 0,
    ) -> tuple[Key, str]:
        """A new entry, and the key itself, which is not kept ("" for a password). Raises BadConfig."""
        _check(name, password, roles, days, weight, rate, quota)
        now, key_id = self._clock(), secrets.token_hex(4)
        given = "" if password is not None else f"tts_{key_id}_{secrets.token_urlsafe(32)}"
        hashed = hashlib.sha256(given.encode()).hexdigest() if password is None else _stretched(password)
        expires = now + days * 86_400 if days else 0.0
        entry = Key(key_id, name, hashed, roles, now, expires, 0.0, weight, rate, quota)

        def change(ring: Ring) -> Ring:
            if any(key.name == name and key.is_valid(now) for key in ring.keys):
                raise BadConfig("bad_config", name="keys", reason=f"there is already a valid key '{name}'")
            return Ring(ring.secret or secrets.token_hex(32), (*ring.keys, entry))

        self._change(change)
        return entry, given

    def revoke(self, which: str) -> Key:
        """By id, or by name where one valid entry has it. Raises BadConfig."""
        now = self._clock()
        gone: list[Key] = []

        def change(ring: Ring) -> Ring:
            gone[:] = [key for key in ring.keys if which in (key.id, key.name) and not key.revoked]
            if len(gone) != 1:
                reason = (
                    f"there is no valid key '{which}'" if not gone else f"several are '{which}': use the id"
                )
                raise BadConfig("bad_config", name="keys", reason=reason)
            keys = tuple(replace(key, revoked=now) if key is gone[0] else key for key in ring.keys)
            return replace(ring, keys=keys)

        self._change(change)
        return gone[0]

    # ---- the file

    def _stamp(self) -> Stamp | None:
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unreadable(self._path, error) from error
        return stat.st_ino, stat.st_mtime_ns, stat.st_size

    def _load(self) -> Ring:
        try:
            data = json.loads(self._path.read_text("utf-8"))
            if data["version"] != VERSION:
                raise ValueError(f"its version is {data['version']}, this server knows {VERSION}")
            keys = tuple(Key(**{**item, "roles": tuple(item["roles"])}) for item in data["keys"])
            return Ring(str(data["secret"]), keys)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _unreadable(self._path, error) from error

    def _change(self, change: Callable[[Ring], Ring]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.with_name("keys.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            ring = change(self.ring)
            _write(self._path, json.dumps({"version": VERSION, **asdict(ring)}, indent=1))


def _unreadable(path: Path, error: Exception) -> BadConfig:
    return BadConfig("bad_config", name=path.name, reason=f"cannot be read: {error}")


def _stretched(password: str, salt: bytes | None = None) -> str:
    salt = salt or secrets.token_bytes(16)
    return f"scrypt${salt.hex()}${hashlib.scrypt(password.encode('utf-8', 'replace'), salt=salt, **SCRYPT).hex()}"


def _matches(password: str, hashed: str) -> bool:
    salt = bytes.fromhex(hashed.split("$")[1])
    return hmac.compare_digest(_stretched(password, salt), hashed)


def _check(
    name: str,
    password: str | None,
    roles: tuple[str, ...],
    days: float,
    weight: float,
    rate: str,
    quota: int,
) -> None:
    problems = (
        (not NAME.fullmatch(name), "a name is 1 to 64 of A-Z a-z 0-9 . _ @ -"),
        (
            password is not None and len(password) < LEAST_PASSWORD,
            f"a password has {LEAST_PASSWORD} characters",
        ),
        (not roles or not set(roles) <= set(ROLES), f"roles are some of {', '.join(ROLES)}"),
        (not 0 <= days <= 36_500, "days are 0 (for ever) to 36500"),
        (not 0.01 <= weight <= 100, "a weight is 0.01 to 100"),
        (rate and not RATE.fullmatch(rate), "a rate is auto, off, or like 5 or 5:10"),
        (quota < 0, "a quota is 0 (none) or more"),
    )
    for wrong, reason in problems:
        if wrong:
            raise BadConfig("bad_config", name="keys", reason=reason)


def _write(path: Path, text: str) -> None:
    """All of it or nothing, and for nobody else's eyes."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".keys-", delete=False) as file:
        try:  # made 0600 by tempfile
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(file.name).unlink()
            raise
