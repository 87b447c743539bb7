"""The second session of Kokoro is there while it is needed, and no longer."""

from __future__ import annotations

import threading
import time

import pytest

from index_tts_ui.engines.kokoro import sessions
from index_tts_ui.engines.kokoro.sessions import Sessions

from ..api.server import until

SOON = 10.0


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Sessions:
    """Sessions of two threads whose models cost nothing."""
    monkeypatch.setattr(Sessions, "_made", lambda _self, _threads: object())
    return Sessions(2)


def test_it_is_let_go_when_nobody_needs_it_and_made_again(
    opened: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "IDLE_SECONDS", 0.2)
    for _ in range(2):
        until(opened.sharing, "it is made", SOON)
        until(lambda: opened._shared is None, "it is let go", SOON)
    opened.close()


def test_it_stays_while_it_is_used(opened: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "IDLE_SECONDS", 5.0)
    until(opened.sharing, "it is made", SOON)
    opened._used -= 4.5  # as if it had been made a while ago
    assert opened.sharing()
    time.sleep(1.0)
    assert opened._shared is not None
    opened.close()


def test_closing_waits_for_nobody(opened: Sessions) -> None:
    until(opened.sharing, "it is made", SOON)
    closing = threading.Thread(target=opened.close)
    closing.start()
    closing.join(SOON)
    assert not closing.is_alive() and opened._shared is None
