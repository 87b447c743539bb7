"""What a job is made of: JSON, or a form with a file; both become the same object."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, cast

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from pydantic.json_schema import models_json_schema
from starlette.datastructures import FormData, UploadFile

from .. import emotions
from ..errors import Invalid, TTSError
from ..jobs import FileKind, NewJob, NewLine, kind_of, lines_in, lines_of, located
from ..parameters import PARAMETERS
from ..service import SpeechService
from .aliases import stand_in, voice_for
from .deps import FORM, JSON
from .emotion import EmotionBody, emotion_asked
from .glossary import readings
from .job_schemas import JobBody, LineFields, TakeFields

KINDS = ("txt", "csv", "srt", "vtt", "json")
_WHOLE = ("seed", *(name for name, item in PARAMETERS.items() if item.whole))
_FLOATS = ("speed", "gap_ms", "fit", *(name for name, item in PARAMETERS.items() if not item.whole))


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
                            "emotion, seed, name, speaker, start, end), srt or vtt (its times are kept) or json (a list).",
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
    return await service.in_pool(_job, service, await data_of(request, service))


async def data_of(request: Request, service: SpeechService) -> Any:
    """The body as JSON would have it, of a form, too."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given == "multipart/form-data":
        form = await request.form(max_files=1, max_fields=64)
        file = await _file(form)
        return await service.in_pool(_from_form, service, form, file)
    if given not in (JSON, ""):
        raise Invalid("wrong_content_type", wanted=f"{JSON} or {FORM.partition(' or ')[0]}")
    raw = await request.body()
    return await service.in_pool(_from_json, raw)


def _from_json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise Invalid("bad_request", reason="not JSON in UTF-8, or nested too deeply") from None


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


def _from_form(service: SpeechService, form: FormData, file: tuple[str, bytes]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for name, value in form.items():
        if isinstance(value, str) and name not in ("file", "kind", "input", "lines") and value:
            data[name] = _value(name, value)
    kind, raw = file
    lines = lines_of(cast(FileKind, kind), raw, "cast" in data)
    return {**data, "lines": _directed(service, lines)}


def _value(name: str, value: str) -> Any:
    """A form knows only strings; what is none must be read. What cannot be is refused by the schema."""
    try:
        if name in _FLOATS:
            return float(value)
        if value.lstrip().startswith("{") and name in ("emotion", "voice", "cast"):
            return json.loads(value)
        if name in ("glossary", "dictionary"):
            return json.loads(value)
        return int(value) if name in _WHOLE else value
    except (ValueError, RecursionError):
        return value


def _job(service: SpeechService, data: Any) -> NewJob:
    body = validated(data)
    if body.input and body.lines:
        raise Invalid("bad_value", param="input", reason="goes without 'lines'")
    lines = body.lines or [LineFields.model_validate(line) for line in written_of(service, body)]
    if not lines:
        raise Invalid("empty_text", param="input")
    asked = [line_of(service, index, line, body) for index, line in enumerate(lines)]
    return whole_of(service, body, asked)


def validated(data: Any) -> JobBody:
    """Raises RequestValidationError."""
    try:
        return JobBody.model_validate(data)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in problems]) from error


def written_of(service: SpeechService, body: JobBody) -> list[dict[str, Any]]:
    """The lines of ``input``. Raises Invalid."""
    kind = kind_of(body.input) if body.kind == "auto" else body.kind
    try:
        return _directed(service, lines_in(body.input, kind, body.cast is not None))
    except Invalid as error:
        raise Invalid(error.code, **{**error.facts, "param": "input"}) from error


def _directed(service: SpeechService, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A direction of the script that names an emotion is one, where the engine has any."""
    for line in lines:
        direction = line.pop("direction", None)
        if isinstance(direction, str) and emotions.find(direction) and service.can("emotion"):
            line.setdefault("emotion", direction)
    return lines


def whole_of(service: SpeechService, body: JobBody, lines: Sequence[NewLine]) -> NewJob:
    """The job of these lines. Raises Invalid."""
    sample = lines[0].text
    voice = voice_for(service, body.voice or "", sample, body.language) or service.default_voice()
    take = {
        **{"voice": voice, "model": body.model, "language": body.language, "speed": body.speed},
        **{"seed": body.seed, "params": body.params, "fallback": body.fallback},
        **_emotion(service, body.emotion),
        "stand_in": stand_in(service, body.voice or "", sample, body.language),
        **({"glossary": [asdict(reading) for reading in readings(body.glossary)]} if body.glossary else {}),
        **({} if body.dictionary else {"dictionary": False}),
    }
    samples = {line.speaker: line.text for line in reversed(lines)}
    cast = {
        name: _take(service, fields, samples.get(name, ""), body.language, f"cast.{name}")
        for name, fields in (body.cast or {}).items()
    }
    return NewJob(
        lines=tuple(lines),
        take=take,
        title=body.title,
        cast=cast,
        fit=body.fit,
        gap=None if body.gap_ms is None else body.gap_ms / 1000,
        callback_url=body.callback_url,
    )


def line_of(service: SpeechService, index: int, line: LineFields, body: JobBody) -> NewLine:
    """The line at ``index``. Raises Invalid."""
    place = f"lines.{index}"
    if line.end is not None and line.end <= (line.end if line.start is None else line.start):
        raise Invalid("bad_value", param=f"{place}.end", reason="must be later than 'start'")
    take = _take(service, line, line.text, body.language, place)
    return NewLine(line.text.strip(), line.name, take, line.start, line.end, line.speaker.strip())


def _take(
    service: SpeechService, fields: TakeFields, sample: str, language: str, place: str = ""
) -> dict[str, Any]:
    """What is said of how to speak; ``sample`` tells an alias which language's voice it stands for."""
    try:
        take: dict[str, Any] = _emotion(service, fields.emotion)
    except TTSError as error:
        raise located(error, place) if place else error from None
    if fields.voice:
        named = (service, fields.voice, sample, fields.language or language)
        take |= {"voice": voice_for(*named), "stand_in": stand_in(*named)}
    for name in ("language", "speed", "seed"):
        if (value := getattr(fields, name)) is not None:
            take[name] = value
    return take


def take_asked(service: SpeechService, fields: TakeFields, sample: str) -> dict[str, Any]:
    """How a line is to be spoken again, where that was said. Raises Invalid."""
    return {name: value for name, value in _take(service, fields, sample, "").items() if name != "seed"}


def _emotion(service: SpeechService, body: EmotionBody | None) -> dict[str, Any]:
    if body is None:
        return {}
    asked = emotion_asked(service, body)
    return {"emotion": None if asked is None else asdict(asked)}
