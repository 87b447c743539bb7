"""Who is asking, as the server sees it: the page shows what they may do."""

from __future__ import annotations

from fastapi import APIRouter, Request

from ..auth.sessions import COOKIE
from .admin_schemas import Me
from .deps import Caller
from .schemas import REFUSALS

router = APIRouter(tags=["Health"], responses=REFUSALS)


@router.get("/v1/me")
async def me(request: Request, caller: Caller) -> Me:
    """Your name and roles. Where no key is asked for, an address has them all."""
    by_cookie = COOKIE in request.cookies and "authorization" not in request.headers
    return Me(
        name=caller.name,
        roles=sorted(caller.roles),
        signed_in=by_cookie and caller.key.startswith("key:"),
    )
