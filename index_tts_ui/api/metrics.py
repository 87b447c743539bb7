"""Figures for Prometheus; docs/operations.md says what to watch."""

from __future__ import annotations

from fastapi import APIRouter, Response

from .deps import Service
from .schemas import REFUSALS

router = APIRouter(tags=["Health"], responses=REFUSALS)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}, "description": "The text format of Prometheus."}},
)
async def metrics(service: Service) -> Response:
    """Queue, latencies, failures, workers, memory: since the server started."""
    return Response(service.records.metrics.text(), media_type=CONTENT_TYPE)
