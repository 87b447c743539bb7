"""What lines a text or file has, and what is wrong with them: looked at, without making a job."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from fastapi import Request
from pydantic import ValidationError

from ..errors import Invalid, TooLarge, TTSError
from ..jobs import MOST_LINES, NewJob, NewLine, located
from ..service import SpeechService
from .errors import from_validation
from .job_input import data_of, line_of, validated, whole_of, written_of
from .job_schemas import JobBody, LineFields, Problem, ReadLine, ReadPage

Wrong = Callable[[NewJob], Iterable[tuple[int, TTSError]]]
_Found = tuple[NewLine, list[TTSError]]


async def lines_asked(request: Request, service: SpeechService, wrong: Wrong) -> bytes:
    """A ``ReadPage``, as JSON. ``wrong`` knows the lines that the service would refuse.

    Raises Invalid, TooLarge, RequestValidationError: where there are no lines to speak of.
    """
    data = await data_of(request, service)
    return await service.in_pool(lambda: _page(service, data, wrong))


def _page(service: SpeechService, data: Any, wrong: Wrong) -> bytes:
    lines = data.get("lines") if isinstance(data, dict) else None
    if lines is not None and not isinstance(lines, list):
        validated(data)  # raises
    body = validated({**data, "lines": None} if isinstance(data, dict) else data)
    raw = lines or written_of(service, body)
    if not raw:
        raise Invalid("empty_text", param="input")
    if len(raw) > MOST_LINES:
        raise TooLarge("too_many_lines", param="lines", count=len(raw), limit=MOST_LINES)
    found = [_looked_at(service, index, line, body) for index, line in enumerate(raw)]
    for index, error in wrong(whole_of(service, body, [line for line, _ in found])):
        if (error.param or "").startswith(("lines.", "cast.")):  # the rest is of no line
            found[index][1].append(error)
    entries = [_entry(line, errors) for line, (_, errors) in zip(raw, found, strict=True)]
    page = ReadPage(data=entries, problems=sum(bool(entry.problems) for entry in entries))
    return page.model_dump_json(exclude_defaults=True).encode()


def _looked_at(service: SpeechService, index: int, raw: Any, body: JobBody) -> _Found:
    try:
        fields = LineFields.model_validate({"text": raw} if isinstance(raw, str) else raw)
        return line_of(service, index, fields, body), []
    except ValidationError as error:
        problems = [{**one, "loc": ("line", *one["loc"])} for one in error.errors(include_url=False)]
        errors = [located(from_validation([problem]), f"lines.{index}") for problem in problems]
    except TTSError as error:
        errors = [error]
    return NewLine(""), errors


def _entry(raw: Any, errors: list[TTSError]) -> ReadLine:
    line = raw if isinstance(raw, dict) else {"text": raw}
    said = {name: line[name] for name in ReadLine.model_fields if name in line and name != "problems"}
    words = {name: str(line.get(name) or "") for name in ("text", "speaker")}
    problems = [
        Problem(code=one.code, param=one.param, message=one.message("en"), message_zh=one.message("zh"))
        for one in errors
    ]
    return ReadLine(**{**said, **words}, problems=problems)
