"""What no route takes: 405 where the path is right, else 404. Without it the page would get these."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, FastAPI
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send


class Fallback:
    """An ASGI application that always raises."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises HTTPException."""
        met = [route for route in self._routes if route.matches(scope)[0] is Match.PARTIAL]
        # `/voices/import` is a path of its own, not a voice of that name (`/voices/{id}`)
        met = [route for route in met if not route.param_convertors] or met
        methods = {method for route in met for method in route.methods or ()}
        if methods:
            raise HTTPException(405, headers={"Allow": ", ".join(sorted(methods))})
        raise HTTPException(404)


def install(app: FastAPI, routers: Sequence[APIRouter]) -> None:
    """Goes behind all other routes of the API and before the page."""
    routes = [route for router in routers for route in router.routes if isinstance(route, Route)]
    fallback = Fallback(routes)
    paths = sorted({route.path for route in routes if not route.path.startswith("/v1/")})
    for path in ("/v1/{rest:path}", *paths):
        app.router.routes.append(Route(path, fallback, include_in_schema=False))
