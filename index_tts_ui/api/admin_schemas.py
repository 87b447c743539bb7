"""The bodies of the operator's routes, of the figures that are plotted, and of who is asking."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field


class AdminRequest(BaseModel):
    """Somebody's request that is under way."""

    id: str = Field(description="Of this server's own: what DELETE takes.")
    request: str = Field(description="What its client knows it by (X-Request-Id).")
    caller: str = Field(description="The name of the key, or the address.")
    engine: str = Field(description="Where it is; empty where it shares the sound of an equal one.")
    state: Literal["queued", "running"]
    position: int | None = Field(description="Requests that start before it; null once it started.")
    eta: float | None = Field(description="Seconds until it starts, if known.")
    age: float = Field(description="Seconds since it came.")
    characters: int
    segments: int
    spoken: int = Field(description="Segments that are spoken.")
    background: bool = Field(description="Of a job.")


class AdminRequests(BaseModel):
    """GET /v1/admin/requests, the oldest first; ``total`` counts also those beyond the limit."""

    requests: list[AdminRequest]
    total: int


class LastError(BaseModel):
    """One kind of error of the service, since it started. Times are seconds since 1970."""

    code: str
    engine: str = Field(description="Empty where the request was refused at the door.")
    message: str
    message_zh: str
    request: str = Field(description="The last request that met it, if it was one.")
    count: int
    first: float
    last: float


class LastErrors(BaseModel):
    """GET /v1/admin/errors, the most recent first."""

    errors: list[LastError]


class LogLines(BaseModel):
    """GET /v1/admin/logs, the oldest line first."""

    file: str
    lines: list[str]


class ModelState(BaseModel):
    """What POST /v1/admin/model/... began; GET /v1/status tells how it goes."""

    state: str
    engine: str


class SeriesAnswer(BaseModel):
    """GET /v1/status/series. Rates are those of the last 15 s, latencies (seconds) of the last minute."""

    began: float = Field(description="When the server began to count: another one numbers its samples anew.")
    step: float = Field(description="Seconds between two samples.")
    samples: list[dict[str, Any]] = Field(
        description="number, at (seconds since 1970), ready, waiting, running, failed and refused (within the step), "
        "segments and audio (seconds of sound) a second, batch, wait_p50, wait_p95, first_p50, first_p95, segment_p50, segment_p95, "
        "server_mb; the same by engine in engines; in workers device, memory_mb, device_mb.",
    )


class Me(BaseModel):
    """GET /v1/me: who this is, to the server."""

    name: str = Field(description="Of the key; empty for an address.")
    roles: list[str]
    signed_in: bool = Field(description="Whether by the sign-in page: POST /logout ends it.")
