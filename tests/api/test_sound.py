"""The pieces of a stream, without a server around them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from index_tts_ui.api.errors import TABLE, edge_of, envelope
from index_tts_ui.api.sound import speech_event, usage_json, with_pings
from index_tts_ui.errors import MESSAGES, TTSError
from index_tts_ui.speech import Started, Usage


def kinds(base: type[TTSError] = TTSError) -> set[str]:
    """The kind of every error class there is."""
    return {base.kind}.union(*(kinds(child) for child in base.__subclasses__()))


def test_every_kind_of_error_has_a_status() -> None:
    assert kinds() - {"notice"} <= set(TABLE), "a notice is never raised"
    assert set(TABLE) - kinds() <= set(MESSAGES), "what is no kind must be a code"


def test_only_what_may_pass_soon_is_worth_a_retry() -> None:
    assert {name for name, edge in TABLE.items() if edge.retry} == {"overloaded", "not_ready"}


def test_an_envelope_has_four_keys_also_where_they_are_null() -> None:
    error = TTSError("internal")
    assert set(envelope(error)["error"]) == {"message", "type", "param", "code"}
    assert envelope(error)["error"]["param"] is None
    assert edge_of(error).status == 500


async def _after(gate: asyncio.Event, closed: list[bool]) -> AsyncGenerator[int, None]:
    try:
        yield 1
        await gate.wait()
        yield 2
    finally:
        closed.append(True)


def test_a_quiet_stream_pings_and_loses_nothing() -> None:
    async def scene() -> list[int | None]:
        gate, heard = asyncio.Event(), []
        async for item in with_pings(_after(gate, []), 0.01):
            heard.append(item)
            if heard.count(None) == 3:
                gate.set()
        return heard

    heard = asyncio.run(asyncio.wait_for(scene(), 20))
    assert [item for item in heard if item is not None] == [1, 2]
    assert heard[:4] == [1, None, None, None]


def test_leaving_a_stream_closes_what_it_waits_for() -> None:
    async def scene() -> list[bool]:
        closed: list[bool] = []
        stream = with_pings(_after(asyncio.Event(), closed), 0.01)
        assert [await anext(stream), await anext(stream)] == [1, None]
        await stream.aclose()
        return closed

    assert asyncio.run(asyncio.wait_for(scene(), 20)) == [True]


def test_a_ping_is_a_comment() -> None:
    ping = speech_event(None, Started("tone", ()))
    assert ping.startswith(b":") and ping.endswith(b"\n\n")


@pytest.mark.parametrize(("seconds", "frames"), [(0.0, 0), (1.0, 25), (2.5, 62)])
def test_usage_counts_text_tokens_and_frames_of_sound(seconds: float, frames: int) -> None:
    usage = Usage(10, 7, 1, seconds, 0.0, 0.0, 0.0)
    assert usage_json(usage) == {"input_tokens": 7, "output_tokens": frames, "total_tokens": 7 + frames}
