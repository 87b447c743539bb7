"""The short way to the busiest route: past FastAPI's exit stacks and its search through all routes."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import APIRouter, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .deps import DirectRoute
from .errors import KNOWN, refusal


class Shortcut:
    """Pure ASGI: a POST to a ``DirectRoute`` goes to its handler at once, what it raises is answered as ever.

    All else takes the long way, through ``whole``, which ends at the same handlers.
    """

    def __init__(self, whole: ASGIApp, routers: Iterable[APIRouter]) -> None:
        self._whole = whole
        self._handlers = {
            route.path: route.get_route_handler()
            for router in routers
            for route in router.routes
            if isinstance(route, DirectRoute)
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        speaks = scope["type"] == "http" and scope["method"] == "POST"
        handler = self._handlers.get(scope["path"]) if speaks else None
        if handler is None:
            await self._whole(scope, receive, send)
            return
        request = Request(scope, receive, send)
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            response = await handler(request)
            await response(scope, receive, watched)
        except KNOWN as error:
            if started:
                raise
            answer = await refusal(request, error)
            await answer(scope, receive, send)
