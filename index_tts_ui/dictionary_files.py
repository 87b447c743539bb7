"""Dictionaries as files: CSV and JSON both ways, and ``glossary.yaml`` in."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .dictionary import Entry
from .engines.glossary import from_yaml
from .errors import Invalid, TooLarge
from .text.files import decoded

COLUMNS = ("word", "said", "kind", "language", "note", "enabled")
KINDS = ("csv", "json", "yaml")
MOST, MOST_BYTES = 5000, 1 << 20  # of one file: entries, bytes
_ALIASES = {
    **{"term": "word", "reading": "said", "pronunciation": "said", "respelling": "said"},
    **{
        "词": "word",
        "词语": "word",
        "单词": "word",
        "读音": "said",
        "读法": "said",
        "类型": "kind",
        "语言": "language",
    },
    **{"备注": "note", "启用": "enabled"},
}
_NO = ("0", "false", "no", "off", "否")
_FORMULA = ("=", "+", "-", "@", "'")  # with what spreadsheets begin a formula, or plain text


def to_json(entries: Iterable[Entry]) -> str:
    """An object with the list of ``entries``."""
    rows = [{name: getattr(entry, name) for name in COLUMNS} for entry in entries]
    return json.dumps({"entries": rows}, ensure_ascii=False, indent=1) + "\n"


def to_csv(entries: Iterable[Entry]) -> str:
    """With a header row, and the mark that tells spreadsheets that it is UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for entry in entries:
        cells = (*(getattr(entry, name) for name in COLUMNS[:-1]), "yes" if entry.enabled else "no")
        writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
    return "\ufeff" + out.getvalue()


def from_file(kind: str, data: bytes) -> list[Entry]:
    """The entries of a file, not yet checked. ``kind`` is one of KINDS. Raises Invalid, TooLarge."""
    if len(data) > MOST_BYTES:
        raise TooLarge("body_too_large", param="file", limit=MOST_BYTES)
    text = decoded(data)
    read = {"csv": _from_csv, "json": _from_json, "yaml": _from_yaml}[kind]
    entries: list[Entry] = []
    for entry in read(text):
        if len(entries) == MOST:
            raise TooLarge("dictionary_full", param="file", limit=MOST)
        entries.append(entry)
    if not entries:
        raise _bad("there is no entry in it")
    return entries


def _bad(reason: str) -> Invalid:
    return Invalid("bad_file", param="file", reason=reason)


def _from_csv(text: str) -> Iterator[Entry]:
    first = text.lstrip().partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(row)]
    except csv.Error as error:
        raise _bad(f"the csv cannot be read: {error}") from error
    if not rows:
        return
    names = [_ALIASES.get(cell.strip().lower(), cell.strip().lower()) for cell in rows[0]]
    if "word" in names and "said" in names:
        rows = rows[1:]
    else:  # no header: word, reading, ...
        names = list(COLUMNS)
    for row in rows:
        cells = {name: _cell(cell) for name, cell in zip(names, row, strict=False) if name in COLUMNS}
        yield _entry({**cells, "enabled": cells.get("enabled", "").lower() not in _NO})


def _cell(cell: str) -> str:
    cell = cell.strip()
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(_FORMULA) else cell


def _from_json(text: str) -> Iterator[Entry]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _bad("it is not JSON") from error
    if isinstance(data, dict) and isinstance(data.get("entries"), list):
        data = data["entries"]
    if isinstance(data, dict):
        yield from _terms(data)
    elif isinstance(data, list) and all(isinstance(item, dict) for item in data):
        yield from map(_entry, data)
    else:
        raise _bad("it must be a list of objects with 'word' and 'said', or an object of words and readings")


def _from_yaml(text: str) -> Iterator[Entry]:
    import yaml

    try:
        data = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise _bad("it is not YAML: write one 'word: reading' a line") from error
    yield from _terms({} if data is None else data)


def _terms(data: Any) -> Iterator[Entry]:
    try:
        for term, readings in from_yaml(data):
            if not readings:
                yield Entry("", term, "")
            for reading in readings:
                yield Entry("", reading.word, reading.said, reading.kind, reading.language)
    except ValueError as error:
        raise _bad(str(error)) from error


def _entry(item: Mapping[str, Any]) -> Entry:
    """What is no string is left to the check, as an empty one."""

    def text(name: str) -> str:
        value = item.get(name)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return str(value)
        return value if isinstance(value, str) else ""

    kind = text("kind").strip().lower() or "respelling"
    language = text("language").strip().lower().replace("_", "-").partition("-")[0]
    enabled = item.get("enabled", True) is not False
    return Entry("", text("word"), text("said"), kind, language, text("note").strip(), enabled)  # type: ignore[arg-type]
