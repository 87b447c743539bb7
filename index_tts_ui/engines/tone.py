"""The test engine: one tone per character, with a settable cost and failures on command.

It is never chosen by ``auto``. It serves the tests, the overhead and the soak
measurements; docs/tone.md lists its commands and options. A step advances every row by
one character and costs ``step_ms + row_ms * rows`` (the t0 + t1*b of a batched model).
"""

from __future__ import annotations

import json
import os
import re
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadConfig
from ..speech import Audio, Piece, Reading, Segment, VoiceInfo, VoiceRef
from .base import DeviceFailed, EngineInfo, EngineOptions, Progress, Result
from .glossary import Glossary
from .protect import STAND_IN, Item, Protected, Term, protect, terms

RATE = 24_000
LEAK_BYTES = 64 << 20
LONG_SECONDS = 60
QUEUED_SECONDS = 0.001  # a step that comes sooner after another's end was queued behind it
_COMMAND = re.compile(r"\[\[(crash|kill|exit|hang|oom|device|fail|nan|leak|mute|long)\]\]")
_UNIT = re.compile(r"\[\[\w+\]\]|.", re.DOTALL)
_SENTENCE = re.compile(r"(?:\[\[\w+\]\]|[^。！？.!?\n])+[。！？.!?]*\s*")


@lru_cache(maxsize=4096)
def _tone(unit: str, samples: int, transposed: int = 0) -> np.ndarray:
    """One character's tone: its pitch tells which character it was (36 semitones from 220 Hz)."""
    if not unit.isalnum():
        return np.zeros(samples, np.float32)
    pitch = 220.0 * 2.0 ** ((ord(unit[0]) % 36 + transposed) / 12.0)
    wave = 0.2 * np.sin(2 * np.pi * pitch * np.arange(samples) / RATE)
    return (wave * np.hanning(samples)).astype(np.float32)


@dataclass
class _Row:
    segment: Segment
    units: list[str]
    began: float
    sound: list[np.ndarray] = field(default_factory=list)


class ToneEngine:
    """See the module. Options: step_ms, row_ms, char_ms (of audio), rows, load_ms, ahead, record, steps,
    without, refuse. Any name of a device will do."""

    name = "tone"
    features: tuple[str, ...] = ("speed", "blend", "seed")

    def __init__(self, options: EngineOptions) -> None:
        self._device = options.device
        self._deaf = options.get("deaf", "") == "1"  # commands are spoken, not obeyed
        self._broken = options.get("broken", "")  # a file: while it is there every load fails
        self._refused = options.get("refuse", "")
        self._step_s = float(options.get("step_ms", "0")) / 1000
        self._row_s = float(options.get("row_ms", "0")) / 1000
        self._load_s = float(options.get("load_ms", "0")) / 1000
        self._samples = int(RATE * float(options.get("char_ms", "60")) / 1000)
        self._max_rows = min(options.max_rows, int(options.get("rows", str(options.max_rows))))
        # segments held ready at the door, so that a leaving row is replaced in the very next step
        self._ahead = int(options.get("ahead", str(self._max_rows // 4)))
        self._record = options.get("record", "")  # a file that tells what was admitted
        self._steps = options.get("steps", "")  # a file that tells each step's rows, and each cancel
        self._without = options.get("without", "").split("+")  # features that this "checkpoint" lacks
        self._rows: list[_Row] = []
        self._door: list[Segment] = []
        self._cancelled: set[str] = set()
        self._lock = threading.Lock()
        self._leaked: list[bytes] = []
        self._due = 0.0  # when the last step's work is over

    def load(self, model_dir: Path, progress: Progress) -> EngineInfo:
        """There is nothing to read; ``load_ms`` plays a slow load, ``refuse`` a device that is not there."""
        if self._device == self._refused:
            raise BadConfig("bad_config", name="device", reason=f"there is no {self._device}")
        if self._broken and Path(self._broken).exists():
            raise DeviceFailed(f"{self._broken} is there")
        for tenth in range(10):
            progress(tenth / 10, "loading tones")
            time.sleep(self._load_s / 10)
        features = tuple(name for name in self.features if name not in self._without)
        return EngineInfo(self.name, "1", RATE, ("zh", "en"), features, self._max_rows)

    def free(self) -> int:
        """Rows and door places that are open."""
        return self._max_rows + self._ahead - len(self._rows) - len(self._door)

    def admit(self, segment: Segment) -> None:
        """Queue at the door; the next step takes it in."""
        if self._record:
            line = json.dumps(segment.to_json(), ensure_ascii=False) + "\n"
            with Path(self._record).open("a", encoding="utf-8") as file:
                file.write(line)
        self._door.append(segment)

    def busy(self) -> bool:
        """Whether there are rows."""
        return bool(self._rows or self._door)

    def step(self) -> list[Result]:
        """Every row sounds one more character."""
        self._forget_cancelled()
        while self._door and len(self._rows) < self._max_rows:
            segment = self._door.pop(0)
            self._rows.append(_Row(segment, _UNIT.findall(segment.spoken), time.monotonic()))
        self._note("step", *(row.segment.id for row in self._rows))
        self._work(self._step_s + self._row_s * len(self._rows))
        results = [result for row in self._rows if (result := self._advance(row)) is not None]
        done = {result.segment_id for result in results}
        self._rows = [row for row in self._rows if row.segment.id not in done]
        return results

    def _work(self, seconds: float) -> None:
        """Costs exactly ``seconds``: a step that follows another begins where that was due to end, as
        work queued on a GPU does, so that late wake-ups do not add up to a cost that nobody set."""
        now = time.monotonic()
        self._due = (self._due if now - self._due < QUEUED_SECONDS else now) + seconds
        if self._due > now:
            time.sleep(self._due - now)

    def _advance(self, row: _Row) -> Result | None:
        if row.units:
            unit = row.units.pop(0)
            failure = self._obey(unit, row) if unit.startswith("[[") else None
            if failure is not None:
                return failure
            speed = float(row.segment.params.get("speed", 1.0))
            if not unit.startswith("[["):
                row.sound.append(_tone(unit, max(1, int(self._samples / speed)), _transposed(row.segment)))
        if row.units:
            return None
        samples = np.concatenate(row.sound) if row.sound else np.zeros(0, np.float32)
        return Result(row.segment.id, Audio(RATE, samples), engine_seconds=time.monotonic() - row.began)

    def _obey(self, unit: str, row: _Row) -> Result | None:
        if self._deaf:
            row.sound.append(_tone(unit[2:], self._samples))
            return None
        command = _COMMAND.fullmatch(unit)
        what = command.group(1) if command else ""
        if what == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if what == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "exit":
            os._exit(3)
        while what in ("hang", "crash", "kill"):  # a signal may take a moment to end all threads
            time.sleep(1)
        if what == "oom":
            return Result(row.segment.id, None, "out_of_memory", "on command", retryable=True)
        if what == "device":
            raise DeviceFailed("on command")
        if what == "fail":
            return Result(row.segment.id, None, "engine_failed", "on command")
        if what == "leak":
            self._leaked.append(b"x" * LEAK_BYTES)
        if what == "nan":
            row.sound.append(np.full(self._samples, np.nan, np.float32))
        if what == "long":
            row.sound.append(_tone("a", RATE * LONG_SECONDS))
        if what == "mute":
            row.sound = [np.zeros_like(part) for part in row.sound]
        return None

    def _forget_cancelled(self) -> None:
        with self._lock:
            gone, self._cancelled = self._cancelled, set()
        if gone:
            self._rows = [row for row in self._rows if row.segment.id not in gone]
            self._door = [segment for segment in self._door if segment.id not in gone]

    def cancel(self, segment_id: str) -> None:
        """The next step begins without it."""
        with self._lock:
            self._cancelled.add(segment_id)
            self._note("cancel", segment_id)

    def _note(self, *words: str) -> None:
        if self._steps:
            with Path(self._steps).open("a", encoding="utf-8") as file:
                file.write(" ".join(words) + "\n")

    def warm(self, voice: VoiceRef) -> None:
        """Tones need no preparation."""

    def stats(self) -> dict[str, Any]:
        """Rows under way."""
        return {"device": self._device, "rows": len(self._rows), "door": len(self._door)}

    def close(self) -> None:
        """Nothing is held."""


def _transposed(segment: Segment) -> int:
    """Semitones, 0 to 11, by which a clip's voice is higher: the rest of its key's first four hex digits."""
    voice = segment.voices[0] if segment.voices else None
    return int(voice.key[:4], 16) % 12 if voice is not None and voice.kind == "clip" else 0


class ToneCloneEngine(ToneEngine):
    """The same with all that a cloning engine can be asked; a clip's voice is some semitones higher."""

    name = "tone-clone"
    features = ("speed", "clone", "emotion", "emotion_text", "seed", "pronunciation", "transcript")


_NO_FILES = Glossary()


def _is_respelled(item: Item) -> bool:
    return isinstance(item, Term) and any(said.kind == "respelling" for said in item.readings.values())


def _said(text: str, hidden: Protected, language: str) -> str:
    def said(match: re.Match[str]) -> str:
        item = hidden.items[match[1]]
        reading = item.reading(language) if isinstance(item, Term) else None
        return item.source if reading is None or reading.kind != "respelling" else reading.said

    return STAND_IN.sub(said, text)


class ToneFrontend:
    """Sentences of at most ``budget`` characters; a token is a character, a command is one too."""

    max_tokens = 200

    def voices(self) -> Sequence[VoiceInfo]:
        """Two names for the same tones, and the ids that the article routes map to."""
        return (
            VoiceInfo("tone-a", "Tone A", "音调甲", "zh-CN", "female"),
            VoiceInfo("tone-b", "Tone B", "音调乙", "en-US", "male"),
        )

    def unsayable(self, reading: Reading) -> str:
        """Any other text will do."""
        return ""

    def split(
        self,
        text: str,
        language: str = "",
        voice_language: str = "zh-CN",
        budget: int | None = None,
        readings: Sequence[Reading] = (),
    ) -> list[Piece]:
        """See ``Frontend.split``; of readings, respellings."""
        limit = min(budget or 60, self.max_tokens)
        hidden = protect(text, [terms(_NO_FILES, readings)], _is_respelled) if readings else Protected(text)
        pieces: list[Piece] = []
        for sentence in _SENTENCE.findall(hidden.text):
            units = _UNIT.findall(sentence.strip())
            for start in range(0, len(units), limit):
                part = "".join(units[start : start + limit])
                if any(unit.isalnum() or unit.startswith("[[") for unit in units[start : start + limit]):
                    words = hidden.restored(part) if hidden.items else part
                    tongue = language or ("zh" if re.search(r"[\u4e00-\u9fff]", words) else "en")
                    said = _said(part, hidden, tongue) if hidden.items else part
                    pieces.append(Piece(words, said, len(_UNIT.findall(said)), tongue, 0.1))
        return pieces

    def count(self, text: str, language: str = "", voice_language: str = "zh-CN") -> int:
        """Characters and commands."""
        return len(_UNIT.findall(text))


class ToneCloneFrontend(ToneFrontend):
    """The same without voices."""

    def voices(self) -> Sequence[VoiceInfo]:
        """None: all are uploaded."""
        return ()
