"""Figures for Prometheus; docs/operations.md says what to watch."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from .admin_schemas import SeriesAnswer
from .deps import Service
from .errors import json_bytes
from .schemas import REFUSALS

router = APIRouter(tags=["Health"], responses=REFUSALS)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}, "description": "The text format of Prometheus."}},
)
async def metrics(request: Request, service: Service) -> Response:
    """Queue, latencies, failures, workers, memory, jobs: since the server started."""
    service.records.metrics.jobs(*await request.app.state.jobs.counts())
    return Response(service.records.metrics.text(), media_type=CONTENT_TYPE)


@router.get("/v1/status/series", response_model=SeriesAnswer)
async def series(
    service: Service,
    after: Annotated[int, Query(ge=0, description="Only samples with a higher number than this.")] = 0,
) -> Response:
    """The last 15 minutes of the same figures, for plots; who asks again with `after` gets what is new."""
    found = service.records.series
    answer = {"began": round(found.began, 3), "step": found.step, "samples": found.since(after)}
    return Response(json_bytes(answer), media_type="application/json")
