"""Networks: whose address counts, and who may connect at all."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, MutableMapping
from typing import Any

from ..errors import BadConfig

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Net = ipaddress.IPv4Network | ipaddress.IPv6Network
FORWARDED_MAX = 4096  # characters of X-Forwarded-For that are read


def parse(name: str, given: Iterable[str]) -> tuple[Net, ...]:
    """Addresses and networks of the setting ``name``. Raises BadConfig."""
    try:
        return tuple(ipaddress.ip_network(item, strict=False) for item in given)
    except ValueError as error:
        raise BadConfig("bad_config", name=name, reason=str(error)) from error


def _address(text: str) -> Address | None:
    """An address, an IPv4 one also where it came over IPv6."""
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def _within(address: Address | None, nets: tuple[Net, ...]) -> bool:
    return address is not None and any(address in net for net in nets)


def among(host: str, nets: tuple[Net, ...]) -> bool:
    """Whether an address, as text, is in one of the networks."""
    return _within(_address(host), nets)


class Networks:
    """``allowed`` empty: everybody. This machine itself is always allowed, so that probes work."""

    def __init__(self, allowed: tuple[Net, ...], proxies: tuple[Net, ...]) -> None:
        self._allowed = allowed
        self._proxies = proxies

    def allows(self, host: str) -> bool:
        """Whether a client of this address may ask anything."""
        if not self._allowed:
            return True
        address = _address(host)
        return address is not None and (address.is_loopback or _within(address, self._allowed))

    def is_proxy(self, host: str) -> bool:
        """Whether what it forwards is believed."""
        return bool(self._proxies) and _within(_address(host), self._proxies)

    def client(self, peer: str, forwarded: str) -> str:
        """The client behind ``peer``: the last address in X-Forwarded-For that no proxy of ours wrote itself."""
        found = peer
        for part in reversed(forwarded[-FORWARDED_MAX:].split(",")):
            address = _address(part.strip()) if self.is_proxy(found) else None
            if address is None:
                break
            found = str(address)
        return found


class RealAddress:
    """Pure ASGI: puts the client's address and scheme, as trusted proxies tell them, into the scope."""

    def __init__(self, app: Any, networks: Networks) -> None:
        self._app = app
        self._networks = networks

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """See ASGI."""
        client = scope.get("client")
        if scope["type"] != "lifespan" and client and self._networks.is_proxy(client[0]):
            headers = dict(scope["headers"])
            lines = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
            forwarded = b",".join(lines).decode("latin-1")
            scope["client"] = (self._networks.client(client[0], forwarded), 0)
            scope.setdefault("state", {})["proxied"] = True
            if headers.get(b"x-forwarded-proto") in (b"http", b"https"):
                scope["scheme"] = headers[b"x-forwarded-proto"].decode()
        await self._app(scope, receive, send)
