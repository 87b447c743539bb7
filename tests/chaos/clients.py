"""Clients that ask for speech all the time and know what they must hear."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time

import numpy as np

from .ledger import Ledger

RATE = 24_000
CHARACTER_MS = 20
FRAME = RATE * CHARACTER_MS // 1000
LETTERS = "bcdfghjk"  # no word of these is one that a normaliser would speak otherwise
PITCHES = {letter: 220.0 * 2.0 ** ((ord(letter) % 36) / 12.0) for letter in LETTERS}
TIMEOUT = 90.0  # seconds; a request may wait for a whole restart
VOICE = {"model": "tone", "voice": "tone-a", "response_format": "pcm"}


def text(chance: random.Random) -> str:
    """Two sentences that nobody else asks for."""
    words = ["".join(chance.choices(LETTERS, k=chance.randint(4, 8))) for _ in range(10)]
    return f"{' '.join(words[:5])}. {' '.join(words[5:])}."


def heard(data: bytes) -> list[str]:
    """The words in the sound of the test engine: one tone for each letter, silence between words."""
    samples = np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(float)
    loud = np.flatnonzero(np.abs(samples) > 40)
    if not len(loud):
        return []
    gaps = np.flatnonzero(np.diff(loud) > FRAME // 2)
    starts, ends = [loud[0], *loud[gaps + 1]], [*loud[gaps], loud[-1]]
    return [_word(samples, int(start), int(end)) for start, end in zip(starts, ends, strict=True)]


def _word(samples: np.ndarray, start: int, end: int) -> str:
    count = round((end - start) / FRAME)
    first = (start + end - count * FRAME) // 2  # the tones fade in and out: their edges are not loud
    frames = [samples[max(0, first + i * FRAME) : first + (i + 1) * FRAME] for i in range(count)]
    return "".join(_letter(frame) for frame in frames)


def _letter(frame: np.ndarray) -> str:
    turns = np.exp(-2j * np.pi * np.outer(list(PITCHES.values()), np.arange(len(frame)) / RATE))
    return LETTERS[int(np.argmax(np.abs(turns @ frame)))]


class Client(threading.Thread):
    """Asks, compares, asks again, until ``stopping`` is set."""

    def __init__(self, number: int, port: int, ledger: Ledger, stopping: threading.Event, seed: int) -> None:
        super().__init__(name=f"client-{number}", daemon=True)
        self._port = port
        self._ledger = ledger
        self._stopping = stopping
        self._chance = random.Random(seed * 1000 + number)

    def run(self) -> None:
        """See the class."""
        while not self._stopping.is_set():
            wanted = text(self._chance)
            began = time.monotonic()
            try:
                status, body = self._ask(wanted)
            except (OSError, http.client.HTTPException) as error:
                refused = isinstance(error, ConnectionRefusedError)
                self._ledger.failed(began, refused, f"{type(error).__name__}: {error}")
                self._stopping.wait(0.1)
                continue
            if status != 200:
                self._ledger.failed(began, status == 503, f"{status}: {body[:200]!r}")
                self._stopping.wait(0.1)
            elif (words := heard(body)) != (expected := wanted.replace(".", "").split()):
                self._ledger.violation(f"asked for {expected}, heard {words}")
            else:
                self._ledger.answered()
            self._stopping.wait(self._chance.uniform(0, 0.1))

    def _ask(self, wanted: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT)
        try:
            body = json.dumps({**VOICE, "input": wanted})
            connection.request("POST", "/v1/audio/speech", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()
