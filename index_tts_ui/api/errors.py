"""Kinds of error become HTTP here and nowhere else: one table, one envelope (OpenAI's), a few headers."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from ..errors import Cancelled, Invalid, NotFound, TooLarge, TTSError

log = logging.getLogger("tts.api")


class Edge(NamedTuple):
    """What a kind looks like from outside. ``retry``: whether the same request may succeed soon."""

    status: int
    type: str
    retry: bool = False


# A code stands before its kind. 409 for "cancelled": nginx's 499 is no standard status, and
# x-should-retry keeps the SDK from taking a 409 for a lock that it should wait for.
TABLE: dict[str, Edge] = {
    "invalid": Edge(400, "invalid_request_error"),
    "unauthorized": Edge(401, "authentication_error"),
    "forbidden": Edge(403, "permission_error"),
    "not_found": Edge(404, "invalid_request_error"),
    "method_not_allowed": Edge(405, "invalid_request_error"),
    "conflict": Edge(409, "conflict_error"),
    "cancelled": Edge(409, "cancelled_error"),
    "too_large": Edge(413, "invalid_request_error"),
    "overloaded": Edge(429, "rate_limit_error", retry=True),
    "too_slow": Edge(408, "timeout_error"),
    "quota_used": Edge(429, "insufficient_quota"),  # hours away: an SDK should not wait for it
    "internal": Edge(500, "server_error"),
    "engine_failed": Edge(500, "server_error"),
    "bad_config": Edge(500, "server_error"),
    "not_ready": Edge(503, "server_error", retry=True),
    "engine_down": Edge(503, "server_error"),
    "deadline": Edge(504, "timeout_error"),
}


def edge_of(error: TTSError) -> Edge:
    """Its row of the table."""
    return TABLE.get(error.code) or TABLE[error.kind]


def envelope(error: TTSError, language: str = "en") -> dict[str, Any]:
    """``{"error": {"message", "type", "param", "code"}}``, all four keys always."""
    return {
        "error": {
            "message": error.message(language),
            "type": edge_of(error).type,
            "param": error.param,
            "code": error.code,
        }
    }


def json_bytes(data: Any) -> bytes:
    """UTF-8 JSON; what UTF-8 cannot say (a lone surrogate in an echoed name) becomes "?"."""
    return json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode(
        "utf-8", "replace"
    )


def error_response(request: Request, error: TTSError, headers: Mapping[str, str] | None = None) -> Response:
    """The whole answer, in Chinese where the client's Accept-Language begins with it."""
    edge = edge_of(error)
    language = request.headers.get("accept-language", "en")
    named = {"x-should-retry": "true" if edge.retry else "false", **(headers or {})}
    if error.retry_after is not None:
        named["retry-after"] = str(error.retry_after)
    if request_id := request.scope.get("state", {}).get("request_id"):
        named["x-request-id"] = request_id  # a 500 is sent from outside of our middleware
    return Response(json_bytes(envelope(error, language)), edge.status, named, "application/json")


# ---- what FastAPI and Starlette raise, as errors of ours


def _comma_list(expected: str) -> str:
    return expected.replace("'', ", "").replace("'", "").replace(" or ", ", ")


def from_validation(problems: Sequence[Any]) -> TTSError:
    """The first problem that pydantic found, as an Invalid that names the field."""
    problem = problems[0]
    kind, where, context = problem["type"], [str(part) for part in problem["loc"]], problem.get("ctx", {})
    if kind == "json_invalid":
        return Invalid("bad_request", reason=f"broken JSON at character {where[-1]}")
    if len(where) < 2 and kind != "missing":
        return Invalid("bad_request", reason="the body must be a JSON object")
    param = ".".join(where[1:]) or None
    if kind in ("missing", "string_too_short", "too_short"):
        return Invalid("missing_value", param=param or "body")
    if kind == "literal_error":
        return Invalid("not_one_of", param=param, allowed=_comma_list(context["expected"]))
    if kind in ("string_too_long", "too_long"):
        return Invalid("value_too_long", param=param, limit=context["max_length"])
    if kind in _BOUNDS:
        return Invalid("out_of_range", param=param, bound=f"{_BOUNDS[kind]} {context[_CONTEXT[kind]]:g}")
    if kind in _TYPES:
        return Invalid(_TYPES[kind], param=param)
    return Invalid("bad_value", param=param, reason=str(problem["msg"]))


_BOUNDS = {"greater_than": ">", "greater_than_equal": "≥", "less_than": "<", "less_than_equal": "≤"}
_CONTEXT = {"greater_than": "gt", "greater_than_equal": "ge", "less_than": "lt", "less_than_equal": "le"}
_TYPES = {
    "string_type": "not_a_string",
    "string_unicode": "not_a_string",
    "float_type": "not_a_number",
    "float_parsing": "not_a_number",
    "finite_number": "not_a_number",
    "int_type": "not_an_integer",
    "int_parsing": "not_an_integer",
    "int_from_float": "not_an_integer",
}


def from_http(request: Request, error: HTTPException) -> TTSError:
    """Starlette's own refusals: no such route, wrong method, a body that cannot be read."""
    if error.status_code == 404:
        return NotFound("route_not_found", path=request.url.path[:128])
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        return Invalid("method_not_allowed", method=request.method, allowed=allowed)
    if error.status_code == 408:
        return Invalid("too_slow")
    if error.status_code == 413:
        return TooLarge("body_too_large", limit=request.app.state.max_body)
    if error.status_code < 500:
        vague = error.detail == "There was an error parsing the body"  # FastAPI's, of any JSON it cannot read
        reason = "not JSON in UTF-8, or nested too deeply" if vague else error.detail.rstrip(".")
        return Invalid("bad_request", reason=reason)
    return TTSError("internal")


KNOWN = (TTSError, RequestValidationError, HTTPException, ClientDisconnect)


async def refusal(request: Request, error: Exception) -> Response:
    """The answer to one of ``KNOWN``."""
    if isinstance(error, TTSError):
        return error_response(request, error)
    if isinstance(error, RequestValidationError):
        return error_response(request, from_validation(error.errors()))
    if isinstance(error, HTTPException):
        return error_response(request, from_http(request, error), error.headers)
    # It hung up before its request was whole: nobody hears this answer, and nothing is wrong with us.
    return error_response(request, Cancelled("cancelled", reason="the client closed the connection"))


async def unhandled(request: Request, error: Exception) -> Response:
    """The answer to a bug. The server logs the traceback: the error is raised again after this answer."""
    log.error("request %s failed: %r", request.scope.get("state", {}).get("request_id"), error)
    return error_response(request, TTSError("internal"))


def install(app: FastAPI) -> None:
    """Every way out of the API speaks the envelope."""
    for kind in KNOWN:
        app.add_exception_handler(kind, refusal)
    app.add_exception_handler(Exception, unhandled)
