"""SpeechService and its outputs, with a real worker of the tone engine behind them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from index_tts_ui.app import build_service
from index_tts_ui.config import Config
from index_tts_ui.errors import Conflict, Invalid, NotFound, NotReady, Overloaded, TTSError
from index_tts_ui.outputs import OutputStore
from index_tts_ui.service import SpeechService
from index_tts_ui.speech import Ended, Owner, SegmentReady, SpeechRequest, Started

ME = Owner("me")
TEXT = "First sentence here. Second sentence here. The third one."


@contextlib.asynccontextmanager
async def serving(
    home: Path, options: str = "step_ms=1", ready: bool = True, **settings: object
) -> AsyncIterator[SpeechService]:
    """A running service."""
    config = Config(home=str(home), engine="tone", engine_options=options, **settings)  # type: ignore[arg-type]
    service = build_service(config)
    service.host.start()
    try:
        async with asyncio.timeout(60):
            while ready and not service.status().ready:
                await asyncio.sleep(0.01)
            yield service
    finally:
        await service.close()


async def ended(events: AsyncIterator[object]) -> Ended:
    """Read to the end."""
    last = [event async for event in events][-1]
    assert isinstance(last, Ended)
    return last


def test_one_stream_of_events_tells_the_whole_request(tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(tmp_path) as service:
            handle = await service.submit(SpeechRequest(TEXT), ME)
            events = [event async for event in handle.events()]
            (started,) = [event for event in events if isinstance(event, Started)]
            assert started.segments == tuple(piece.text for piece in handle.pieces)
            sound = [event for event in events if isinstance(event, SegmentReady)]
            assert [event.index for event in sound] == [0, 1, 2]
            assert all(np.abs(event.audio.samples).max() <= 1 for event in sound)
            usage = events[-1].usage if isinstance(events[-1], Ended) else None
            assert usage is not None and usage.segments == 3 and usage.characters == len(TEXT)
            assert service.status().waiting == service.status().running == 0

    asyncio.run(go())


def test_the_preview_is_what_will_be_spoken(tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(tmp_path) as service:
            preview = await service.preview(TEXT)
            handle = await service.submit(SpeechRequest(TEXT), ME)
            assert preview == handle.pieces
            handle.cancel("seen")

    asyncio.run(go())


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        (SpeechRequest(""), Invalid),
        (SpeechRequest("  \n"), Invalid),
        (SpeechRequest("?!…"), Invalid),
        (SpeechRequest("a" * 5000), Invalid),
        (SpeechRequest("a", voice="nobody"), NotFound),
        (SpeechRequest("a", model="gpt-9"), NotFound),
        (SpeechRequest("a", speed=0), Invalid),
        (SpeechRequest("a", speed=float("nan")), Invalid),
        (SpeechRequest("a", timeout=-1), Invalid),
        (SpeechRequest("a", language="xx"), Invalid),
        (SpeechRequest("a", id="../x"), Invalid),
    ],
)
def test_what_cannot_be_served_is_refused_at_the_door(
    tmp_path: Path, request_: SpeechRequest, kind: type[TTSError]
) -> None:
    async def go() -> None:
        async with serving(tmp_path, ready=True) as service:
            with pytest.raises(kind):
                await service.submit(request_, ME)
            assert service.status().waiting == 0

    asyncio.run(go())


def test_an_id_serves_one_request_at_a_time_and_only_its_owner_cancels(tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(tmp_path, "step_ms=50") as service:
            handle = await service.submit(SpeechRequest(TEXT, id="mine"), ME)
            with pytest.raises(Conflict):
                await service.submit(SpeechRequest(TEXT, id="mine"), ME)
            other = await service.submit(SpeechRequest(TEXT, id="mine"), Owner("other"))
            with pytest.raises(NotFound):
                service.cancel(Owner("third"), "mine", "not theirs")
            service.cancel(ME, "mine", "test")
            error = (await ended(handle.events())).error
            assert error is not None and error.code == "cancelled"
            with pytest.raises(NotFound):
                service.cancel(ME, "mine", "twice")
            other.cancel("done")

    asyncio.run(go())


def test_leaving_the_stream_cancels_the_request(tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(tmp_path, "step_ms=20", max_batch_size=1) as service:
            handle = await service.submit(SpeechRequest(TEXT), ME)
            events = handle.events()
            await anext(events)
            await events.aclose()  # type: ignore[attr-defined]
            async with asyncio.timeout(2):
                while service.status().running:
                    await asyncio.sleep(0.01)
            assert service.status().waiting == 0

    asyncio.run(go())


def test_while_loading_the_page_waits_and_the_api_is_told(tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(tmp_path, "load_ms=1500", ready=False) as service:
            with pytest.raises(NotReady) as told:
                await service.submit(SpeechRequest(TEXT), ME)
            assert told.value.code == "loading" and told.value.retry_after is not None
            handle = await service.submit(SpeechRequest(TEXT, wait_ready=True), ME)
            assert (await ended(handle.events())).error is None

    asyncio.run(go())


def test_a_service_whose_engine_cannot_load_says_so(tmp_path: Path) -> None:
    async def go() -> None:
        service = build_service(Config(home=str(tmp_path), engine="kokoro"))
        service.host.start()
        try:
            async with asyncio.timeout(60):
                try:  # it may wait in the queue when the worker ends, or come too late
                    handle = await service.submit(SpeechRequest("你好。", wait_ready=True), ME)
                    error = (await ended(handle.events())).error
                except NotReady as late:
                    error = late
            assert error is not None and error.code == "engine_down"
            with pytest.raises(NotReady, match="models fetch kokoro"):
                await service.submit(SpeechRequest("你好。"), ME)
        finally:
            await service.close()

    asyncio.run(go())


def test_a_drain_finishes_what_runs_and_takes_nothing_new(tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(tmp_path, "step_ms=5") as service:
            handle = await service.submit(SpeechRequest(TEXT), ME)
            reading = asyncio.create_task(ended(handle.events()))
            draining = asyncio.create_task(service.drain(20))
            await asyncio.sleep(0.05)
            with pytest.raises(NotReady):
                await service.submit(SpeechRequest(TEXT), ME)
            assert (await reading).error is None and await draining == 0

    asyncio.run(go())


def test_a_drain_that_lasts_too_long_cancels_and_counts(tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(tmp_path, "step_ms=200") as service:
            handles = [await service.submit(SpeechRequest(TEXT), ME) for _ in range(3)]
            readings = [asyncio.create_task(ended(handle.events())) for handle in handles]
            assert await service.drain(0.2) == 3
            assert [one.error.code for one in await asyncio.gather(*readings) if one.error] == [
                "cancelled"
            ] * 3

    asyncio.run(go())


def test_a_recording_is_read_while_it_is_made_and_after_by_any_number(tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(tmp_path, "step_ms=5") as service:
            recording = service.keep(await service.submit(SpeechRequest(TEXT), ME))

            async def read() -> np.ndarray:
                sound = [e.audio.samples async for e in recording.events() if isinstance(e, SegmentReady)]
                return np.concatenate(sound)

            first, second = await asyncio.gather(read(), read())
            np.testing.assert_array_equal(first, second)
            await asyncio.sleep(0.1)
            again = service.outputs.get(recording.id)
            np.testing.assert_allclose(np.concatenate(list(again.chunks())), first)
            reloaded = OutputStore(service.config.outputs, 1, 10).get(recording.id)
            assert reloaded.done and reloaded.seconds == recording.seconds
            np.testing.assert_allclose(np.concatenate(list(reloaded.chunks())), first)

    asyncio.run(go())


def test_a_recording_that_everybody_left_is_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index_tts_ui.outputs.recording.LEAVE_GRACE", 0.1)

    async def go() -> None:
        async with serving(tmp_path, "step_ms=100") as service:
            recording = service.keep(await service.submit(SpeechRequest(TEXT), ME))
            events = recording.events()
            await anext(events)
            await events.aclose()  # type: ignore[attr-defined]
            async with asyncio.timeout(3):
                while not (recording.error and not service.status().running):
                    await asyncio.sleep(0.01)
            assert recording.error is not None and recording.error.code == "cancelled"
            assert not list(service.config.outputs.glob("*.json"))

    asyncio.run(go())


@pytest.mark.parametrize("output_id", ["../../etc/passwd", "..%2f", "", "a" * 200, "x" * 24, "a/b" * 8])
def test_an_output_id_never_becomes_a_path(tmp_path: Path, output_id: str) -> None:
    with pytest.raises(NotFound):
        OutputStore(tmp_path, 1, 1).get(output_id)


def test_old_and_surplus_outputs_are_cleaned_oldest_first(tmp_path: Path) -> None:
    store = OutputStore(tmp_path, keep_hours=1, keep_mb=1)
    for number, age in enumerate((7200, 300, 200, 100)):
        stem = tmp_path / f"output-number-{number:04}"
        stem.with_suffix(".pcm").write_bytes(b"\0" * 600_000)
        stem.with_suffix(".json").write_text("{}")
        os.utime(stem.with_suffix(".pcm"), (time.time() - age,) * 2)
    assert store.clean() == 3  # one too old, two beyond the megabyte
    assert [path.stem for path in tmp_path.glob("*.pcm")] == ["output-number-0003"]
    assert [path.stem for path in tmp_path.glob("*.json")] == ["output-number-0003"]


def test_a_full_queue_is_refused_before_the_text_is_split(tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(tmp_path, "step_ms=50,ahead=0", max_waiting=1, max_batch_size=1) as service:
            handles = [await service.submit(SpeechRequest(TEXT), ME)]
            with pytest.raises(Overloaded):
                for _ in range(3):
                    handles.append(await service.submit(SpeechRequest(TEXT), ME))
            for handle in handles:
                handle.cancel("done")

    asyncio.run(go())
