"""What an upstream says that is no sound: it is understood, bounded in time and size, and told in words."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from index_tts_ui.errors import EngineFailed
from index_tts_ui.remote import client as clients
from index_tts_ui.remote.answers import Failed, Refused
from index_tts_ui.remote.client import Client
from index_tts_ui.remote.meeting import meet
from index_tts_ui.remote.upstreams import Upstream
from index_tts_ui.speech import Audio

from .fake import Asked, Fake, Reply, omni, ours, told, wav
from .place import asked, job, placed, spoken_by
from .test_link import error_of, replying


class Silent(Fake):
    """It takes every request and answers none."""

    async def _reply(self, request: Asked, reader: asyncio.StreamReader) -> Reply | None:
        await reader.read(1)
        return None


async def bring(client: Client, given: Upstream) -> object:
    """A clip."""
    return await client.upload("/v1/audio/clips", wav())


async def speak(client: Client, given: Upstream) -> Audio:
    """Anything."""
    return await client.speak({"input": "x"})


def test_health_in_plain_words_is_health() -> None:
    fake = omni(Fake())
    fake.routes["/health"] = (200, {"content-type": "text/plain"}, b"OK\n")
    assert asked(fake, meet).pulse.ready


def test_who_never_answers_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "PROBE_SECONDS", 0.2)
    monkeypatch.setattr(clients, "UPLOAD_SECONDS", 0.2)
    with pytest.raises(Failed, match="it does not answer in time"):
        asked(Silent(), meet)
    with pytest.raises(Failed, match="it does not answer in time"):
        asked(Silent(), bring)


def test_why_a_clip_is_refused_is_told() -> None:
    fake = ours(Fake())
    fake.routes["/v1/audio/clips"] = told(422, "the clip is too long")
    with pytest.raises(Refused, match=r"422 \(the clip is too long\)"):
        asked(fake, bring)


def test_sound_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "SOUND_MOST", 4000)
    with pytest.raises(Failed, match="larger than"):
        asked(Fake(), speak)


def test_a_broken_connection_is_told_in_words(tmp_path: Path) -> None:
    async def go() -> None:
        async with placed(tmp_path, ours(Fake(replying(None)))) as (scheduler, _):
            error = error_of(await spoken_by(scheduler, job("Only one.")))
            assert isinstance(error, EngineFailed) and "it broke off its answer" in error.message()

    asyncio.run(go())
