"""Equal requests are spoken once: kept, shared while under way, repeated by key; with a real worker behind."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index_tts_ui import sharing
from index_tts_ui.answers import Answer, AnswerStore
from index_tts_ui.errors import Cancelled, Conflict, DeadlineExceeded, Invalid
from index_tts_ui.handle import Handle
from index_tts_ui.service import SpeechService
from index_tts_ui.speech import Ended, Event, Owner, Piece, SegmentReady, SpeechRequest, Started
from tests.service.test_service import serving

ME, YOU = Owner("me"), Owner("you")
TEXT = "First sentence here. Second sentence here. The third one."
SAME = SpeechRequest(TEXT, cache=True)


async def heard(handle: Handle) -> list[Event]:
    """All events."""
    return [event async for event in handle.events()]


def sound(events: list[Event]) -> bytes:
    """The samples, bit for bit."""
    return b"".join(event.audio.samples.tobytes() for event in events if isinstance(event, SegmentReady))


def end(events: list[Event]) -> Ended:
    """The last one."""
    assert isinstance(events[-1], Ended) and sum(isinstance(event, Ended) for event in events) == 1
    return events[-1]


async def idle(service: SpeechService) -> None:
    """Until no worker has anything, and nothing is being kept."""
    async with asyncio.timeout(30):
        while service.status().running or service.status().waiting or service._recall.sharing._spoken:
            await asyncio.sleep(0.01)


def spoken(home: Path) -> int:
    """Segments that the engine was given."""
    path = home / "record"
    return len(path.read_text().splitlines()) if path.exists() else 0


def recorded(home: Path, more: str = "step_ms=1") -> str:
    """Options of an engine that writes down what it gets."""
    return f"{more},record={home / 'record'}"


def test_an_equal_request_is_answered_from_the_store_bit_for_bit(tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(tmp_path, recorded(tmp_path)) as service:
            plain = await heard(await service.submit(SpeechRequest(TEXT), ME))
            first = await service.submit(SAME, ME)
            made = await heard(first)
            await idle(service)
            again = await service.submit(SAME, YOU)
            kept = await heard(again)
            assert (first.source, again.source) == ("spoken", "cached") and first.id != again.id
            assert sound(plain) == sound(made) == sound(kept) and spoken(tmp_path) == 6
            assert [piece.text for piece in first.pieces] == [piece.text for piece in again.pieces]
            one, two = end(made).usage, end(kept).usage
            assert (one.audio_seconds, one.tokens) == (two.audio_seconds, two.tokens)
            assert two.engine_seconds == 0 and end(plain).usage.audio_seconds == one.audio_seconds
            started = [event for event in kept if isinstance(event, Started)]
            assert started == [event for event in made if isinstance(event, Started)]

    asyncio.run(go())


OTHERS: tuple[dict[str, Any], ...] = (
    *({"text": TEXT + "!"}, {"voice": "tone-b"}, {"speed": 1.1}, {"seed": 7}, {"language": "zh"}),
    *({"cache": False}, {"cache": None}),
)


def test_another_request_is_spoken_anew(tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(tmp_path, recorded(tmp_path)) as service:
            await heard(await service.submit(SAME, ME))
            for other in OTHERS:
                await idle(service)
                before = spoken(tmp_path)
                handle = await service.submit(SpeechRequest(**{"text": TEXT, "cache": True, **other}), ME)
                await heard(handle)
                assert handle.source == "spoken" and spoken(tmp_path) > before, other

    asyncio.run(go())


def test_other_options_of_the_engine_are_another_sound(tmp_path: Path) -> None:
    async def go() -> None:
        sounds = []
        for options in ("char_ms=20", "char_ms=30", "char_ms=20"):
            async with serving(tmp_path, options) as service:
                handle = await service.submit(SAME, ME)
                sounds.append((handle.source, sound(await heard(handle))))
                await idle(service)
        assert sounds[0][1] == sounds[2][1] != sounds[1][1]
        assert [source for source, _ in sounds] == ["spoken", "spoken", "cached"]

    asyncio.run(go())


@pytest.mark.parametrize(("setting", "given", "keeps"), [
    ("on", None, True), ("on", False, False), ("off", True, False),
])  # fmt: skip
def test_the_setting_and_the_request_decide(
    tmp_path: Path, setting: str, given: bool | None, keeps: bool
) -> None:
    async def go() -> None:
        async with serving(tmp_path, cache=setting) as service:
            await heard(await service.submit(SpeechRequest(TEXT, cache=given), ME))
            await idle(service)
            again = await service.submit(SpeechRequest(TEXT, cache=given), ME)
            await heard(again)
            assert (again.source == "cached") is keeps

    asyncio.run(go())


def test_equal_requests_under_way_are_spoken_once(tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(tmp_path, recorded(tmp_path, "step_ms=10,rows=1")) as service:
            handles = await asyncio.gather(*(service.submit(SAME, owner) for owner in (ME, YOU, ME)))
            tasks = [asyncio.create_task(heard(handle)) for handle in handles]
            while not any(isinstance(event, Started) for event in handles[0].job._events) and not spoken(
                tmp_path
            ):
                await asyncio.sleep(0.01)
            late = await service.submit(SAME, YOU)
            told = [*await asyncio.gather(*tasks), await heard(late)]
            assert sorted(handle.source for handle in handles) == ["shared", "shared", "spoken"]
            assert late.source == "shared" and len({sound(events) for events in told}) == 1
            assert all(end(events).error is None for events in told) and spoken(tmp_path) == 3
            await idle(service)
            rows = service.records.metrics.text().decode()
            assert 'tts_answers_total{source="shared"} 3.0' in rows

    asyncio.run(go())


def test_one_who_leaves_disturbs_nobody_and_the_last_one_ends_the_work(tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(tmp_path, recorded(tmp_path, "step_ms=20,rows=1")) as service:
            one, two = await asyncio.gather(service.submit(SAME, ME), service.submit(SAME, YOU))
            first = asyncio.create_task(heard(one))
            second = asyncio.create_task(heard(two))
            service.cancel(ME, one.id, "by the test")
            assert isinstance(end(await first).error, Cancelled)
            assert end(await second).error is None
            assert spoken(tmp_path) == 3
            await idle(service)
            alone = await service.submit(SpeechRequest(TEXT * 3, cache=True), ME)
            service.cancel(ME, alone.id, "by the test")
            await idle(service)
            assert isinstance(end(await heard(alone)).error, Cancelled) and spoken(tmp_path) <= 3 + 2

    asyncio.run(go())


def test_who_comes_when_the_last_one_has_just_left_is_served(tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(tmp_path, "step_ms=5,rows=1") as service:
            gone = await service.submit(SAME, ME)
            shared = service._recall.sharing
            (key,) = shared._spoken
            gone.cancel("at once")
            # before the event loop has had a turn to stop what nobody listens to any more
            handle = await shared.submit(SAME, YOU, key, lambda: service._take_in(SpeechRequest(TEXT), YOU))
            async with asyncio.timeout(30):
                assert end(await heard(handle)).error is None

    asyncio.run(go())


def test_a_failure_reaches_every_listener_and_is_not_kept(tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(tmp_path, recorded(tmp_path)) as service:
            bad = SpeechRequest("Good. Then [[fail]] here.", cache=True)
            handles = await asyncio.gather(*(service.submit(bad, owner) for owner in (ME, YOU)))
            for events in await asyncio.gather(*map(heard, handles)):
                error = end(events).error
                assert error is not None and error.code == "engine_failed"
            await idle(service)
            assert not (tmp_path / "answers").exists()
            assert (await service.submit(bad, ME)).source == "spoken"

    asyncio.run(go())


def test_a_listeners_timeout_is_its_own(tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(tmp_path, "step_ms=20,rows=1") as service:
            hurried = SpeechRequest(TEXT, cache=True, timeout=0.1)
            one, two = await asyncio.gather(service.submit(hurried, ME), service.submit(SAME, YOU))
            ends = [end(events) for events in await asyncio.gather(heard(one), heard(two))]
            assert isinstance(ends[0].error, DeadlineExceeded) and ends[1].error is None

    asyncio.run(go())


def test_what_nobody_reads_is_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow reader holds its request up, not the memory; one who reads again gets the rest."""
    monkeypatch.setattr(sharing, "UNREAD_SECONDS", 1.0)

    async def go() -> None:
        async with serving(tmp_path, recorded(tmp_path, "step_ms=1,rows=1")) as service:
            handle = await service.submit(SpeechRequest(TEXT * 20, cache=True), ME)
            events = handle.events()
            while not isinstance(await anext(events), SegmentReady):
                pass
            held = 0
            async with asyncio.timeout(30):
                while held != (held := handle.job.delivered) or not held:
                    await asyncio.sleep(0.2)
            assert held < 10
            rest = [event async for event in events]
            assert isinstance(rest[-1], Ended) and rest[-1].error is None and handle.job.delivered == 60

    asyncio.run(go())


# Idempotency-Key


def test_a_repeated_key_gets_the_same_sound_and_another_request_with_it_is_refused(tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(tmp_path, recorded(tmp_path)) as service:
            request = SpeechRequest(TEXT)
            first = await heard(await service.submit(request, ME, "key-1"))
            await idle(service)
            again = await service.submit(request, ME, "key-1")
            assert again.source == "cached" and sound(await heard(again)) == sound(first)
            with pytest.raises(Conflict) as refused:
                await service.submit(SpeechRequest("Something else."), ME, "key-1")
            assert refused.value.code == "idempotency_mismatch"
            theirs = await service.submit(SpeechRequest("Something else."), YOU, "key-1")
            assert theirs.source == "spoken" and end(await heard(theirs)).error is None
            for bad in ("a b", "ü", "x" * 256):
                with pytest.raises(Invalid):
                    await service.submit(request, ME, bad)

    asyncio.run(go())


def test_with_a_key_the_work_goes_on_when_the_client_is_gone(tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(tmp_path, recorded(tmp_path, "step_ms=5,rows=1")) as service:
            handle = await service.submit(SAME, ME, "key-1")
            handle.cancel("the client went away")
            again = await service.submit(SAME, ME, "key-1")
            assert again.source == "shared" and end(await heard(again)).error is None
            await idle(service)
            assert spoken(tmp_path) == 3
            cached = await service.submit(SAME, YOU)
            assert cached.source == "cached", "its sound is kept for equal requests, too"
            cached.cancel("seen")

    asyncio.run(go())


def test_an_id_in_use_is_refused(tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(tmp_path, "step_ms=20,rows=1") as service:
            mine = SpeechRequest(TEXT, cache=True, id="mine")
            handle = await service.submit(mine, ME)
            with pytest.raises(Conflict):
                await service.submit(mine, ME)
            assert service.find(ME, "mine") is handle.job
            handle.cancel("seen")

    asyncio.run(go())


# the store


def answer(seconds: float = 1.0) -> Answer:
    """Of noise."""
    samples = np.random.default_rng(0).normal(0, 0.1, int(24_000 * seconds)).astype(np.float32)
    return Answer("print", "tone", 24_000, [Piece("a", "b", 1, "en", 0.1)], [samples], seconds)


def test_the_store_is_bounded_and_forgets_what_was_longest_unused(tmp_path: Path) -> None:
    store = AnswerStore(tmp_path, 1)
    for number in range(10):
        store.put(f"{number:064x}", answer(seconds=2.5))  # 240 kB
        if number == 5:
            os.utime(tmp_path / f"{3:064x}.answer", (0, 0))
            assert store.get(f"{3:064x}") is not None
    left = {int(path.stem, 16) for path in tmp_path.iterdir()}
    assert len(left) == 4 and left == {6, 7, 8, 9}
    again = AnswerStore(tmp_path, 1)
    assert again.get(f"{6:064x}") is not None
    again.put("f" * 64, answer(seconds=2.5))
    assert again.get(f"{7:064x}") is None and again.get(f"{6:064x}") is not None
    assert again.get(f"{8:064x}") is not None
    again.put("d" * 64, answer(seconds=2.5))
    assert again.get(f"{9:064x}") is None and again.get(f"{8:064x}") is not None
    again.put("e" * 64, answer(seconds=60))
    assert again.get("e" * 64) is None, "one that is too large drives no others out"


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "expired"])
def test_a_bad_answer_is_none(tmp_path: Path, damage: str) -> None:
    store = AnswerStore(tmp_path, 10)
    store.put("a" * 64, answer(), keep_seconds=-1.0 if damage == "expired" else 100.0)
    (path,) = tmp_path.iterdir()
    data = path.read_bytes()
    changed = {"cut": data[:-4], "flipped": data[:-1] + bytes([data[-1] ^ 1]), "empty": b"", "expired": data}
    path.write_bytes(changed[damage])
    assert store.get("a" * 64) is None and not path.exists()


def test_a_store_that_cannot_be_written_costs_no_request(tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(tmp_path) as service:
            (tmp_path / "answers").write_text("in the way")
            for _ in range(2):
                handle = await service.submit(SAME, ME)
                assert handle.source == "spoken" and end(await heard(handle)).error is None
                await idle(service)

    asyncio.run(go())
