"""The gate: network, host, other sites, credentials, role, rate; each decided before a route is looked for."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

from fastapi import Request
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ..auth import Networks
from ..auth.caller import STATE, anonymous
from ..auth.guard import ANYBODY, Guard
from ..auth.networks import parse
from ..config import Config
from ..errors import Forbidden, TTSError, Unauthorized
from ..quota import Quota
from ..speech import Owner
from . import login
from .errors import error_response
from .heads import heads

OPEN = ("/healthz", "/readyz", login.PATH, login.OUT)  # probes, and the way in
VOICES = "/v1/audio/voices"
READING = ("GET", "HEAD", "OPTIONS")
PAGE = "/gradio_api/"  # the page's own events: its Speak button counts by itself
# Nothing of the page uses these; unused, they would store files, and fetch from elsewhere.
CLOSED = ("/gradio_api/upload", "/gradio_api/proxy=", "/gradio_api/call/")


class Rules:
    """What the gate goes by. Raises BadConfig."""

    def __init__(self, config: Config, guard: Guard) -> None:
        self.guard = guard
        self.networks = Networks(parse("allow_nets", config.listed("allow_nets")), ())
        self.origins = Origins(config)


class Gate:
    """Pure ASGI. The owner it found is in the request's state; see ``auth.owner_of``."""

    def __init__(self, app: ASGIApp, rules: Rules, quota: Quota, prefix: str) -> None:
        self._app = app
        self._quota = quota
        self._guard = rules.guard
        self._networks = rules.networks
        self._origins = rules.origins
        self._login = login.Login(rules.guard, prefix)
        self._prefix = prefix.rstrip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":  # there are none
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = path_of(scope, self._prefix)
        try:
            await self._admit(scope, path)
        except Unauthorized as error:
            if _is_visit(scope):
                target = f"{self._prefix}{login.PATH}"
                await RedirectResponse(target, 303, {"cache-control": "no-store"})(scope, receive, send)
            else:
                refusal = error_response(Request(scope), error, challenge(heads(scope)))
                await refusal(scope, receive, send)
            return
        except TTSError as error:
            # the body, if there is one, is not read: the connection cannot be used again
            await error_response(Request(scope), error, {"connection": "close"})(scope, receive, send)
            return
        if path in (login.PATH, login.OUT):
            await self._login(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _admit(self, scope: Scope, path: str) -> None:
        """Leave the owner in the state. Raises TTSError."""
        stranger, method = anonymous(scope), scope["method"]
        address = stranger.key.removeprefix("addr:")
        if not self._networks.allows(address):
            raise Forbidden("network_refused", address=address)
        self._origins.check(scope, path)
        if path.startswith(CLOSED):
            raise Forbidden("role_missing", role="admin")
        if path in OPEN:
            return
        owner = await self._guard.identify(heads(scope), address)
        if owner is None or owner is ANYBODY:
            roles = self._guard.stranger_roles
            if roles is None:
                raise Unauthorized("no_key")
            owner = Owner(stranger.key, roles=roles)
        scope["state"][STATE] = owner
        self._check_role(owner, method, path)
        if is_work(method, path) and not path.startswith(PAGE):
            self._quota.hit(owner)

    def _check_role(self, owner: Owner, method: str, path: str) -> None:
        role = role_for(method, path)
        if role and not owner.may(role):
            raise Forbidden("role_missing", role=role)


def path_of(scope: Scope, prefix: str) -> str:
    """Below the prefix, whether or not a proxy left it there; without doubled slashes."""
    path: str = scope["path"]
    below = path[len(prefix) :] if prefix and path.startswith(prefix + "/") else path
    return below if "//" not in below else "/" + below.lstrip("/")


def is_work(method: str, path: str) -> bool:
    """Whether it may cost the engine or the disk something."""
    return (method not in READING and method != "DELETE") or path == "/synthesize"


def role_for(method: str, path: str) -> str:
    """The role that a request needs; "" for what any owner may see."""
    if path.startswith("/v1/admin"):
        return "admin"
    if method in READING and path != "/synthesize":
        return ""
    return "voices" if path == VOICES or path.startswith(VOICES + "/") else "speak"


def challenge(headers: Mapping[str, str]) -> dict[str, str]:
    """Browsers would answer a Basic challenge with a window of their own, instead of our sign-in page."""
    basic = "" if is_browser(headers) else ', Basic realm="tts", charset="UTF-8"'
    return {"www-authenticate": f'Bearer realm="tts"{basic}', "connection": "close"}


def is_browser(headers: Mapping[str, str]) -> bool:
    """Each has called itself Mozilla for thirty years."""
    return headers.get("user-agent", "").startswith("Mozilla/")


def _is_visit(scope: Scope) -> bool:
    return scope["method"] == "GET" and "text/html" in heads(scope).get("accept", "")


class Origins:
    """What a page of another site makes a visitor's browser send is refused.

    A form needs no permission of ours to be posted here, from any site; and a name that points at this
    machine makes any site's page look like our own (DNS rebinding), so names are checked, too. Neither
    concerns clients that are no browsers.
    """

    def __init__(self, config: Config) -> None:
        self._origins = config.listed("cors_origins")
        self._names = {"localhost", *(name.lower() for name in config.listed("allowed_hosts"))}
        self._own = socket.gethostname().partition(".")[0].lower()

    def check(self, scope: Scope, path: str) -> None:
        """Raises Forbidden."""
        headers = heads(scope)
        origin, site = headers.get("origin", ""), headers.get("sec-fetch-site", "")
        if not (origin or site or is_browser(headers)):
            return
        host = headers.get("host", "")
        if not (scope["state"].get("proxied") or self._is_ours(_name(host))):
            raise Forbidden("unknown_host", host=_name(host)[:128])
        if not is_work(scope["method"], path) and scope["method"] != "DELETE":
            return
        if "*" in self._origins or (origin and origin in self._origins):
            return
        if site in ("same-origin", "none"):
            return
        if site or not self._same(origin or headers.get("referer", ""), headers):
            raise Forbidden("cross_site")

    def _is_ours(self, name: str) -> bool:
        bare = name.strip("[]")
        is_address = ":" in bare or (bare.replace(".", "").isdigit() and bare.count(".") == 3)
        own = bool(self._own) and name.partition(".")[0] == self._own
        return is_address or own or name in self._names or name.endswith(".localhost")

    def _same(self, origin: str, headers: Mapping[str, str]) -> bool:
        """Whether ``origin`` is what the browser calls us; without one, an address typed by hand."""
        if not origin:
            return True
        netloc = urlsplit(origin).netloc.lower()
        # a page of another site cannot set x-forwarded-host without asking (a preflight)
        ours = {headers.get("host", "").lower(), headers.get("x-forwarded-host", "").lower()} - {""}
        return netloc in ours or _name(netloc) in self._names - {"localhost"}


def _name(host: str) -> str:
    """A Host header without its port."""
    host = host.lower().rstrip(".")
    return host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
