"""What a new job asks for, looked at before it begins: a wrong way of speaking is told at once, at its place."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from .. import markup
from ..errors import Invalid, NotFound, TTSError
from ..service import SpeechService
from ..speech import Owner
from .record import NewJob, NewLine, to_request


def refusal(service: SpeechService, take: Mapping[str, Any], owner: Owner, text: str = "") -> TTSError | None:
    """Why nothing, or nothing with the marks of ``text``, can be spoken so; None where it can."""
    try:
        service.check(to_request(take, text), owner)
    except (Invalid, NotFound) as error:
        return error
    return None


def wrong_lines(service: SpeechService, new: NewJob, owner: Owner) -> Iterator[tuple[int, TTSError]]:
    """(index of the line, why it cannot be spoken so). Each way of speaking is looked at once."""
    known: dict[str, TTSError | None] = {}
    for index, line in enumerate(new.lines):
        cast = new.cast.get(line.speaker, {})
        named = sorted(markup.voices(line.text))
        way = json.dumps([line.speaker if cast else "", dict(line.take), named], sort_keys=True)
        if way not in known:
            known[way] = refusal(service, {**new.take, **cast, **line.take}, owner, line.text)
        error = known[way]
        if error is not None:
            yield index, _located(error, index, line, cast)


def _located(error: TTSError, index: int, line: NewLine, cast: Mapping[str, Any]) -> TTSError:
    field = (error.param or "").partition(".")[0]
    if field == "input":  # a mark in the text
        return type(error)(error.code, **{**error.facts, "param": f"lines.{index}.text"})
    if field in line.take:
        return located(error, f"lines.{index}")
    return located(error, f"cast.{line.speaker}") if field in cast else error


def located(error: TTSError, place: str) -> TTSError:
    """The same, named after the place in the body where it was said."""
    return type(error)(error.code, **{**error.facts, "param": f"{place}.{error.param}"})
