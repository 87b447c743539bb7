"""From a text or a file to lines: plain text by paragraph, csv by row, srt by cue, json as it says."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any, Literal

from ..errors import Invalid

FileKind = Literal["txt", "csv", "srt", "json"]
MOST_LINES = 20_000
COLUMNS = ("text", "voice", "language", "speed", "emotion", "seed", "name")
_ALIASES = {
    **{"input": "text", "文本": "text", "内容": "text", "line": "text"},
    **{"音色": "voice", "语言": "language", "语速": "speed", "情感": "emotion", "名称": "name"},
}
_TIMES = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2})[,.](\d{1,3})\s*-->")
_TAGS = re.compile(r"<[^<>\n]*>|\{\\[^{}\n]*\}")
_NUMBERS = ("speed", "seed")


def lines_of(kind: FileKind, data: bytes) -> list[dict[str, Any]]:
    """The lines of a file, each as the object that JSON would have had. Raises Invalid, naming what is wrong."""
    text = _decoded(data)
    if kind == "csv":
        lines = list(_from_csv(text))
    elif kind == "srt":
        lines = list(_from_srt(text))
    elif kind == "json":
        lines = _from_json(text)
    else:
        lines = text_lines(text)
    if not lines:
        raise Invalid("empty_text", param="file")
    return lines


def text_lines(text: str) -> list[dict[str, Any]]:
    """Its paragraphs, one of each line that is not empty."""
    return [{"text": line.strip()} for line in text.splitlines() if line.strip()]


def _decoded(data: bytes) -> str:
    """UTF-8, UTF-16 with its mark, or what Chinese Windows saves."""
    encodings = ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            return data.decode(encoding).replace("\0", "")
        except UnicodeDecodeError:
            continue
    raise Invalid("bad_file", param="file", reason="it is no text: save it as UTF-8")


def _from_csv(text: str) -> Iterator[dict[str, Any]]:
    first = text.lstrip().partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(row)]
    except csv.Error as error:
        raise Invalid("bad_file", param="file", reason=f"the csv cannot be read: {error}") from error
    if not rows:
        return
    names = [_ALIASES.get(cell.strip().lower(), cell.strip().lower()) for cell in rows[0]]
    if "text" not in names:
        if max(map(len, rows)) > 1:
            reason = (
                f"its first row must name the columns, one of them 'text' (others: {', '.join(COLUMNS[1:])})"
            )
            raise Invalid("bad_file", param="file", reason=reason)
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
        return float(cell) if name == "speed" else int(cell)
    except ValueError:
        return cell


def _from_srt(text: str) -> Iterator[dict[str, Any]]:
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
        hours, minutes, seconds, fraction = match.groups()
        said = " ".join(_TAGS.sub("", row).strip() for row in rows[place + 1 :]).strip()
        if said:
            start = int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + float(f"0.{fraction}")
            yield {"text": said, "start": start}


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
