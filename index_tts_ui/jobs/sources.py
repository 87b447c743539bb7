"""From a text or a file to lines: plain text by paragraph, csv by row, srt by cue, json as it says.

``script``: whether names before a colon are speakers (see ``script``).
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any, Literal

from ..errors import Invalid
from ..text.files import decoded
from .script import one_said, said

FileKind = Literal["txt", "csv", "srt", "vtt", "json"]
MOST_LINES = 20_000
COLUMNS = ("text", "speaker", "voice", "language", "speed", "emotion", "seed", "name", "start", "end")
_ALIASES = {
    **{"input": "text", "文本": "text", "内容": "text", "line": "text"},
    **{"character": "speaker", "role": "speaker", "角色": "speaker", "说话人": "speaker", "台词": "text"},
    **{"start_time": "start", "end_time": "end", "开始": "start", "结束": "end", "种子": "seed"},
    **{"音色": "voice", "语言": "language", "语速": "speed", "情感": "emotion", "名称": "name"},
}
_CLOCK = r"(?:(\d+):)?(\d{1,2}):(\d{1,2})(?:[,.](\d{1,3}))?"
_TIMES = re.compile(rf"{_CLOCK}\s*-->\s*(?:{_CLOCK})?")
_TIME = re.compile(_CLOCK)
_SPEAKER = re.compile(r"\s*<v(?:\.\S+)?\s+([^>\n]{1,100})>")
_TAGS = re.compile(r"<[^<>\n]*>|\{\\[^{}\n]*\}")
_NUMBERS = ("speed", "seed", "start", "end")


def lines_of(kind: FileKind, data: bytes, script: bool = False) -> list[dict[str, Any]]:
    """The lines of a file, each as the object that JSON would have had. Raises Invalid, naming what is wrong."""
    text = decoded(data)
    lines = lines_in(text, kind, script)
    if not lines and kind in ("srt", "vtt") and text.strip():
        raise Invalid("bad_file", param="file", reason="it has no cue, such as 00:00:01,000 --> 00:00:02,500")
    if not lines:
        raise Invalid("empty_text", param="file")
    return lines


def lines_in(text: str, kind: FileKind, script: bool = False) -> list[dict[str, Any]]:
    """The same of what was read already."""
    if kind == "csv":
        lines = list(_from_csv(text, script))
    elif kind in ("srt", "vtt"):
        lines = list(_from_srt(text, script))
    elif kind == "json":
        lines = _from_json(text)
    else:
        lines = text_lines(text, script)
    return lines


def text_lines(text: str, script: bool = False) -> list[dict[str, Any]]:
    """Its paragraphs, one of each line that is not empty."""
    if script:
        return [_known(text=one.text, speaker=one.speaker, direction=one.direction) for one in said(text)]
    return [{"text": line.strip()} for line in text.splitlines() if line.strip()]


def kind_of(text: str) -> FileKind:
    """What a pasted text most probably is."""
    start = text.lstrip("\ufeff \t\r\n")
    first = start.partition("\n")[0]
    if _TIMES.search(start[:2000]):
        return "srt"
    if start[:1] in ("[", "{") and _is_json(text):
        return "json"
    cells = [cell.strip(' "').lower() for cell in re.split(r"[,;\t]", first)]
    is_table = "text" in (_ALIASES.get(cell, cell) for cell in cells) or "\t" in first
    return "csv" if is_table else "txt"


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _known(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in ("", None)}


def _from_csv(text: str, script: bool) -> Iterator[dict[str, Any]]:
    first = text.lstrip().partition("\n")[0]
    delimiter = "\t" if "\t" in first else max(",;", key=first.count)
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(row)]
    except csv.Error as error:
        raise Invalid("bad_file", param="file", reason=f"the csv cannot be read: {error}") from error
    if not rows:
        return
    names = [_ALIASES.get(cell.strip().lower(), cell.strip().lower()) for cell in rows[0]]
    if "text" not in names:
        if script and max(map(len, rows)) == 2:
            names = ["speaker", "text"]
        elif max(map(len, rows)) > 1:
            reason = (
                f"its first row must name the columns, one of them 'text' (others: {', '.join(COLUMNS[1:])})"
            )
            raise Invalid("bad_file", param="file", reason=reason)
        else:
            names = ["text"]
    else:
        rows = rows[1:]
    for row in rows:
        cells = {name: cell.strip() for name, cell in zip(names, row, strict=False) if name in COLUMNS}
        if cells.get("text"):
            yield {name: _number(name, cell) for name, cell in cells.items() if cell}


def _number(name: str, cell: str) -> Any:
    """A number where the column is of numbers; what is none is refused later, with its line."""
    if name not in _NUMBERS:
        return cell
    try:
        if name in ("start", "end") and (match := _TIME.fullmatch(cell)):
            return _seconds(*match.groups())
        return int(cell) if name == "seed" else float(cell)
    except ValueError:
        return cell


def _seconds(hours: str | None, minutes: str, seconds: str, fraction: str | None) -> float:
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + float(f"0.{fraction or 0}")


def _from_srt(text: str, script: bool) -> Iterator[dict[str, Any]]:
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n").replace("\r", "\n")):
        rows = block.strip().split("\n")
        found = next(
            ((place, match) for place, row in enumerate(rows) if (match := _TIMES.match(row.strip()))), None
        )
        if found is None:
            if "-->" in block:
                raise Invalid(
                    "bad_file", param="file", reason=f"a cue's time cannot be read: {rows[0][:60]!r}"
                )
            continue  # a header, a note
        place, match = found
        words = " ".join(_TAGS.sub("", row).strip() for row in rows[place + 1 :]).strip()
        if words:
            yield {**_cue(words, _SPEAKER.match(rows[place + 1]), script), **_slot(match)}


def _cue(words: str, voice: re.Match[str] | None, script: bool) -> dict[str, Any]:
    """WebVTT may name the speaker in a tag."""
    if voice is not None:
        return {"text": words, "speaker": voice[1].strip()}
    if not script:
        return {"text": words}
    one = one_said(words)
    return _known(text=one.text, speaker=one.speaker, direction=one.direction)


def _slot(times: re.Match[str]) -> dict[str, float]:
    """From when to when; an end that is none is left out."""
    start = _seconds(*times.groups()[:4])
    end = _seconds(*times.groups()[4:]) if times[6] else 0.0
    return {"start": start, "end": end} if end > start else {"start": start}


def _from_json(text: str) -> list[dict[str, Any]]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Invalid("bad_file", param="file", reason="it is not JSON") from error
    if isinstance(data, dict):
        data = data.get("lines")
    if not isinstance(data, list):
        reason = "it must be a list of strings or objects, or an object with such a list in 'lines'"
        raise Invalid("bad_file", param="file", reason=reason)
    return [item if isinstance(item, dict) else {"text": item} for item in data]


def chunks(text: str, limit: int) -> Iterator[str]:
    """``text`` in stretches of at most ``limit`` characters, cut behind sentences, else words, else anywhere."""
    while len(text) > limit:
        head = text[:limit]
        cut = max((match.end() for match in re.finditer(r"[。！？!?；;…]+|\.\s", head)), default=0)
        if cut < limit // 4:
            cut = head.rfind(" ") + 1
        cut = cut if cut > limit // 4 else limit
        yield text[:cut]
        text = text[cut:]
    if text.strip():
        yield text
