"""The engines that services are measured with: how each is started, and what is asked of it.

Every text is another one, so that no cache and no "the same as before" can help anybody.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import math
import random
import tempfile
import uuid
import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import lab

RATE = 24_000  # Hz of this service's pcm
_STRIDE = 15_485_863  # a prime: neighbours in number are no neighbours in words
_ADJECTIVES = [
    "quiet",
    "bright",
    "little",
    "gentle",
    "clever",
    "brown",
    "yellow",
    "early",
    "narrow",
    "silver",
    "hungry",
    "patient",
]
_NOUNS = [
    "fox",
    "river",
    "teacher",
    "garden",
    "window",
    "captain",
    "baker",
    "mountain",
    "engine",
    "painter",
    "doctor",
    "sailor",
]
_VERBS = [
    "watches",
    "follows",
    "remembers",
    "finds",
    "passes",
    "visits",
    "answers",
    "leaves",
    "hears",
    "meets",
]
_WHEN = ("today", "every morning", "after lunch", "again", "in the rain", "at noon", "before dinner")
_WHO = ["小明", "老师", "爷爷", "邻居", "医生", "司机", "妹妹", "同学", "厨师", "画家"]
_DOES = ["慢慢走过", "认真看着", "轻轻打开", "悄悄记下", "高兴地谈起", "仔细整理", "突然想起", "马上找到"]
_WHAT = ["那条小河", "窗边的花", "旧书包", "新地图", "早上的报纸", "院子里的树", "桌上的茶", "远处的山"]
_ENGLISH = (_ADJECTIVES, _NOUNS, _VERBS, _ADJECTIVES, _NOUNS, _WHEN)


@dataclass(frozen=True)
class Subject:
    """An engine, its options, the ``voice`` that requests name; ``made``: its weights are made on the spot.
    ``rate``: Hz of the engine's own sound, which peers hand out as it is."""

    name: str
    engine: str
    voice: str
    options: str = ""
    made: str = ""
    rate: int = RATE

    def flags(self) -> list[str]:
        """For ``python -m index_tts_ui``."""
        return ["--engine", self.engine, *(["--engine-options", self.options] if self.options else [])]

    @contextlib.contextmanager
    def hub(self) -> Iterator[Path]:
        """A cache_hub that has its model."""
        if not self.made:
            yield lab.ROOT / "cache_hub"
            return
        from tests.indextts.checkpoint import made

        with tempfile.TemporaryDirectory() as folder:
            Path(folder, self.engine).symlink_to(made(self.made, "tiny"))
            yield Path(folder)

    def prepare(self, port: int) -> str:
        """Upload a voice where the engine has none of its own; the voice to name in requests."""
        return _uploaded(port) if self.engine.startswith("indextts") else self.voice

    def text(self, number: int) -> str:
        """A sentence of its own for every number below 10^5, 15 to 60 characters."""
        if self.engine == "tone":
            return "".join(random.Random(number).choices("bcdfghjk", k=15 + number * 11 % 31))
        if number % 2 or self.made:
            return "{}{}{}，{}{}{}。".format(*_chosen(number, (_WHO, _DOES, _WHAT) * 2))
        return "The {} {} {} the {} {} {}.".format(*_chosen(number, _ENGLISH))


def _chosen(number: int, lists: Sequence[Sequence[str]]) -> list[str]:
    """One word of each list: the ``number``-th of all combinations, well shuffled."""
    number = number * _STRIDE % math.prod(map(len, lists))
    words = []
    for one in lists:
        number, place = divmod(number, len(one))
        words.append(one[place])
    return words


SUBJECTS = {
    # 4 ms a step and 0.1 ms a row, as a batched model on a GPU might cost
    "tone": Subject("tone", "tone", "tone-a", "step_ms=4,row_ms=0.1"),
    "kokoro": Subject("kokoro", "kokoro", "zf_xiaobei"),
    "indextts-tiny": Subject("indextts-tiny", "indextts2.5", "mine", made="v25", rate=22_050),
    "indextts2.5": Subject("indextts2.5", "indextts2.5", "mine", rate=22_050),  # the weights of cache_hub
}


def recording(seconds: float = 3.0) -> bytes:
    """Somebody's voice, as a WAV file: a hum with syllables and some noise."""
    import numpy as np

    t = np.arange(int(seconds * RATE)) / RATE
    hum = np.sum([np.sin(2 * np.pi * 130 * n * t) / n for n in range(1, 20)], axis=0)
    noise = np.random.default_rng(0).standard_normal(len(t))
    sound = (hum * 0.1 + noise * 0.01) * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * t))
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes((np.clip(sound, -1, 1) * 30_000).astype("<i2").tobytes())
    return file.getvalue()


def _uploaded(port: int) -> str:
    border = uuid.uuid4().hex
    parts = [
        f'--{border}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in (("name", "mine"), ("statement", "It is nobody's voice."))
    ]
    parts.append(
        f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="me.wav"\r\n\r\n'.encode()
    )
    body = b"".join([*parts, recording(), f"\r\n--{border}--\r\n".encode()])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    kind = {"Content-Type": f"multipart/form-data; boundary={border}"}
    connection.request("POST", "/v1/audio/voices", body, kind)
    answer = connection.getresponse()
    if answer.status != 201:
        raise SystemExit(f"the voice was not taken: {answer.read()[:300]!r}")
    answer.read()
    connection.close()
    return "mine"
