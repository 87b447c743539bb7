"""The REST API: one file per surface, all over the same SpeechService as the page."""

from __future__ import annotations

from fastapi import FastAPI

from ..config import Config
from ..service import SpeechService
from . import (
    articles,
    docs,
    errors,
    fallback,
    health,
    jobs,
    metrics,
    middleware,
    openai,
    outputs,
    preview,
    progress,
    requests,
    voices,
)

# the busiest route first: routes are looked through in order
ROUTERS = (
    openai.speech,
    *(
        surface.router
        for surface in (openai, voices, articles, jobs, requests, progress, outputs, preview, health, metrics)
    ),
)


def install(app: FastAPI, service: SpeechService, config: Config) -> None:
    """Routes, documentation, error envelope and middleware. Mount the page after this.

    ``app`` must have been made with ``docs_url=None, redoc_url=None``.
    """
    app.state.service = service
    errors.install(app)
    for router in ROUTERS:
        app.include_router(router)
    docs.install(app)
    fallback.install(app, ROUTERS)
    middleware.install(app, service, config)
