"""Clients that vanish, read slowly or say nothing: others are served, and nothing of them stays."""

from __future__ import annotations

import random
import resource
import socket
from collections.abc import Iterator

import pytest

from .inside import Count, Inside, inside
from .rude import asking, dial, reset, rest_of, unchunked

RATE = 24_000
STEP = "step_ms=1,char_ms=60,rows=8"
PAUSE = 0.1  # seconds of silence after a sentence of the test engine
SENTENCE = "abcd efgh ijkl mnop. "
LONG = SENTENCE * 190  # about 4,000 characters, four minutes of sound


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """A server whose segments take a few ten milliseconds each."""
    home = tmp_path_factory.mktemp("storms")
    options = f"{STEP},record={home / 'received.jsonl'}"
    with inside(
        home, "--engine-options", options, "--max-waiting", "400", "--queue-timeout", "120"
    ) as server:
        yield server


def storm(place: Inside, clients: int, seed: int) -> None:
    """Each asks, and hangs up at some moment: in its headers, its body, in the queue, in the sound."""
    chance = random.Random(seed)
    open_ones: list[socket.socket] = []
    for number in range(clients):
        sock = dial(place.port)
        fmt, framing = chance.choice(("pcm", "mp3", "opus")), chance.choice(("audio", "sse"))
        request = asking(f"Storm {number}. {SENTENCE * chance.randint(1, 30)}", fmt, framing)
        moment = chance.random()
        if moment < 0.3:
            sock.sendall(request[: int(len(request) * chance.random())])
        else:
            sock.sendall(request)
        if moment > 0.6:
            sock.recv(chance.randint(1, 4096))
        open_ones.append(sock)
        while len(open_ones) > chance.randint(0, 40):
            chance.choice((reset, socket.socket.close))(open_ones.pop(chance.randrange(len(open_ones))))
    for sock in open_ones:
        reset(sock)


def test_a_storm_of_disconnects_leaves_nothing_behind(place: Inside) -> None:
    count, alone = Count(place), place.speak(SENTENCE)
    storm(place, 60, seed=1)
    assert place.speak(SENTENCE) == alone
    count.expect_back()


@pytest.mark.slow
def test_a_long_storm_leaves_nothing_behind(place: Inside) -> None:
    count, alone = Count(place), place.speak(SENTENCE)
    for seed in range(2):
        storm(place, 100, seed)
        assert place.speak(SENTENCE) == alone
    count.expect_back()


def admitted(place: Inside) -> int:
    """Segments that the engine was given so far."""
    return len((place.home / "received.jsonl").read_text("utf-8").splitlines())


@pytest.mark.slow
def test_slow_readers_hold_up_nobody_and_lose_nothing(place: Inside) -> None:
    """Their requests pause while nobody reads; the engine works for others; then they hear all of it."""
    count, alone, before = Count(place), place.speak(SENTENCE), admitted(place)
    slow = [dial(place.port, receive=4096) for _ in range(4)]
    for sock in slow:
        sock.sendall(asking(LONG))
        assert sock.recv(1) == b"H"
    for _ in range(10):
        assert place.speak(SENTENCE) == alone
    assert place.held()["busy"], "they were not slow: nothing is shown"
    sounds = [unchunked(b"H" + rest_of(sock)) for sock in slow]
    for sock in slow:
        sock.close()
    assert len(set(sounds)) == 1
    assert len(sounds[0]) / 2 / RATE > 190 * 18 * 0.06  # characters that sound, 60 ms each
    assert admitted(place) - before == 4 * 190 + 10
    count.expect_back()


@pytest.mark.slow
def test_a_reader_that_stops_for_good_stops_the_work(place: Inside) -> None:
    """What was made for it is bounded, and goes when its connection does."""
    count, before = Count(place), admitted(place)
    sock = dial(place.port, receive=4096)
    sock.sendall(asking(LONG))
    assert sock.recv(1) == b"H"
    for _ in range(30):  # others keep the engine going meanwhile
        place.speak(SENTENCE)
    assert admitted(place) - before < 190 + 30, "the whole text was spoken for nobody"
    reset(sock)
    count.expect_back()


@pytest.mark.slow
def test_a_thousand_idle_connections_and_a_trickle_keep_nobody_waiting(place: Inside) -> None:
    """1,000 connections that say nothing, one that sends a byte at a time; others are served."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4096)), hard))
    count, alone = Count(place), place.speak(SENTENCE)
    idle = [dial(place.port) for _ in range(1_000)]
    trickle, request = dial(place.port), asking(SENTENCE)
    for byte in request[:40]:
        trickle.sendall(bytes([byte]))
        assert place.speak(SENTENCE) == alone
    for sock in [*idle, trickle]:
        sock.close()
    count.expect_back()
