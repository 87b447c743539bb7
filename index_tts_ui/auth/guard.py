"""Guard: from a request's credentials to its owner."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import logging
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie

from ..config import Config
from ..errors import BadConfig, Unauthorized
from ..quota import Rate
from ..speech import ROLES, Owner
from .keys import KEY, Key, KeyStore
from .sessions import COOKIE, Sessions
from .tokens import Tokens

log = logging.getLogger("tts.auth")
GUESSES = (
    "10:30"  # passwords a second, and at once, that are tried, in all: scrypt costs 16 MiB and 50 ms each
)
GUESSES_EACH = "0.2:10"  # of one address: a person who mistypes, not one who guesses
ALL, SPEAK = frozenset(ROLES), frozenset(("speak",))
REMEMBERED = 256  # right passwords, so that each request of HTTP Basic need not be stretched again


class Guard:
    """``store`` is looked at anew for each request: a key that is added or revoked counts at once."""

    def __init__(self, config: Config, store: KeyStore) -> None:
        self.store = store
        self.sessions = Sessions(store)
        self._required = config.require_key
        self._host = config.host
        self._local = config.is_local
        self._tokens = (
            Tokens(config.jwt_issuer, config.jwt_audience, config.jwt_keys) if config.jwt_issuer else None
        )
        self._guesses, self._guesses_each = Rate(GUESSES), Rate(GUESSES_EACH)
        self._trying = asyncio.Semaphore(2)
        self._pepper = secrets.token_bytes(32)  # what is remembered is of no use outside of this process
        self._right: OrderedDict[bytes, str] = OrderedDict()

    @property
    def required(self) -> bool:
        """Whether a request needs credentials. A list of keys that cannot be read counts as one with keys."""
        return self.stranger_roles is None

    @property
    def stranger_roles(self) -> frozenset[str] | None:
        """What somebody without a key may do: all, unless others have keys; None where a key is required."""
        if self._required == "on":
            return None
        try:
            alone = self._tokens is None and not self.store.ring.keys
        except BadConfig:
            alone = False
        if alone:
            return ALL
        return None if self._required == "auto" else SPEAK

    def warn(self) -> None:
        """Say at the start what an operator should know."""
        try:
            keys = self.store.ring.keys
        except BadConfig as error:
            log.error("%s; until then nobody is let in", error.message())
            return
        if not self.required and not self._local:
            log.warning(
                "whoever reaches %s may use this server: make a key ('tts-launch keys add NAME'), "
                "or limit the networks (--allow-nets)",
                self._host,
            )
        elif self._required == "on" and not keys and self._tokens is None:
            log.warning("a key is required, and there is none: 'tts-launch keys add NAME' makes one")

    async def identify(self, headers: Mapping[str, str], address: str) -> Owner | None:
        """Whose credentials these are; None without any. Raises Unauthorized for wrong ones."""
        scheme, _, given = headers.get("authorization", "").partition(" ")
        try:
            if scheme.lower() == "bearer" and given.strip():
                return await self._bearer(given.strip())
            if scheme.lower() == "basic" and given.strip():
                return await self._basic(given.strip(), address)
            key = self._in_session(headers)
        except BadConfig as error:
            log.error("%s", error.message())
            raise Unauthorized("bad_key") from error
        return None if key is None else key.owner()

    def session(self, headers: Mapping[str, str]) -> Key | None:
        """Whose session the request's cookie is."""
        try:
            return self._in_session(headers)
        except BadConfig:
            return None

    def _in_session(self, headers: Mapping[str, str]) -> Key | None:
        value = _cookie(headers.get("cookie", ""))
        return self.sessions.find(value) if value else None

    async def sign_in(self, name: str, secret: str, address: str) -> Key:
        """The entry of a key, or of a name and its password. Raises Unauthorized, Overloaded."""
        key = (
            self.store.find(secret) if KEY.fullmatch(secret) else await self._password(name, secret, address)
        )
        if key is None:
            raise Unauthorized("bad_key")
        return key

    async def _bearer(self, given: str) -> Owner:
        if given.count(".") == 2 and self._tokens is not None:
            owner = await asyncio.to_thread(self._tokens.find, given)
        else:
            key = self.store.find(given)
            owner = None if key is None else key.owner()
        if owner is not None:
            return owner
        # an SDK insists on sending some key: where none is wanted, any will do
        if not self.required and not KEY.fullmatch(given):
            return ANYBODY
        raise Unauthorized("bad_key")

    async def _basic(self, given: str, address: str) -> Owner:
        try:
            name, _, secret = base64.b64decode(given, validate=True).decode("utf-8").partition(":")
        except (binascii.Error, ValueError) as error:
            raise Unauthorized("bad_key") from error
        if not (self.required or self.store.ring.keys):
            return ANYBODY
        return (await self.sign_in(name, secret, address)).owner()

    async def _password(self, name: str, secret: str, address: str) -> Key | None:
        mark = hashlib.blake2b(f"{name}\0{secret}".encode("utf-8", "replace"), key=self._pepper).digest()
        known = self.store.of_id(self._right.get(mark, ""))
        if known is not None:
            return known
        self._guesses_each.hit(address)
        self._guesses.hit("all")
        async with self._trying:
            key = await asyncio.to_thread(self.store.of_password, name, secret)
        if key is not None:
            self._right[mark] = key.id
            while len(self._right) > REMEMBERED:
                self._right.popitem(last=False)
        return key


ANYBODY = Owner("")  # credentials that nobody asked for: the address is the owner


def _cookie(header: str) -> str:
    try:
        morsel = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return "" if morsel is None else morsel.value
