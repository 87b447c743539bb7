"""The chaos run finds nothing; and it would find what there is to find."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from .clients import FRAME, PITCHES, RATE, heard, text
from .ledger import Ledger, Outage

ROOT = Path(__file__).parent.parent.parent


def _run(minutes: float) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.chaos", "--minutes", str(minutes)],
        cwd=ROOT, capture_output=True, text=True, timeout=minutes * 60 + 240,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "violations: 0" in ran.stdout


def test_a_short_chaos_run_finds_nothing() -> None:
    _run(0.15)


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.fault(17, 20, 21, 26, 60, 61)
def test_two_minutes_of_chaos_find_nothing() -> None:
    _run(2)


def _tone(letter: str) -> np.ndarray:
    wave = 0.2 * np.sin(2 * np.pi * PITCHES[letter] * np.arange(FRAME) / RATE)
    return wave * np.hanning(FRAME)


def _speak(words: list[str]) -> bytes:
    silence = np.zeros(FRAME)
    parts = [part for word in words for part in (*map(_tone, word), silence)]
    return (np.concatenate(parts) * 32767).astype("<i2").tobytes()


def test_the_clients_hear_every_letter() -> None:
    words = text(random.Random(1)).replace(".", "").split()
    sound = _speak(words)
    assert heard(sound) == words
    assert heard(sound[: len(sound) // 2]) != words, "a sound that is cut off"
    assert heard(_speak([words[1], words[0], *words[2:]])) != words, "somebody else's sound"
    assert heard(b"") == []


def test_a_loss_without_a_cause_is_a_violation(capsys: pytest.CaptureFixture[str]) -> None:
    ledger = Ledger()
    ledger.failed(0.0, False, "reset")
    ledger.settle()
    assert len(ledger.violations) == 1 and "without a cause" in capsys.readouterr().out


@pytest.mark.parametrize(("outage", "began", "ended", "excused"), [
    (Outage("x", 10, end=20), 5, 9, False), (Outage("x", 10, end=20), 5, 11, True),
    (Outage("x", 10, end=20), 21, 22, False), (Outage("x", 10, drained=True), 5, 11, False),
    (Outage("x", 10, open=True), 5, 11, True), (Outage("x", 10, open=True), 12, 13, False),
])  # fmt: skip
def test_only_what_an_outage_explains_is_excused(
    outage: Outage, began: float, ended: float, excused: bool
) -> None:
    assert outage.excuses(began, ended, refused=False) is excused
