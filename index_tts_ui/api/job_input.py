"""What a job is made of: JSON, or a form with a file; both become the same object."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, cast

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from pydantic.json_schema import models_json_schema
from starlette.datastructures import FormData, UploadFile

from ..errors import Invalid
from ..jobs import FileKind, NewJob, NewLine, lines_of, text_lines
from ..parameters import PARAMETERS
from ..service import SpeechService
from .aliases import stand_in, voice_for
from .deps import FORM, JSON
from .emotion import EmotionBody, emotion_asked
from .job_schemas import JobBody, LineFields

KINDS = ("txt", "csv", "srt", "json")
_WHOLE = ("seed", *(name for name, item in PARAMETERS.items() if item.whole))
_FLOATS = ("speed", "gap_ms", *(name for name, item in PARAMETERS.items() if not item.whole))


def _schema() -> dict[str, Any]:
    """JobBody's, whole: FastAPI describes by name only what it parses itself."""
    models = [(JobBody, "validation"), (EmotionBody, "validation")]  # the latter is referred to by hand
    _, schema = models_json_schema(models, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]
    known = schema["$defs"]

    def inlined(node: Any) -> Any:
        if isinstance(node, dict):
            name = str(node.get("$ref", "")).rpartition("/")[2]
            return inlined(known[name]) if name else {key: inlined(value) for key, value in node.items()}
        return [inlined(item) for item in node] if isinstance(node, list) else node

    described: dict[str, Any] = inlined(known[JobBody.__name__])
    lines = described["properties"]["lines"]
    lines["items"] = {"anyOf": [{"type": "string"}, lines["items"]]}
    return described


BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            JSON: {"schema": _schema()},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "txt, csv (a header row names text, and voice, language, speed, "
                            "emotion, seed, name), srt (its times are kept) or json (a list).",
                        },
                        "kind": {
                            "enum": list(KINDS),
                            "description": "Where the file's name does not say it.",
                        },
                        "voice": {"type": "string"},
                        "title": {"type": "string"},
                        "callback_url": {"type": "string"},
                    },
                    "description": "And the other fields of JobBody, but for input and lines.",
                }
            },
        },
    }
}


async def job_asked(request: Request, service: SpeechService) -> NewJob:
    """The job of a request's body. Raises Invalid, RequestValidationError."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given == "multipart/form-data":
        form = await request.form(max_files=1, max_fields=64)
        return await service.in_pool(_from_form, service, form, await _file(form))
    if given not in (JSON, ""):
        raise Invalid("wrong_content_type", wanted=f"{JSON} or {FORM.partition(' or ')[0]}")
    raw = await request.body()
    return await service.in_pool(_from_json, service, raw)


def _from_json(service: SpeechService, raw: bytes) -> NewJob:
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError):
        raise Invalid("bad_request", reason="not JSON in UTF-8, or nested too deeply") from None
    return _job(service, data)


async def _file(form: FormData) -> tuple[str, bytes]:
    upload = form.get("file")
    if not isinstance(upload, UploadFile):
        raise Invalid("missing_value", param="file")
    name = (upload.filename or "").lower()
    kind = form.get("kind") or name.rpartition(".")[2]
    if kind not in KINDS:
        raise Invalid("not_one_of", param="kind", allowed=", ".join(KINDS))
    data = await upload.read()
    if not data:
        raise Invalid("missing_value", param="file")
    return str(kind), data


def _from_form(service: SpeechService, form: FormData, file: tuple[str, bytes]) -> NewJob:
    data: dict[str, Any] = {}
    for name, value in form.items():
        if isinstance(value, str) and name not in ("file", "kind", "input", "lines") and value:
            data[name] = _value(name, value)
    kind, raw = file
    return _job(service, {**data, "lines": lines_of(cast(FileKind, kind), raw)})


def _value(name: str, value: str) -> Any:
    """A form knows only strings; what is none must be read. What cannot be is refused by the schema."""
    try:
        if name in _FLOATS:
            return float(value)
        if value.lstrip().startswith("{") and name in ("emotion", "voice"):
            return json.loads(value)
        return int(value) if name in _WHOLE else value
    except (ValueError, RecursionError):
        return value


def _job(service: SpeechService, data: Any) -> NewJob:
    try:
        body = JobBody.model_validate(data)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in problems]) from error
    if body.input and body.lines:
        raise Invalid("bad_value", param="input", reason="goes without 'lines'")
    lines = body.lines or [LineFields.model_validate(line) for line in text_lines(body.input)]
    if not lines:
        raise Invalid("empty_text", param="input")
    sample = lines[0].text
    voice = voice_for(service, body.voice or "", sample, body.language) or service.default_voice()
    take = {
        **{"voice": voice, "model": body.model, "language": body.language, "speed": body.speed},
        **{"seed": body.seed, "params": body.params, "fallback": body.fallback},
        **_emotion(service, body.emotion),
        "stand_in": stand_in(service, body.voice or "", sample, body.language),
    }
    return NewJob(
        lines=tuple(_line(service, line, body.language) for line in lines),
        take=take,
        title=body.title,
        gap=None if body.gap_ms is None else body.gap_ms / 1000,
        callback_url=body.callback_url,
    )


def _line(service: SpeechService, line: LineFields, language: str) -> NewLine:
    take: dict[str, Any] = _emotion(service, line.emotion)
    if line.voice:
        named = (service, line.voice, line.text, line.language or language)
        take |= {"voice": voice_for(*named), "stand_in": stand_in(*named)}
    for name in ("language", "speed", "seed"):
        if (value := getattr(line, name)) is not None:
            take[name] = value
    return NewLine(line.text.strip(), line.name, take, line.start)


def _emotion(service: SpeechService, body: EmotionBody | None) -> dict[str, Any]:
    if body is None:
        return {}
    asked = emotion_asked(service, body)
    return {"emotion": None if asked is None else asdict(asked)}
