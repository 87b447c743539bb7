"""The REST API: one file per surface, all over the same SpeechService as the page."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.types import ASGIApp

from ..config import Config
from ..service import SpeechService
from . import (
    admin,
    articles,
    dictionary,
    docs,
    errors,
    fallback,
    health,
    history,
    jobs,
    me,
    metrics,
    middleware,
    openai,
    outputs,
    presets,
    preview,
    progress,
    repair,
    requests,
    samples,
    voices,
)

# the busiest route first: routes are looked through in order
ROUTERS = (
    openai.speech,
    *(
        surface.router
        for surface in (openai, voices, articles, jobs, requests, progress, outputs, preview, health, metrics)
    ),
    samples.router,
    dictionary.router,
    repair.router,
    history.router,
    presets.router,
    me.router,
    admin.router,
)


def install(app: FastAPI, service: SpeechService, config: Config) -> None:
    """Routes, documentation, error envelope. Mount the page after this, and serve what ``around`` makes of both.

    ``app`` must have been made with ``docs_url=None, redoc_url=None``.
    """
    app.state.service = service
    errors.install(app)
    for router in ROUTERS:
        app.include_router(router)
    docs.install(app)
    fallback.install(app, ROUTERS)


def around(whole: ASGIApp, app: FastAPI, service: SpeechService, config: Config) -> ASGIApp:
    """What to serve: ``whole``, which is ``app`` and the page, behind who may come in, with what, and how much."""
    return middleware.around(whole, app, service, config, ROUTERS)
