"""Is it alive, can it serve, what is it doing. None of these waits for the engine."""

from __future__ import annotations

import time
from dataclasses import asdict

from fastapi import APIRouter, Response

from .. import __version__
from ..errors import MESSAGES
from ..service import SpeechService
from .deps import Caller, Service
from .errors import json_bytes
from .schemas import Health, ServiceStatus

router = APIRouter(tags=["Health"])
RETRY_SECONDS = 2  # what a probe of a service that is not ready should wait


def _status(service: SpeechService, yours: int = 0) -> ServiceStatus:
    status = service.status()
    features = [feature for feature in service.spec.features if service.can(feature)]
    known = dict(zip(("en", "zh"), MESSAGES[status.hint], strict=True)) if status.hint else {}
    return ServiceStatus(
        **{**asdict(status), "ready": status.ready, "features": features, "hint": known, "yours": yours}
    )


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz")
async def healthz(service: Service) -> Health:
    """The process lives. 200 at once, also while the model loads."""
    status = service.status()
    return Health(
        model_loaded=status.ready,
        timestamp=time.time(),
        state=status.state,
        engine=status.engine,
        version=__version__,
    )


@router.head("/readyz", include_in_schema=False)
@router.get(
    "/readyz",
    response_model=ServiceStatus,
    responses={503: {"model": ServiceStatus, "description": "It cannot serve yet, or any more."}},
)
async def readyz(service: Service) -> Response:
    """200 only when the model can serve, else 503 with the state and the fraction loaded."""
    status = _status(service)
    headers = {} if status.ready else {"retry-after": str(RETRY_SECONDS)}
    code = 200 if status.ready else 503
    return Response(json_bytes(status.model_dump()), code, headers, "application/json")


@router.get("/v1/status")
async def status(service: Service, caller: Caller) -> ServiceStatus:
    """The same, always 200: for the page's badge, and for servers in front of this one."""
    return _status(service, service.steward.load(caller.key))
