"""The voices in ``cache_hub/piper``: each is ``<name>.onnx`` with ``<name>.onnx.json``, from wherever it came.

What is wrong with one is a line, and the others speak.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ...speech import VoiceInfo

QUALITIES = ("high", "medium", "low", "x_low")  # best first
KINDS = ("espeak", "text")  # of phonemes; others need packages and files of their own
GRAPH = 7  # the field of an ONNX file's ModelProto without which it is none
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_PARTS = re.compile(r"(?P<code>[a-z]{2,3}_[A-Z]{2})-(?P<title>.+)-(?P<quality>high|medium|low|x_low)")
_CODE = re.compile(r"[a-z]{2,3}([_-][A-Za-z0-9]{2,8})*")
_OF_ESPEAK = {"cmn": "zh", "yue": "zh", "nb": "no"}
_RATES = (8_000, 192_000)  # Hz
_MOST_CONFIG = 4 << 20  # bytes


class Unusable(Exception):
    """A voice that cannot speak; its text says why, in one line."""


@dataclass(frozen=True)
class Speaker:
    """Who speaks: what requests call it, and the ``number`` that the model knows it by; None where it has one alone."""

    id: str
    name: str
    number: int | None


@dataclass(frozen=True)
class Voice:
    """One model. ``language``: "zh-CN"; ``config``: its JSON file."""

    name: str
    path: Path
    language: str
    quality: str
    rate: int
    speakers: tuple[Speaker, ...]
    config: Mapping[str, Any]

    def infos(self) -> Iterator[VoiceInfo]:
        """As people see its speakers."""
        tags = (self.quality,) if self.quality else ()
        for one in self.speakers:
            name, name_zh = one.name, one.name
            if self.quality:
                name, name_zh = f"{one.name} ({self.quality})", f"{one.name}（{self.quality}）"
            yield VoiceInfo(one.id, name, name_zh, self.language, "", tags=tags)


@dataclass(frozen=True)
class Folder:
    """What was found: ``voices``, Mandarin ones first, and a line for each that is of no use."""

    voices: tuple[Voice, ...]
    problems: tuple[str, ...]

    def infos(self) -> tuple[VoiceInfo, ...]:
        """All speakers of all voices."""
        return tuple(info for voice in self.voices for info in voice.infos())

    def languages(self) -> tuple[str, ...]:
        """That the voices speak, in their order, without the country."""
        return tuple(dict.fromkeys(tongue(voice.language) for voice in self.voices))

    def speakers(self) -> dict[str, tuple[Voice, Speaker]]:
        """By what requests call them."""
        return {one.id: (voice, one) for voice in self.voices for one in voice.speakers}


def tongue(language: str) -> str:
    """The language of "zh-CN", without its country."""
    return language.partition("-")[0]


def look(folder: Path) -> Folder:
    """Every voice in ``folder``; reads headers, no weights."""
    models = {path.name.removesuffix(".onnx"): path for path in _files(folder, ".onnx")}
    lone = [
        path.name
        for path in _files(folder, ".onnx.json")
        if path.name.removesuffix(".onnx.json") not in models
    ]
    found, problems = [], [f"{name}: its .onnx file is missing" for name in lone]
    for name, path in models.items():
        try:
            found.append(_voice(name, path))
        except Unusable as error:
            problems.append(f"{name}: {error}")
    return Folder(tuple(sorted(found, key=_rank)), tuple(problems))


def _files(folder: Path, ending: str) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.name.endswith(ending))
    except OSError:
        return []


def _rank(voice: Voice) -> tuple[bool, str, str, int]:
    quality = QUALITIES.index(voice.quality) if voice.quality in QUALITIES else len(QUALITIES)
    title = voice.name.removesuffix(f"-{voice.quality}")
    return not voice.language.startswith("zh"), voice.language, title, quality


def _voice(name: str, path: Path) -> Voice:
    if not _NAME.fullmatch(name):
        raise Unusable("its name may have letters, digits, '.', '_' and '-' only")
    config = _config(path.with_name(f"{path.name}.json"))
    kind = config.get("phoneme_type", KINDS[0])
    if kind not in KINDS:
        raise Unusable(f"it wants phonemes of the kind '{kind}', which are not made here")
    _whole(path)
    try:
        rate, espeak = int(config["audio"]["sample_rate"]), str(config["espeak"]["voice"])
        ids = {str(key): [int(number) for number in value] for key, value in config["phoneme_id_map"].items()}
        count, quality = int(config["num_speakers"]), str(config["audio"].get("quality", ""))
        language = _language(name, config, espeak)
        speakers = tuple(_speakers(name, config, count))
        scales = {key: float(value) for key, value in config.get("inference", {}).items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unusable(f"its .onnx.json is not that of a Piper voice ({_said(error)})") from error
    if not (_RATES[0] <= rate <= _RATES[1] and espeak and {"_", "^", "$"} <= ids.keys()):
        raise Unusable("its .onnx.json is not that of a Piper voice (rate, language or phonemes)")
    plain = {**config, "phoneme_id_map": ids, "inference": scales, "num_speakers": count}
    plain.setdefault("num_symbols", len(ids))
    named = _PARTS.fullmatch(name)
    return Voice(name, path, language, named["quality"] if named else quality, rate, speakers, plain)


def _config(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MOST_CONFIG:
            raise Unusable("its .onnx.json is far too large")
        config = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise Unusable("its .onnx.json is missing") from None
    except OSError as error:
        raise Unusable(f"its .onnx.json cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise Unusable("its .onnx.json is damaged") from None
    if not isinstance(config, dict):
        raise Unusable("its .onnx.json is not that of a Piper voice")
    return config


def _said(error: Exception) -> str:
    return f"no {error}" if isinstance(error, KeyError) else str(error)[:80]


def _language(name: str, config: Mapping[str, Any], espeak: str) -> str:
    """By its JSON file, else its name, else what espeak-ng calls it."""
    named = _PARTS.fullmatch(name)
    told = str((config.get("language") or {}).get("code", "")) or (named["code"] if named else "")
    if _CODE.fullmatch(told):
        return told.replace("_", "-")
    first = espeak.partition("-")[0].lower()
    return _OF_ESPEAK.get(first, first)


def _speakers(name: str, config: Mapping[str, Any], count: int) -> Iterator[Speaker]:
    """The default one has the voice's own name, the others theirs behind it."""
    named = _PARTS.fullmatch(name)
    title = (named["title"] if named else name).replace("_", " ")
    title = title[:1].upper() + title[1:]
    if count < 2:
        yield Speaker(name, title, None)
        return
    default, seen = int(config.get("default_speaker_id", 0)), set[str]()
    default = default if 0 <= default < count else 0
    numbers = {
        int(number): str(key)
        for key, number in (config.get("speaker_id_map") or {}).items()
        if 0 <= int(number) < count
    }
    order = [default, *(number for number in range(count) if number != default)]
    for number in order:
        key = re.sub(r"[^A-Za-z0-9_-]+", "-", numbers.get(number, str(number))) or str(number)
        key = str(number) if key in seen else key
        seen.add(key)
        yield Speaker(name if number == default else f"{name}.{key}", f"{title} {key}", number)


def _whole(path: Path) -> None:
    """Whether the file ends where its fields do (Protocol Buffers, "Encoding"); a download that was cut does not.

    Raises Unusable.
    """
    try:
        with path.open("rb", buffering=4096) as file:
            size = path.stat().st_size
            if GRAPH not in set(_fields(file, size)):
                raise Unusable("its .onnx file is none")
    except (OSError, EOFError) as error:
        why = f"cannot be read: {error.strerror}" if isinstance(error, OSError) else "is damaged"
        raise Unusable(f"its .onnx file {why}") from None


def _fields(file: BinaryIO, size: int) -> Iterator[int]:
    """Raises EOFError where the file is cut, or no such message."""
    while file.tell() < size:
        number, wire = divmod(_varint(file), 8)
        if wire not in (0, 1, 2, 5) or not number:
            raise EOFError
        yield number
        if wire == 0:
            _varint(file)
            continue
        file.seek(_varint(file) if wire == 2 else {1: 8, 5: 4}[wire], 1)
        if file.tell() > size:
            raise EOFError


def _varint(file: BinaryIO) -> int:
    value = 0
    for shift in range(0, 63, 7):
        byte: Sequence[int] = file.read(1)
        if not byte:
            break
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    raise EOFError
